// Owns the writing of records to produce into flat memory: each form that callers may give becomes a stream or raw bytes.
// Runs on the caller's thread, inside the call that sends. Must not allocate per record, nor know the wire format.

import { IllegalStateError, InvalidRequestError } from '../../../common/errors/errors.ts';
import { isWellFormed, shown } from '../../../common/text.ts';
import type { FlatWriter } from '../flat-writer.ts';
import type { Int64 } from '../inputs.ts';
import { int64Parts } from '../int64.ts';
import { writeBatchSettings } from './record-batch-settings.ts';
import { wrongInput } from './record-inputs.ts';
import {
  type CompressionType,
  DATA_OFFSET_WORD,
  FORM_NULL,
  FORM_RAW,
  FORM_STREAM,
  FORM_WORD,
  RECORD_COUNT_WORD,
  RECORDS_WORDS,
  STREAM_HEAD_BYTES,
  STREAM_HEADER_HEAD_BYTES,
} from './records-slot.ts';

/** Bytes, or text that is written as UTF-8; null is a null key, or a tombstone. */
export type RecordBytes = Uint8Array | string | null;

/** Header values, by name or in order; a name may occur twice only in a list. */
export type RecordHeadersInput =
  | Iterable<{ readonly key: string; readonly value: RecordBytes } | readonly [key: string, value: RecordBytes]>
  | Readonly<Record<string, RecordBytes>>;

/** One record as an object. */
export interface RecordInput {
  /** Default null. */
  readonly key?: RecordBytes | undefined;
  readonly value: RecordBytes;
  readonly headers?: RecordHeadersInput | null | undefined;
  /** Ms since the epoch; default now. */
  readonly timestamp?: Int64 | undefined;
}

/** Appends all records before it returns. */
export type RecordsCallback = (writer: RecordWriter) => void;

/** Records and how their batch is to be made. */
export interface RecordBatchInput {
  readonly records: Iterable<RecordInput> | RecordsCallback;
  /** Default `none`. `zstd` needs Produce 7 or newer. */
  readonly compression?: CompressionType | undefined;
  /** Of gzip, 1 to 9, or zstd, -131072 to 22; values outside become the nearest inside. Default: the codec's own. */
  readonly level?: number | undefined;
  /** int64; default -1, not idempotent. */
  readonly producerId?: Int64 | undefined;
  /** int16; default -1. */
  readonly producerEpoch?: number | undefined;
  /** int32, sequence number of the first record; default -1. */
  readonly baseSequence?: number | undefined;
  readonly isTransactional?: boolean | undefined;
  /** For test brokers: whether the records are markers, their base offset and leader epoch. Defaults: false, 0, -1. */
  readonly isControl?: boolean | undefined;
  readonly baseOffset?: Int64 | undefined;
  readonly partitionLeaderEpoch?: number | undefined;
}

/**
 * What a `records` field of a request takes: finished batches as bytes, sent as they are; a list of records; a callback
 * that appends them; or either with the settings of the batch. All but bytes become one batch, in the format that the
 * version of the request demands.
 */
export type RecordsInput = Uint8Array | Iterable<RecordInput> | RecordsCallback | RecordBatchInput;

/** Up to this many bytes a loop beats a call into native code (bench/micro/records.ts). */
const shortBytes = 12;
/** The same for text, which costs more per character in a loop. */
const shortText = 10;
/** Text up to this length gets room for the worst case, three bytes a unit. Longer text is measured first. */
const unmeasuredText = 8192;
/** Memory is taken in steps, so that most records need no check. */
const minStep = 256;
const maxStep = 4096;
/** Limit of the guessed size of a list: the first record may be far larger than the others. */
const maxExpectedBytes = 4 * 1024 * 1024;
/** A reading of the clock serves this many records: it costs as much as half a record. */
const recordsPerClockReading = 16;

/**
 * Appends records straight into the request, without an object for each.
 *
 *     client.send(node, Produce, { ..., records: (writer) => { for (const line of lines) writer.append(null, line); } });
 *
 * Valid only during the callback that it was given to.
 */
