// Owns the types in which callers pass the parts of a record, and their sizes. Application thread.

import { SerializationError } from '../../common/errors/errors.ts';
import { maxInt32 } from '../../common/numbers.ts';
import { unknownName } from '../../common/options.ts';
import { LINGER_WHILE_BUSY } from '../../common/record-tracking.ts';
import { isWellFormed, shown } from '../../common/text.ts';
import { isTopicName, topicNameRule } from '../../common/topic-names.ts';

/** Bytes, or a text that is written as UTF-8. */
export type BytesInput = Uint8Array | string;

/** A list of headers in their order, in which names may repeat, or an object by name. A value may be null. */
export type HeadersInput =
  | Iterable<
      { readonly key: string; readonly value: BytesInput | null } | readonly [key: string, value: BytesInput | null]
    >
  | Readonly<Record<string, BytesInput | null>>;

export type HeaderPair = readonly [name: string, value: BytesInput | null];

const maxVarintBytes = 5;
/** A text of up to this length gets room for the worst case, three bytes per unit. A longer text is measured first. */
const unmeasuredText = 4096;

/** The largest size that a key or value can take. Throws a TypeError that names the field for anything but bytes, text or null. */
export function boundOf(bytes: BytesInput | null, field: string): number {
  if (bytes === null) return 0;
  if (typeof bytes === 'string') {
    if (!isWellFormed(bytes)) {
      throw new TypeError(`${field} is a text with half of a surrogate pair, which UTF-8 cannot encode`);
    }
    return bytes.length <= unmeasuredText ? bytes.length * 3 : Buffer.byteLength(bytes);
  }
  if (bytes instanceof Uint8Array) return bytes.length;
  throw new TypeError(`${field} must be a string, a Uint8Array or null, not ${shown(bytes)}`);
}

export function boundOfHeaders(headers: readonly HeaderPair[]): number {
  let bytes = 0;
  for (const [name, value] of headers) {
    bytes += 2 * maxVarintBytes + boundOf(name, 'the name of a header') + boundOf(value, `header '${name}'`);
  }
  return bytes;
}

/** The bytes of a record, without a few of its lengths. */
export function exactBytes(
  key: BytesInput | null,
  value: BytesInput | null,
  headers: readonly HeaderPair[] | null,
): number {
  let bytes = 3 * maxVarintBytes + lengthOf(key) + lengthOf(value);
  for (const [name, each] of headers ?? []) bytes += 2 * maxVarintBytes + lengthOf(name) + lengthOf(each);
  return bytes;
}

const recordFields = ['key', 'value', 'headers', 'timestamp', 'partition'];

/** Throws TypeError for anything but an object, and for a field that records do not have: one that is misspelt would be one that is missing. */
export function checkRecord(record: object): void {
  if (typeof record !== 'object' || record === null)
    throw new TypeError(`record must be an object, not ${shown(record)}`);
  // Quicker than a list of names for each record.
  for (const name in record) {
    if (name === 'value' || name === 'key' || name === 'partition' || name === 'headers' || name === 'timestamp')
      continue;
    if (Object.hasOwn(record, name)) throw unknownName('a record has an unknown field', name, recordFields);
  }
}

/** The headers as a list of pairs, in their order. Throws TypeError for anything but headers. */
export function headerPairs(headers: HeadersInput | null | undefined): readonly HeaderPair[] | null {
  if (headers === null || headers === undefined) return null;
  if (typeof headers !== 'object') throw new TypeError(`headers must be an object or a list, not ${typeof headers}`);
  const entries: readonly unknown[] = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  return entries.map((entry, index) => {
    const pair = entry as { readonly [at: number | string]: unknown };
    const [name, value] = Array.isArray(entry) ? [pair[0], pair[1]] : [pair?.key, pair?.value];
    if (typeof name !== 'string')
      throw new TypeError(`headers[${index}]: the name must be a string, not ${shown(name)}`);
    return [name, (value ?? null) as BytesInput | null];
  });
}

/** In ms since the epoch, or NaN for none. Throws TypeError for anything but an integer from 0 on. */
export function timestampOf(timestamp: number | undefined): number {
  if (timestamp === undefined) return Number.NaN;
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw new TypeError(`timestamp must be a whole number of ms since the epoch, 0 or more, not ${shown(timestamp)}`);
  }
  return timestamp;
}

/** The partition, or -1 for none. Throws TypeError for anything but an int32 from 0 on. */
export function partitionOf(partition: number | undefined): number {
  if (partition === undefined) return -1;
  if (!Number.isInteger(partition) || partition < 0 || partition > maxInt32) {
    throw new TypeError(`partition must be an integer from 0 to ${maxInt32}, not ${shown(partition)}`);
  }
  return partition;
}

/** The value of `lingerMs` for a record's frame. Throws TypeError for anything but an int32 from 0 on. */
export function lingerOf(lingerMs: number | undefined): number {
  if (lingerMs === undefined) return LINGER_WHILE_BUSY;
  if (!Number.isInteger(lingerMs) || lingerMs < 0 || lingerMs > maxInt32) {
    throw new TypeError(`lingerMs must be an integer from 0 to ${maxInt32}, not ${shown(lingerMs)}`);
  }
  return lingerMs;
}

/** Throws TypeError for anything but a function or what can be iterated, now or in time. Text is iterable, but has no records. */
export function checkSource(records: unknown): void {
  if (typeof records === 'function') return;
  const isIterable =
    typeof records === 'object' && records !== null && (Symbol.iterator in records || Symbol.asyncIterator in records);
  if (!isIterable) throw new TypeError(`records must be a list, an iterable or a function, not ${shown(records)}`);
}

/** The size of a record for which there is to be room. Throws TypeError for anything but an integer from 0 on. */
export function sizeOf(bytes: number): number {
  if (!Number.isSafeInteger(bytes) || bytes < 0)
    throw new TypeError(`bytes must be an integer, 0 or more, not ${shown(bytes)}`);
  return bytes;
}

/** Throws TypeError for anything but a string, and RangeError for a name that Kafka does not allow. */
export function checkTopic(topic: string): void {
  if (typeof topic !== 'string') throw new TypeError(`topic must be a string, not ${shown(topic)}`);
  if (!isTopicName(topic))
    throw new RangeError(`topic name '${String(topic).slice(0, 80)}' is invalid: ${topicNameRule}`);
}

/** The bytes that a serializer makes from a key or value. Without a serializer, the value must be bytes. Throws SerializationError. */
export function serialized<T>(
  serialize: ((value: T, topic: string) => BytesInput | null | Promise<BytesInput | null>) | undefined,
  value: T | null,
  topic: string,
): BytesInput | null | Promise<BytesInput | null> {
  if (serialize === undefined) return value as BytesInput | null;
  if (value === null) return null;
  try {
    return serialize(value, topic);
  } catch (cause) {
    throw serializationError(topic, cause);
  }
}

export function serializationError(topic: string, cause: unknown): SerializationError {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new SerializationError(`the serializer failed: ${what}`, { topic, cause, maybeWritten: false });
}

function lengthOf(bytes: BytesInput | null): number {
  if (bytes === null) return 0;
  return typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
}
