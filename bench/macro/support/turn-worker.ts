// Owns the timing of the poll loop's turns, from outside: for `node --import`, which runs it in every thread. In a network
// thread it puts a stopwatch around what is scheduled by setImmediate and queueMicrotask, which is where turns and moves
// run, and writes start and length of each to the file named by TURNS_FILE when the thread ends. The client itself measures nothing.

import { writeFileSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

/** Turns whose times are kept; more are not expected in a benchmark. */
const maxTurns = 2_000_000;
const file = process.env.TURNS_FILE;
const isNetworkThread = !isMainThread && (workerData as { controlPort?: unknown } | null)?.controlPort !== undefined;

/** ms, the same on all threads of a process. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

if (file !== undefined && isNetworkThread) {
  const times = new Float64Array(2 * maxTurns);
  let count = 0;
  const timed =
    (callback: (...args: unknown[]) => void) =>
    (...args: unknown[]): void => {
      const startedAt = nowMs();
      try {
        callback(...args);
      } finally {
        if (count < maxTurns) {
          times[2 * count] = startedAt;
          times[2 * count + 1] = nowMs() - startedAt;
          count++;
        }
      }
    };
  const { setImmediate: schedule, queueMicrotask: queue } = globalThis;
  globalThis.setImmediate = ((callback: () => void, ...args: unknown[]) =>
    schedule(timed(callback), ...args)) as typeof setImmediate;
  globalThis.queueMicrotask = (callback) => queue(timed(callback));
  process.on('exit', () => writeFileSync(file, new Uint8Array(times.buffer, 0, 16 * count)));
}