export class RecordWriter {
  #w: FlatWriter;
  #u8: Uint8Array;
  #i32: Int32Array;
  /** Over the memory of `#u8`; made when text needs it. */
  #text: Buffer | null = null;
  readonly #start: number;
  /** Where the next record goes, and the end of the memory taken, in bytes of the message. */
  #at: number;
  #room: number;
  #count = 0;
  #now = 0;
  #clockReadings = 0;
  #timestamp = 0;
  #timestampLow = 0;
  #timestampHigh = 0;

  /** Internal: callers get one from a records callback. */
  constructor(w: FlatWriter) {
    this.#w = w;
    this.#u8 = w.u8;
    this.#i32 = w.i32;
    this.#start = w.allocDirty(0) * 4;
    this.#at = this.#start;
    this.#room = this.#start;
  }

  /** Records appended so far. */
  get count(): number {
    return this.#count;
  }

  /** Bytes taken so far; about what the batch will have uncompressed, or up to 12 bytes more per record. */
  get byteLength(): number {
    return this.#at - this.#start;
  }

  /**
   * Appends one record.
   * @param timestamp  ms since the epoch: Long, bigint or safe integer; default: now, to within a few records
   * Throws: InvalidRequestError naming record and field; IllegalStateError after the callback has returned
   */
  append(
    key: RecordBytes | undefined,
    value: RecordBytes,
    timestamp?: Int64,
    headers?: RecordHeadersInput | null,
  ): void {
    const hasKey = key !== null && key !== undefined;
    const keyRoom = !hasKey ? 0 : this.#roomFor(key, 'key');
    const valueRoom = value === null ? 0 : this.#roomFor(value, 'value');
    const needed = STREAM_HEAD_BYTES + keyRoom + valueRoom + 4;
    if (this.#at + needed > this.#room) this.#makeRoom(this.#at, needed);
    const start = this.#at;
    if (timestamp === undefined) this.#setNow();
    else if (timestamp !== this.#timestamp) this.#setTimestamp(timestamp);
    let at = start + STREAM_HEAD_BYTES;
    const keyLength = !hasKey ? -1 : this.#put(key, at, keyRoom, 'key');
    if (keyLength > 0) at += keyLength;
    const valueLength = value === null ? -1 : this.#put(value, at, valueRoom, 'value');
    if (valueLength > 0) at += valueLength;
    let headerCount = 0;
    if (headers !== undefined && headers !== null) {
      headerCount = this.#putHeaders(headers, at);
      at = this.#at;
    }
    const i32 = this.#i32;
    const head = this.#w.wordBase + (start >>> 2);
    i32[head] = this.#timestampLow;
    i32[head + 1] = this.#timestampHigh;
    i32[head + 2] = keyLength;
    i32[head + 3] = valueLength;
    i32[head + 4] = headerCount;
    this.#at = (at + 3) & ~3;
    this.#count++;
  }

  /** Internal: where the stream starts, in bytes of the message. */
  get offset(): number {
    return this.#start;
  }

  /** Internal: ends the stream. */
  close(): void {
    this.#w.truncate(this.#at);
    this.#room = -1;
    this.#text = null;
  }

  /** Bytes that `value` may take. */
  #roomFor(value: Uint8Array | string, field: string): number {
    if (typeof value === 'string') {
      const length = value.length;
      return length <= unmeasuredText ? length * 3 : Buffer.byteLength(value);
    }
    if (value instanceof Uint8Array) return value.length;
    throw this.#invalid(field, value, 'a Uint8Array, a string or null');
  }

  /** Writes at byte `at`, where `room` is enough, and returns the length. */
  #put(value: Uint8Array | string, at: number, room: number, field: string): number {
    const to = this.#w.byteBase + at;
    const length = value.length;
    if (typeof value === 'string') return this.#putText(value, to, room, field);
    if (length <= shortBytes) {
      const u8 = this.#u8;
      for (let i = 0; i < length; i++) u8[to + i] = value[i]!;
    } else {
      this.#u8.set(value, to);
    }
    return length;
  }

