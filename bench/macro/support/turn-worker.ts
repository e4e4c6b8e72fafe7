// Owns the timing of the poll loop's rounds, turns and moves, from outside: for `node --import`, which runs it in every thread.
// In a network thread it listens to what the poll loop tells the client's metrics at the end of each round, so the client must
// be started with `metrics`, and writes start and length of each to the file named by TURNS_FILE when the thread ends.

import { writeFileSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';
import { Metrics } from '../../../src/worker/report/metrics-recorder.ts';

/** Rounds whose times are kept; more are not expected in a benchmark. */
const maxRounds = 2_000_000;
const file = process.env.TURNS_FILE;
const isNetworkThread = !isMainThread && (workerData as { controlPort?: unknown } | null)?.controlPort !== undefined;

/** ms, the same on all threads of a process. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

if (file !== undefined && isNetworkThread) {
  const times = new Float64Array(2 * maxRounds);
  let count = 0;
  const { roundEnded } = Metrics.prototype;
  Metrics.prototype.roundEnded = function (waitedMs, tookMs) {
    if (count < maxRounds) {
      times[2 * count] = nowMs() - tookMs;
      times[2 * count + 1] = tookMs;
      count++;
    }
    roundEnded.call(this, waitedMs, tookMs);
  };
  process.on('exit', () => writeFileSync(file, new Uint8Array(times.buffer, 0, 16 * count)));
}
