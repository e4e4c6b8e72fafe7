// Owns the other thread of the stress tests: a worker that plays one role after another. When this file is the worker's
// entry it serves jobs; when a test imports it, it starts that worker.

import { once } from 'node:events';
import { parentPort, type Transferable, Worker } from 'node:worker_threads';
import { type Job, play } from './roles.ts';

/** The other thread, seen from the test's. */
export class Peer {
  readonly worker = new Worker(new URL(import.meta.url));

  /** Resolves when the peer has played the job; rejects with what it threw, or when its thread ends. */
  async play(job: Job, transfer: readonly Transferable[] = []): Promise<void> {
    this.worker.postMessage(job, transfer);
    const controller = new AbortController();
    const { signal } = controller;
    const exit = once(this.worker, 'exit', { signal }).then(([code]) => `the peer's thread ended with code ${code}`);
    try {
      const problem = await Promise.race([once(this.worker, 'message', { signal }).then(([error]) => error), exit]);
      if (problem !== null) throw new Error(`peer: ${problem}`);
    } finally {
      controller.abort();
      exit.catch(() => {});
    }
  }

  /** Starts a job that never ends: whatever the peer says is a failure, of the whole process. */
  start(job: Job, transfer: readonly Transferable[] = []): void {
    this.worker.postMessage(job, transfer);
    this.worker.once('message', (problem) => {
      throw new Error(`peer: ${problem}`);
    });
  }

  async terminate(): Promise<void> {
    await this.worker.terminate();
  }
}

if (parentPort !== null) {
  const parent = parentPort;
  parent.on('message', async (job: Job) => {
    try {
      await play(job);
      parent.postMessage(null);
    } catch (error) {
      parent.postMessage(error instanceof Error ? error.stack : String(error));
    }
  });
}
