// Owns a topic as a stream that takes records: how full the producer is becomes back pressure. Application thread.

import { Writable } from 'node:stream';
import type { DeliveryReport, ProducerRecord } from './producer-types.ts';
import type { BytesInput } from './record-input.ts';

/** What a stream writes to. */
export interface RecordTarget<K, V> {
  sendAll(topic: string, records: Iterable<ProducerRecord<K, V>>): PromiseLike<DeliveryReport>;
}

export interface WritableOptions {
  /** Records that wait in the stream for room in the producer; default 16, as node:stream has it. */
  readonly highWaterMark?: number | undefined;
}

/**
 * A stream in object mode. A chunk is a record, or bytes or text for the value of one. The producer batches the records; the
 * stream slows its source down when the producer has no room. It finishes when every record is in the log. The first record that
 * fails destroys it with that error; records that were taken before are still delivered.
 */
export function writableOf<K, V>(target: RecordTarget<K, V>, topic: string, options: WritableOptions): Writable {
  const underWay = new Set<Promise<void>>();
  const stream = new Writable({
    objectMode: true,
    ...(options.highWaterMark === undefined ? {} : { highWaterMark: options.highWaterMark }),
    write(chunk: unknown, _encoding, callback) {
      deliver([chunk], callback);
    },
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
      for (const chunk of chunks) yield recordOf<K, V>(chunk);
      // Asked for one more: the producer has room for all of these.
      taken();
    }
    const delivery = (async () => {
      const { failures } = await target.sendAll(topic, records());
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