  #putText(value: string, to: number, room: number, field: string): number {
    const length = value.length;
    if (length <= shortText) {
      const u8 = this.#u8;
      let i = 0;
      for (; i < length; i++) {
        const unit = value.charCodeAt(i);
        if (unit > 127) break;
        u8[to + i] = unit;
      }
      if (i === length) return length;
    }
    const u8 = this.#u8;
    this.#text ??= Buffer.from(u8.buffer, u8.byteOffset, u8.byteLength);
    const written = this.#text.write(value, to, room);
    if (written !== length && !isWellFormed(value))
      throw this.#invalid(field, value, 'text without half surrogate pairs');
    return written;
  }

  /** Leaves `#at` after the headers; a record that fails leaves it before the record. */
  #putHeaders(headers: RecordHeadersInput, at: number): number {
    const start = this.#at;
    this.#at = at;
    try {
      return this.#putEachHeader(headers);
    } catch (error) {
      this.#at = start;
      throw error;
    }
  }

  #putEachHeader(headers: RecordHeadersInput): number {
    if (typeof headers !== 'object') throw this.#invalid('headers', headers, 'a list or an object');
    let count = 0;
    if (Symbol.iterator in headers) {
      for (const header of headers) {
        if (typeof header !== 'object' || header === null) {
          throw this.#invalid(`headers[${count}]`, header, 'a pair or an object with key and value');
        }
        if (Array.isArray(header)) this.#putHeader(header[0], header[1], count++);
        else this.#putHeader((header as { key: string }).key, (header as { value: RecordBytes }).value, count++);
      }
    } else {
      for (const key of Object.keys(headers)) this.#putHeader(key, headers[key] as RecordBytes, count++);
    }
    return count;
  }

  #putHeader(key: string, value: RecordBytes, index: number): void {
    if (typeof key !== 'string') throw this.#invalid(`headers[${index}].key`, key, 'a string');
    const field = `headers[${index}].value`;
    const keyRoom = this.#roomFor(key, field);
    const valueRoom = value === null ? 0 : this.#roomFor(value, field);
    const needed = STREAM_HEADER_HEAD_BYTES + keyRoom + valueRoom + 4;
    if (this.#at + needed > this.#room) this.#makeRoom(this.#at, needed);
    let at = this.#at + STREAM_HEADER_HEAD_BYTES;
    const keyLength = this.#put(key, at, keyRoom, `headers[${index}].key`);
    at += keyLength;
    const valueLength = value === null ? -1 : this.#put(value, at, valueRoom, field);
    if (valueLength > 0) at += valueLength;
    this.#putLength(this.#at, keyLength);
    this.#putLength(this.#at + 4, valueLength);
    this.#at = at;
  }

  /** Little-endian, wherever it stands. */
  #putLength(at: number, length: number): void {
    const to = this.#w.byteBase + at;
    const u8 = this.#u8;
    u8[to] = length;
    u8[to + 1] = length >>> 8;
    u8[to + 2] = length >>> 16;
    u8[to + 3] = length >>> 24;
  }

  /** Takes memory so that `needed` bytes fit at `at`. */
  #makeRoom(at: number, needed: number): void {
    if (this.#room < 0) throw new IllegalStateError('record writer used after its callback had returned');
    const w = this.#w;
    w.truncate(at);
    const step = Math.max(needed, Math.min(Math.max(at - this.#start, minStep), maxStep));
    w.allocBytes(step);
    this.#room = at + step;
    if (this.#u8 !== w.u8) {
      this.#u8 = w.u8;
      this.#i32 = w.i32;
      this.#text = null;
    }
  }

  #setNow(): void {
    if (this.#clockReadings-- <= 0) {
      this.#clockReadings = recordsPerClockReading - 1;
      this.#now = Date.now();
    }
    if (this.#now !== this.#timestamp) this.#setTimestamp(this.#now);
  }

  #setTimestamp(timestamp: Int64): void {
    const parts = int64Parts(timestamp);
    if (parts === null) throw this.#invalid('timestamp', timestamp, 'ms as a Long, a bigint or a safe integer');
    this.#timestampLow = parts.low;
    this.#timestampHigh = parts.high;
    this.#timestamp = typeof timestamp === 'number' ? timestamp : Number.NaN;
  }

  #invalid(field: string, value: unknown, expected: string): InvalidRequestError {
    const what = value === undefined ? `missing, must be ${expected}` : `${shown(value)} is not ${expected}`;
    return new InvalidRequestError(`record ${this.#count}, ${field}: ${what}`, { field: `[${this.#count}].${field}` });
  }
}

