// Owns work that keeps a thread 90 % busy in blocks of 20 ms: the calling thread, or another one, which takes as much of the processors and
// does not block the caller. Main thread, and the thread that it starts.

import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

export const busyBlockMs = 20;
const idleShareOfBlock = 1 / 9;

/** Returns a function that ends it. */
export function keepBusy(): () => void {
  let isOver = false;
  const block = (): void => {
    if (isOver) return;
    for (const end = performance.now() + busyBlockMs; performance.now() < end; );
    setTimeout(block, busyBlockMs * idleShareOfBlock);
  };
  block();
  return () => {
    isOver = true;
  };
}

const role = 'busy thread';

/** Another thread that can be kept busy. */
export class BusyThread {
  readonly #worker = new Worker(fileURLToPath(import.meta.url), { workerData: role });

  /** Returns a function that ends it. */
  keepBusy(): () => void {
    this.#worker.postMessage(true);
    return () => this.#worker.postMessage(false);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

if (!isMainThread && workerData === role) {
  let stop = (): void => {};
  parentPort!.on('message', (isBusy: boolean) => {
    stop();
    stop = isBusy ? keepBusy() : () => {};
  });
}
