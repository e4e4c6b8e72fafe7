// Owns the reading of records out of flat memory, lazily. Runs on the application's thread. Must not parse ahead: a
// record costs nothing until it is asked for.

import type Long from 'long';
import {
  CorruptRecordError,
  IllegalStateError,
  type KafkaClientError,
  UnsupportedCodecError,
} from '../../../common/errors/errors.ts';
import { shown } from '../../../common/text.ts';
import { BufferOver, type FlatArray, type FlatMessage, FlatArray as Rows } from '../flat-view.ts';
import type { Int64 } from '../inputs.ts';
import { type Inspect, inspectCustom, inspected } from '../inspected.ts';
import { int64Parts, longOf } from '../int64.ts';
import { type RecordBatchView, readBatch } from './record-batch-view.ts';
import { RecordCursor } from './record-cursor.ts';
import { type RecordHeader, readHeaders } from './record-headers.ts';
import {
  BATCH_COUNT_WORD,
  BATCH_ROW_WORDS,
  BATCHES_WORD,
  DATA_LENGTH_WORD,
  DATA_OFFSET_WORD,
  ERROR_CODE_WORD,
  ERROR_TEXT_WORD,
  FAULTY_OFFSET_WORD,
  FORM_LENT,
  FORM_NULL,
  FORM_RAW,
  FORM_ROWS,
  FORM_WORD,
  NEXT_OFFSET_WORD,
  RECORD_COUNT_WORD,
  RECORD_ROW_WORDS,
  RECORDS_ERROR_NONE,
  RECORDS_ERROR_UNSUPPORTED_CODEC,
  ROW_HEADER_COUNT_WORD,
  ROW_HEADERS_WORD,
  ROW_KEY_LENGTH_WORD,
  ROW_KEY_WORD,
  ROW_OFFSET_WORD,
  ROW_TIMESTAMP_WORD,
  ROW_VALUE_LENGTH_WORD,
  ROW_VALUE_WORD,
  ROWS_WORD,
  TAIL_BYTES_WORD,
} from './records-slot.ts';

/** One record. Its key and value are slices of the message and keep it in memory; copy them to keep them for long. */
export class RecordView {
  readonly #message: FlatMessage;
  readonly #word: number;
  #headers: RecordHeader[] | null = null;

  /** Internal: a records view makes them. */
  constructor(message: FlatMessage, word: number) {
    this.#message = message;
    this.#word = word;
  }

  get offset(): Long {
    return this.#message.int64(this.#word + ROW_OFFSET_WORD);
  }

  /** Ms since the epoch; -1 for none, as in the oldest format. */
  get timestamp(): Long {
    return this.#message.int64(this.#word + ROW_TIMESTAMP_WORD);
  }

  get key(): Buffer | null {
    const length = this.#message.int32(this.#word + ROW_KEY_LENGTH_WORD);
    return length < 0 ? null : this.#message.slice(this.#message.int32(this.#word + ROW_KEY_WORD), length);
  }

  /** Null is a tombstone. */
  get value(): Buffer | null {
    const length = this.#message.int32(this.#word + ROW_VALUE_LENGTH_WORD);
    return length < 0 ? null : this.#message.slice(this.#message.int32(this.#word + ROW_VALUE_WORD), length);
  }

  /** In order of the wire; a key may occur more than once. */
  get headers(): readonly RecordHeader[] {
    this.#headers ??= readHeaders(
      this.#message,
      this.#message.int32(this.#word + ROW_HEADERS_WORD),
      this.#message.int32(this.#word + ROW_HEADER_COUNT_WORD),
    );
    return this.#headers;
  }

  toObject(): Record<string, unknown> {
    const { offset, timestamp, key, value, headers } = this;
    return { offset, timestamp, key, value, headers };
  }

  toJSON(): Record<string, unknown> {
    return this.toObject();
  }

  [inspectCustom](_depth: number, options: object, inspect: Inspect): string {
    return `RecordView ${inspected(() => this.toObject(), options, inspect)}`;
  }
}

const readRecord = (message: FlatMessage, word: number): RecordView => new RecordView(message, word);

/**
 * The records of one partition, from whatever batches they came in.
 *
 * A fault in them fails neither the response nor other partitions. `error` describes it; records before it are here.
 */
export class RecordsView implements Iterable<RecordView> {
  readonly #message: FlatMessage;
  readonly #word: number;
  readonly #form: number;
  #error: KafkaClientError | null = null;

  /** Internal: generated views make it, of the slot at `word`. */
  constructor(message: FlatMessage, word: number) {
    this.#message = message;
    this.#word = word;
    this.#form = message.int32(word + FORM_WORD);
  }

  /** The field was null. Brokers mean "no data" by it. */
  get isNull(): boolean {
    return this.#form === FORM_NULL;
  }

  /** Number of records; 0 also when they were kept raw. Control records do not count. */
  get length(): number {
    return this.#form === FORM_ROWS ? this.#message.int32(this.#word + RECORD_COUNT_WORD) : 0;
  }

