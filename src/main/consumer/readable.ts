// Owns the stream of a consumer's batches. It asks for a batch only when its reader wants one. Application thread.

import { Readable } from 'node:stream';
import type { ConsumerBatch } from './consumer-batch.ts';

/** The source of a stream. */
export interface BatchSource {
  poll(timeoutMs: number, options: { readonly signal: AbortSignal }): Promise<ConsumerBatch | null>;
}

/**
 * A stream in object mode. Each chunk is a batch. The stream does not mark batches as done, because a pipeline takes chunks before it
 * has processed them. The last step of the pipeline must call `done`. A stream that is destroyed gives back the unfinished batches.
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
          if (batch !== null) {
            // The stream asks for the next one while its reader may still read this one.
            batch.isInUse = true;
            unfinished.push(batch);
          }
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
