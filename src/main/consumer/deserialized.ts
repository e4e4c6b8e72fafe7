// Owns the reading of a batch by deserializers. Application thread. Nothing is read before it is asked for.

import type Long from 'long';
import { RecordDeserializationError } from '../../common/errors/errors.ts';
import type { RecordView } from '../../protocol/flat/records/record-view.ts';

/** Where a record is from. */
export interface RecordOrigin {
  readonly topic: string;
  readonly partition: number;
  readonly record: RecordView;
}

/** Makes a value from the bytes of a key or value, which are a slice of the batch. It is not called for null. It must not return a promise. */
export type Deserializer<T> = (bytes: Buffer, origin: RecordOrigin) => T;

export interface Deserializers<K, V> {
  /** Default: the bytes. */
  readonly key?: Deserializer<K> | undefined;
  readonly value?: Deserializer<V> | undefined;
}

export interface DeserializedRecord<K, V> {
  readonly offset: Long;
  readonly key: K | null;
  readonly value: V | null;
  /** The record itself: timestamp, headers, bytes. */
  readonly record: RecordView;
}

/** Throws: RecordDeserializationError with topic, partition and offset when a deserializer throws; iterate again to read the records before it */
export function* deserialized<K, V>(
  records: Iterable<RecordView>,
  topic: string,
  partition: number,
  { key: readKey, value: readValue }: Deserializers<K, V>,
): Generator<DeserializedRecord<K, V>, void, void> {
  for (const record of records) {
    const origin = { topic, partition, record };
    yield {
      offset: record.offset,
      key: read('key', record.key, readKey, origin),
      value: read('value', record.value, readValue, origin),
      record,
    };
  }
}

function read<T>(
  what: 'key' | 'value',
  bytes: Buffer | null,
  deserializer: Deserializer<T> | undefined,
  origin: RecordOrigin,
): T | null {
  // Without a deserializer, T is Buffer.
  if (bytes === null || deserializer === undefined) return bytes as T | null;
  try {
    return deserializer(bytes, origin);
  } catch (cause) {
    const { topic, partition, record } = origin;
    const offset = String(record.offset);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RecordDeserializationError(
      `${topic}-${partition}: the ${what} of the record at offset ${offset} cannot be deserialized: ${reason}; call done(offset + 1) or seek past it to go on without it`,
      { topic, partition, recordOffset: offset, cause },
    );
  }
}
