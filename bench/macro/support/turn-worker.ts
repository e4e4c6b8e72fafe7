// Owns the timing of the poll loop's rounds (turns and moves) from outside. It is loaded by `node --import`, which runs it in every thread.
// In a network thread it records what the poll loop reports to the metrics at the end of each round, so the client must be started with
// `metrics`. When the thread ends, it writes the start and length of each round to the file TURNS_FILE.

import { writeFileSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';
import { Metrics } from '../../../src/worker/report/metrics-recorder.ts';

/** How many rounds are recorded. No benchmark has more. */
const maxRounds = 2_000_000;
const file = process.env.TURNS_FILE;
const isNetworkThread = !isMainThread && (workerData as { controlPort?: unknown } | null)?.controlPort !== undefined;

/** In ms, on a clock that all threads of a process share. */
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