  /**
   * What ended the records early, or null: CorruptRecordError (checksum, contradiction, or too large decompressed) or
   * UnsupportedCodecError. The position stays there, and later batches are not read, until the caller decides.
   */
  get error(): KafkaClientError | null {
    if (this.#form !== FORM_ROWS || this.#error !== null) return this.#error;
    const code = this.#message.int32(this.#word + ERROR_CODE_WORD);
    if (code === RECORDS_ERROR_NONE) return null;
    const text = this.#message.string(this.#word + ERROR_TEXT_WORD);
    this.#error =
      code === RECORDS_ERROR_UNSUPPORTED_CODEC ? new UnsupportedCodecError(text) : new CorruptRecordError(text);
    return this.#error;
  }

  /** Base offset that the faulty batch claims; null without error. */
  get faultyOffset(): Long | null {
    return this.error === null ? null : this.#message.int64(this.#word + FAULTY_OFFSET_WORD);
  }

  /** Offset of the next fetch, past control records and compacted records. -1: nothing came, so fetch the same offset again. */
  get nextOffset(): Long {
    if (this.#form === FORM_NULL) return longOf(-1, -1);
    return this.#message.int64(this.#word + NEXT_OFFSET_WORD);
  }

  /**
   * Bytes after the last whole batch that was read: a batch cut off by a limit, which is normal. If there are any and
   * `batches` is empty, the fetch's limit was below the size of the first batch.
   */
  get tailBytes(): number {
    if (this.#form === FORM_NULL) return 0;
    return this.#message.int32(this.#word + TAIL_BYTES_WORD);
  }

  /** The field's bytes as received, if the client was told to keep them raw; else null. */
  get raw(): Buffer | null {
    const offset = this.#message.int32(this.#word + DATA_OFFSET_WORD);
    const length = this.#message.int32(this.#word + DATA_LENGTH_WORD);
    if (this.#form === FORM_RAW) return this.#message.slice(offset, length);
    if (this.#form !== FORM_LENT) return null;
    const { lent } = this.#message;
    if (lent === null) throw new IllegalStateError('the frame in which these records were has been given back');
    return new BufferOver(lent.buffer, lent.byteOffset + offset, length);
  }

  /** The batches that the records came in, control batches included, in order. */
  get batches(): FlatArray<RecordBatchView> {
    const isDecoded = this.#form === FORM_ROWS;
    const first = isDecoded ? this.#message.int32(this.#word + BATCHES_WORD) : 0;
    const count = isDecoded ? this.#message.int32(this.#word + BATCH_COUNT_WORD) : 0;
    return new Rows(this.#message, first, count, BATCH_ROW_WORDS, readBatch);
  }

  /** Says that the records are read again later, after a cursor has passed all of them. So their memory does not go back by itself. */
  keep(): this {
    this.#message.isKept = true;
    return this;
  }

  /**
   * The fast way over all records, see RecordCursor. When cursors have passed all records of a big response, the records can be read again
   * until the client's next poll, or until this turn of the event loop ends. Then their memory goes back. Other fields can be read for ever.
   * @param fromOffset  int64; records below it are passed over: a batch may start before the offset that was fetched
   * Throws: TypeError unless it is a Long, a bigint or a safe integer
   */
  cursor(fromOffset?: Int64): RecordCursor {
    const cursor = new RecordCursor(this.#message, this.#firstRow, this.length, this.#word);
    if (fromOffset !== undefined) {
      const from = int64Parts(fromOffset);
      if (from === null) throw new TypeError(`fromOffset ${shown(fromOffset)} is not an int64`);
      cursor.skipTo(from.low, from.high);
    }
    return cursor;
  }

  /** The fast way over some of them. Throws: RangeError unless the range lies within them. */
  cursorOver({ first, count }: { readonly first: number; readonly count: number }): RecordCursor {
    if (!Number.isInteger(first) || !Number.isInteger(count) || first < 0 || count < 0 || first + count > this.length) {
      throw new RangeError(`${count} records from ${first} on, there are ${this.length}`);
    }
    const slotWord = count === this.length ? this.#word : -1;
    return new RecordCursor(this.#message, this.#firstRow + first * RECORD_ROW_WORDS, count, slotWord);
  }

  /** Throws: RangeError unless 0 <= index < length. */
  at(index: number): RecordView {
    return this.#rows.at(index);
  }

  *[Symbol.iterator](): IterableIterator<RecordView> {
    const first = this.#firstRow;
    const { length } = this;
    this.#message.isKept = true;
    for (let i = 0; i < length; i++) yield new RecordView(this.#message, first + i * RECORD_ROW_WORDS);
  }

  forEach(visit: (record: RecordView, index: number) => void): void {
    this.#rows.forEach(visit);
  }

  map<U>(convert: (record: RecordView, index: number) => U): U[] {
    return this.#rows.map(convert);
  }

  toArray(): RecordView[] {
    return this.#rows.toArray();
  }

  /** The records as plain objects; raw bytes where they were kept so; null for null. */
  toObject(): unknown {
    if (this.isNull) return null;
    return this.raw ?? this.map((record) => record.toObject());
  }

  toJSON(): unknown {
    return this.toObject();
  }

  [inspectCustom](_depth: number, options: object, inspect: Inspect): string {
    const { error } = this;
    return `RecordsView ${inspected(() => this.toObject(), options, inspect)}${error === null ? '' : ` ${inspect(error, options)}`}`;
  }

  get #firstRow(): number {
    return this.#form === FORM_ROWS ? this.#message.int32(this.#word + ROWS_WORD) : 0;
  }

  /** For views that the application may keep. */
  get #rows(): FlatArray<RecordView> {
    this.#message.isKept = true;
    return new Rows(this.#message, this.#firstRow, this.length, RECORD_ROW_WORDS, readRecord);
  }
}
