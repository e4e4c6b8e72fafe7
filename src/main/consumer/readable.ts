// Owns the consumer as a stream of batches, which asks for a batch only when its reader wants one. Application thread.

import { Readable } from 'node:stream';
import type { ConsumerBatch } from './consumer-batch.ts';

/** What a stream reads from. */
export interface BatchSource {
  poll(timeoutMs: number, options: { readonly signal: AbortSignal }): Promise<ConsumerBatch | null>;
}

/**
 * A stream in object mode: each chunk is a batch. The stream settles nothing, since a pipeline takes chunks before it deals
 * with them: its last step calls `done`. A stream that is destroyed gives back the batches that are not done.
 */
export function readableOf(source: BatchSource): Readable {
  const stop = new AbortController();
  let unfinished: ConsumerBatch[] = [];
  return new Readable({
    objectMode: true,
    highWaterMark: 0,
    read() {
      source.poll(Number.POSITIVE_INFINITY, { signal: stop.signal }).then(
        (batch) => {
          if (this.destroyed) {
            batch?.giveBack();
            return;
          }
          unfinished = unfinished.filter(({ isDone, lost }) => !isDone && !lost);
          if (batch !== null) unfinished.push(batch);
          this.push(batch);
        },
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, callback) {
      stop.abort();
      for (const batch of unfinished) if (!batch.isDone) batch.giveBack();
      unfinished = [];
      callback(error);
    },
  });
}