/**
 * Fills the slot with what the caller gave. Throws: InvalidRequestError, its `field` counted from the records field;
 * whatever a callback throws.
 */
export function writeRecords(w: FlatWriter, slotWord: number, input: RecordsInput | null): void {
  const at = w.wordBase + slotWord;
  w.i32.fill(0, at, at + RECORDS_WORDS);
  if (input === null) {
    w.setInt32(slotWord + FORM_WORD, FORM_NULL);
  } else if (input instanceof Uint8Array) {
    w.setInt32(slotWord + FORM_WORD, FORM_RAW);
    w.bytes(slotWord + DATA_OFFSET_WORD, input);
  } else if (typeof input === 'function' || (typeof input === 'object' && Symbol.iterator in input)) {
    writeBatch(w, slotWord, { records: input });
  } else if (typeof input === 'object') {
    writeBatch(w, slotWord, input);
  } else {
    throw wrongInput('', input, 'bytes, a list of records, a callback, an object with `records`, or null');
  }
}

function writeBatch(w: FlatWriter, slotWord: number, batch: RecordBatchInput): void {
  writeBatchSettings(w, slotWord, batch);
  const { records } = batch;
  const writer = new RecordWriter(w);
  try {
    if (typeof records === 'function') callBack(records, writer);
    else if (typeof records === 'object' && records !== null && Symbol.iterator in records)
      appendAll(w, writer, records);
    else throw wrongInput('records', records, 'a list of records or a callback');
  } finally {
    writer.close();
  }
  if (writer.count === 0) {
    // An empty list is sent as no bytes.
    writeRecords(w, slotWord, new Uint8Array(0));
    return;
  }
  w.setInt32(slotWord + FORM_WORD, FORM_STREAM);
  w.setInt64(slotWord + DATA_OFFSET_WORD, writer.offset, writer.byteLength);
  w.setInt32(slotWord + RECORD_COUNT_WORD, writer.count);
}

function callBack(records: RecordsCallback, writer: RecordWriter): void {
  const result: unknown = records(writer);
  if (typeof result === 'object' && result !== null && 'then' in result) {
    throw wrongInput('', result, 'nothing: a records callback must append before it returns, not later');
  }
}

function appendAll(w: FlatWriter, writer: RecordWriter, records: Iterable<RecordInput>): void {
  const known = Array.isArray(records) ? records.length : 0;
  for (const record of records) {
    if (typeof record !== 'object' || record === null) {
      throw wrongInput(`[${writer.count}]`, record, 'an object with key and value');
    }
    if ('records' in record && !('value' in record)) {
      const what =
        'a batch in a list, where records are expected; give the batch itself: records: { records, compression }';
      throw new InvalidRequestError(`[${writer.count}]: ${what}`, { field: `[${writer.count}]` });
    }
    writer.append(record.key, record.value, record.timestamp, record.headers);
    // One move of the message to its likely size, where records are alike.
    if (writer.count === 1 && known > 1) {
      const likelyBytes = Math.min(writer.byteLength * known, maxExpectedBytes);
      w.expectedBytes = Math.max(w.expectedBytes, w.messageBytes + likelyBytes);
    }
  }
}
