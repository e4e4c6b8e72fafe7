// Owns a worker with an attached client, at work (scripts/attached.ts), as tests use it: its counts, orders and end. Test thread.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { KafkaClient } from '../../../src/index.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { scriptUrl } from './child.ts';
import type { Cleanup } from './client.ts';
import { type AttachedData, type Order, type Said, SUCCEEDED, type Work } from './scripts/attached.ts';

export interface AttachedWorker {
  readonly worker: Worker;
  /** Shared with the worker, although the handle has been sent. */
  readonly requestRing: Int32Array;
  readonly exit: Promise<unknown>;
  readonly problem: Promise<Error>;
  readonly said: Said;
  count(word: number): number;
  tell(order: Order): void;
  /** Resolves after so many more responses. */
  works(more?: number): Promise<void>;
}

/** A worker with a client of its own, at work. */
export async function attachWorker(
  t: Cleanup,
  client: KafkaClient,
  work: Work = 'loop',
  connections?: 'own',
): Promise<AttachedWorker> {
  const handle = client.share();
  const counts = new SharedArrayBuffer(32);
  const workerData: AttachedData = { handle, work, counts, ...(connections && { connections }) };
  const worker = new Worker(new URL(scriptUrl('attached')), { workerData, transferList: [...handle.transferList] });
  t.after(() => worker.terminate());
  const problem = new Promise<Error>((resolve) => worker.once('error', resolve));
  const exit = once(worker, 'exit').catch(() => {});
  const said = await Promise.race([once(worker, 'message'), problem]);
  if (said instanceof Error) throw said;
  const words = new Int32Array(counts);
  return {
    worker,
    requestRing: new Int32Array(handle.application.requestRing),
    exit,
    problem,
    said: said[0] as Said,
    count: (word) => Atomics.load(words, word),
    tell: (order) => worker.postMessage(order),
    async works(more = 20) {
      const from = Atomics.load(words, SUCCEEDED);
      await waitFor('more responses', () => Atomics.load(words, SUCCEEDED) >= from + more);
    },
  };
}
