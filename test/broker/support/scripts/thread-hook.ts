// Loaded with `--import` into every thread of a program, so that a test can do to its network thread what nobody should.

import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread, workerData } from 'node:worker_threads';
import { Doorbell } from '../../../../src/ring/doorbell.ts';
import { TAIL_WORD } from '../../../../src/ring/layout.ts';

export const hookChannel = 'test-thread-hook';

/** How a network thread can end or get stuck. */
export type ThreadEnd = 'throw' | 'throw-undefined' | 'reject' | 'exit' | 'out-of-memory' | 'loop' | 'corrupt';

/** What a program tells its network thread over the channel. */
export type Order = ThreadEnd | { /** Set to 1, and notified, when the pause begins. */ readonly pause: Int32Array };

/** Names that end so are never resolved, and never refused. */
export const neverResolved = '.never-resolved';

const pauseMs = 1500;

interface NetworkData {
  readonly attachment: { readonly responseRing: SharedArrayBuffer; readonly applicationDoorbell: SharedArrayBuffer };
}

/** What the network thread was given; null in every other thread. */
const network = !isMainThread && workerData !== null && 'attachment' in workerData ? (workerData as NetworkData) : null;

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
  // The thread itself goes on: what the application reads is what is wrong.
  corrupt: () => {
    const { responseRing, applicationDoorbell } = network!.attachment;
    Atomics.add(new Int32Array(responseRing), TAIL_WORD, 4);
    new Doorbell(applicationDoorbell).notify();
  },
};

function pause(begun: Int32Array): void {
  Atomics.store(begun, 0, 1);
  Atomics.notify(begun, 0);
  // Nobody ends this wait.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
}

/** What asks for such a name waits for ever, as behind a name server that is gone. */
function holdLookups(): void {
  const { lookup } = dns;
  const held = (host: string, ...rest: unknown[]): void => {
    if (!host.endsWith(neverResolved)) (lookup as (...args: unknown[]) => void)(host, ...rest);
  };
  Object.assign(dns, { lookup: held });
  syncBuiltinESMExports();
}

if (network !== null) {
  holdLookups();
  const channel = new BroadcastChannel(hookChannel);
  channel.onmessage = (event: unknown) => {
    const order = (event as { data: Order }).data;
    if (typeof order === 'string') ends[order]();
    else pause(order.pause);
  };
  // Not what keeps the thread alive.
  (channel as unknown as { unref(): void }).unref();
}
