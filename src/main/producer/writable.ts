// Owns the stream that writes records to a topic. When the producer is full, the stream slows its source down. Application thread.

import { Writable } from 'node:stream';
import type { DeliveryReport, ProducerRecord } from './producer-types.ts';
import type { BytesInput } from './record-input.ts';

/** Sends the records of one call, up to the first that cannot be written. */
export type SendRecords<K, V> = (records: Iterable<ProducerRecord<K, V>>) => PromiseLike<DeliveryReport>;

export interface WritableOptions {
  /** How many records wait in the stream for room in the producer. Default 16, as in node:stream. */
  readonly highWaterMark?: number | undefined;
}

/**
 * A stream in object mode. A chunk is a record, or bytes or text for the value of a record. The stream slows its source down when the
 * producer has no room. It finishes when every record is in the log. The first record that fails destroys the stream with its error. A
 * stream that is destroyed takes no more records; records that were taken are still delivered.
 */
export function writableOf<K, V>(send: SendRecords<K, V>, options: WritableOptions): Writable {
  const underWay = new Set<Promise<void>>();
  const stream = new Writable({
    objectMode: true,
    ...(options.highWaterMark === undefined ? {} : { highWaterMark: options.highWaterMark }),
    writev(chunks, callback) {
      const records = chunks.map(({ chunk }) => chunk as unknown);
      deliver(records, callback);
    },
    final(callback) {
      Promise.all(underWay).then(() => callback(), callback);
    },
  });

  function deliver(chunks: readonly unknown[], taken: (error?: Error) => void): void {
    function* records(): Generator<ProducerRecord<K, V>> {
      for (const chunk of chunks) {
        if (stream.destroyed) return;
        yield recordOf<K, V>(chunk);
      }
      // The stream asks for more records, because the producer has room for these.
      taken();
    }
    const delivery = (async () => {
      const { failures } = await send(records());
      if (failures.length > 0) throw failures[0]!.error;
    })();
    underWay.add(delivery);
    delivery.then(
      () => underWay.delete(delivery),
      (error: Error) => stream.destroy(error),
    );
  }

  return stream;
}

function recordOf<K, V>(chunk: unknown): ProducerRecord<K, V> {
  const isBytes = typeof chunk === 'string' || chunk instanceof Uint8Array;
  return isBytes ? { value: chunk as BytesInput as V } : (chunk as ProducerRecord<K, V>);
}
