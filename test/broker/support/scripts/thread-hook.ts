// Loaded with `--import` into every thread of a program, so that a test can do to its network thread what nobody should.

import { isMainThread, workerData } from 'node:worker_threads';

export const hookChannel = 'test-thread-hook';

/** How a network thread can end, or not. */
export type ThreadEnd = 'throw' | 'throw-undefined' | 'reject' | 'exit' | 'out-of-memory' | 'loop';

const ends: Readonly<Record<ThreadEnd, () => void>> = {
  throw: () => {
    setImmediate(() => {
      throw new RangeError('thrown in the network thread');
    });
  },
  'throw-undefined': () => {
    setImmediate(() => {
      throw undefined;
    });
  },
  reject: () => {
    void Promise.reject(new RangeError('rejected in the network thread'));
  },
  exit: () => process.exit(7),
  'out-of-memory': () => {
    const kept: number[][] = [];
    for (;;) kept.push(new Array<number>(100_000).fill(kept.length));
  },
  loop: () => {
    for (;;);
  },
};

// Only the network thread is given a control port.
const isNetworkThread = (workerData as { controlPort?: unknown } | null)?.controlPort !== undefined;
if (!isMainThread && isNetworkThread) {
  const channel = new BroadcastChannel(hookChannel);
  channel.onmessage = (event: unknown) => ends[(event as { data: ThreadEnd }).data]();
  // Not what keeps the thread alive.
  (channel as unknown as { unref(): void }).unref();
}
