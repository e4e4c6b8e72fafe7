// Owns the writing of Kafka's primitive types into a growing buffer, mostly straight out of flat messages. Runs in the
// network thread and the codec pool. Must not know any message: generated encoders say what goes where. A flat request lies in memory
// that an application thread can write: every offset, length and count in it is checked before it is used.

import { InvalidRequestError, RingCorruptError } from '../../common/errors/errors.ts';
import { maxInt32 } from '../../common/numbers.ts';
import type { FlatMessage } from '../flat/flat-view.ts';
import { DATA_LENGTH_WORD } from '../flat/records/records-slot.ts';
import { putUnsigned, sizeOfUnsigned } from '../flat/varints.ts';

/** A finished message up to this size is copied out, so that the writer's own buffer serves the next one too. */
export const maxCopiedBytes = 16 * 1024;
const initialBytes = 4 * 1024;
const keptBytes = 64 * 1024;
/** Node's limit for one Buffer is larger, but Kafka's lengths are int32. */
const maxBytes = maxInt32;

/** Up to this many bytes a loop beats a call into native code. */
const shortBytes = 24;

/** Reusable: `finish` gives the message away and starts the next. */
export class WireWriter {
  /** Written so far: `buffer[0, offset)`. `buffer` changes when it grows. */
  buffer: Buffer = Buffer.allocUnsafeSlow(initialBytes);
  /** Serves small messages, whatever memory a large one was given. */
  #own: Buffer = this.buffer;
  #isGiven = false;
  offset = 0;
  /** What is being written, for errors only. */
  field = '';
  /** The message being written, for errors, and for records, whose format goes with them. */
  apiName = '';
  apiKey = -1;
  version = -1;
  /** Bytes of the flat message that its rows, text and bytes may still take: each byte belongs to one of them. */
  #leftBytes = Number.POSITIVE_INFINITY;

  /**
   * Drops the written bytes, and releases memory that only a large message needs.
   * @param memory for the next message, which `finish` gives away with it
   */
  reset(memory?: Buffer): this {
    if (this.#isGiven) this.#takeOwn();
    else if (this.buffer.length > keptBytes) this.buffer = Buffer.allocUnsafeSlow(initialBytes);
    if (memory !== undefined) {
      this.#own = this.buffer;
      this.buffer = memory;
      this.#isGiven = true;
    }
    this.offset = 0;
    this.field = '';
    return this;
  }

  /** Names the message that follows. */
  describe(apiName: string, apiKey: number, version: number): void {
    this.apiName = apiName;
    this.apiKey = apiKey;
    this.version = version;
    this.field = '';
    this.#leftBytes = Number.POSITIVE_INFINITY;
  }

  /** What was written since the last `finish` or `reset`. Stays valid when the writer is used again. */
  finish(): Buffer {
    const length = this.offset;
    this.offset = 0;
    if (length <= maxCopiedBytes) {
      const copy = Buffer.allocUnsafe(length);
      this.buffer.copy(copy, 0, 0, length);
      if (this.#isGiven) this.#takeOwn();
      return copy;
    }
    const whole = this.buffer.subarray(0, length);
    if (this.#isGiven) this.#takeOwn();
    else this.buffer = Buffer.allocUnsafeSlow(initialBytes);
    return whole;
  }

  #takeOwn(): void {
    this.buffer = this.#own;
    this.#isGiven = false;
  }

  /**
   * Begins to read a flat message, whose root struct has so many words.
   * Throws RingCorruptError here, and later, for offsets, lengths and counts that do not fit into the message.
   */
  open(m: FlatMessage, rootWords: number): void {
    this.#leftBytes = m.byteLength;
    this.claim(m, 0, 4 * rootWords);
  }

  /** Checks that the message has these bytes, and that no other field has taken them before. Throws RingCorruptError. */
  claim({ byteLength }: FlatMessage, offset: number, bytes: number): void {
    this.#leftBytes -= bytes;
    if (offset >= 0 && bytes >= 0 && offset + bytes <= byteLength && this.#leftBytes >= 0) return;
    const at = this.field === '' ? '' : `, ${this.field}`;
    throw new RingCorruptError(
      `${this.apiName} request${at}: ${bytes} bytes at ${offset} of a flat message of ${byteLength} bytes, of which ${this.#leftBytes + bytes} are not used by other fields`,
    );
  }

  /** Makes room for `bytes` more. */
  ensure(bytes: number): void {
    const needed = this.offset + bytes;
    const buffer = this.buffer;
    if (needed <= buffer.length) return;
    if (needed > maxBytes) throw this.fail(`the message needs ${needed} bytes, limit ${maxBytes}`);
    const larger = Buffer.allocUnsafeSlow(Math.min(Math.max(needed, buffer.length * 2), maxBytes));
    buffer.copy(larger, 0, 0, this.offset);
    this.buffer = larger;
  }

  /** Leaves `bytes` free, to be patched, and returns where they start. */
  reserve(bytes: number): number {
    this.ensure(bytes);
    const at = this.offset;
    this.offset = at + bytes;
    return at;
  }

  int8(value: number): void {
    this.ensure(1);
    this.buffer[this.offset++] = value;
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  int16(value: number): void {
    this.ensure(2);
    const buffer = this.buffer;
    buffer[this.offset++] = value >>> 8;
    buffer[this.offset++] = value;
  }

  int32(value: number): void {
    this.ensure(4);
    const at = this.offset;
    this.offset = at + 4;
    this.patchInt32(at, value);
  }

  patchInt32(at: number, value: number): void {
    const buffer = this.buffer;
    buffer[at] = value >>> 24;
    buffer[at + 1] = value >>> 16;
    buffer[at + 2] = value >>> 8;
    buffer[at + 3] = value;
  }

  uvarint(value: number): void {
    this.ensure(5);
    this.offset = putUnsigned(this.buffer, this.offset, value);
  }

  int64(low: number, high: number): void {
    this.int32(high);
    this.int32(low);
  }

  /** `source[start, end)` */
  copy(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.ensure(length);
    const at = this.offset;
    if (length <= shortBytes) {
      const buffer = this.buffer;
      for (let i = 0; i < length; i++) buffer[at + i] = source[start + i]!;
    } else {
      this.buffer.set(source.subarray(start, end), at);
    }
    this.offset = at + length;
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.ensure(length);
    this.buffer.write(value, this.offset, length, 'utf8');
    this.offset += length;
  }

  // Each of the following writes the field that `m` has at `word`.

  int64Field(m: FlatMessage, word: number): void {
    this.int64(m.int32(word), m.int32(word + 1));
  }

  uuidField(m: FlatMessage, word: number): void {
    for (let i = 0; i < 4; i++) this.int32(m.int32(word + i));
  }

  stringField(flexible: boolean, m: FlatMessage, word: number): void {
    if (m.isNull(word)) throw this.notNullable();
    this.nullableString(flexible, m, word);
  }

  nullableString(flexible: boolean, m: FlatMessage, word: number): void {
    const length = m.lengthAt(word);
    if (flexible) this.uvarint(length + 1);
    else if (length > 32767) throw this.fail(`text of ${length} bytes, limit 32767 in this version`);
    else this.int16(length);
    if (length > 0) this.copyField(m, word, length);
  }

  bytesField(flexible: boolean, m: FlatMessage, word: number): void {
    if (m.isNull(word)) throw this.notNullable();
    this.nullableBytes(flexible, m, word);
  }

  nullableBytes(flexible: boolean, m: FlatMessage, word: number): void {
    const length = m.lengthAt(word);
    this.length(flexible, length);
    if (length > 0) this.copyField(m, word, length);
  }

  /** Bytes or array length: int32 or compact; -1 for null. */
  length(flexible: boolean, length: number): void {
    if (flexible) this.uvarint(length + 1);
    else this.int32(length);
  }

  /** Writes the count of an array that must not be null, and returns it. */
  arrayLength(flexible: boolean, m: FlatMessage, word: number, rowWords: number): number {
    const count = m.lengthAt(word);
    if (count < 0) throw this.notNullable();
    this.#claimRows(m, word, count, rowWords);
    this.length(flexible, count);
    return count;
  }

  /** Returns 0 for null too. */
  nullableArrayLength(flexible: boolean, m: FlatMessage, word: number, rowWords: number): number {
    const count = m.lengthAt(word);
    this.#claimRows(m, word, count, rowWords);
    this.length(flexible, count);
    return Math.max(count, 0);
  }

  copyField(m: FlatMessage, word: number, length: number): void {
    const offset = m.int32(word);
    this.claim(m, offset, length);
    const start = m.byteBase + offset;
    this.copy(m.u8, start, start + length);
  }

  #claimRows(m: FlatMessage, word: number, count: number, rowWords: number): void {
    if (count > 0) this.claim(m, 4 * m.int32(word), 4 * rowWords * count);
  }

  /** As `arrayLength`, but null goes out as empty. */
  arrayLengthOrEmpty(flexible: boolean, m: FlatMessage, word: number, rowWords: number): number {
    const count = Math.max(m.lengthAt(word), 0);
    this.#claimRows(m, word, count, rowWords);
    this.length(flexible, count);
    return count;
  }

  /**
   * Opens a field whose varint size is known only afterwards; `endSized` takes the result.
   * @param guess of the size; if the varint turns out longer or shorter, the field's bytes have to be moved
   */
  beginSized(guess: number): number {
    return this.reserve(sizeOfUnsigned(guess));
  }

  /** Writes the size of the bytes since `beginSized` (same `guess`), plus `bias`, in front of them. */
  endSized(at: number, guess: number, bias: number): void {
    const from = at + sizeOfUnsigned(guess);
    const length = this.offset - from;
    const to = at + sizeOfUnsigned(length + bias);
    if (to !== from) {
      if (to > from) this.ensure(to - from);
      this.buffer.copyWithin(to, from, from + length);
    }
    this.offset = at;
    this.uvarint(length + bias);
    this.offset += length;
  }

  /** A guess at the size of a records field: right unless it gets compressed. */
  recordsGuess(m: FlatMessage, word: number): number {
    return m.int32(word + DATA_LENGTH_WORD) + 1;
  }

  /** All tagged fields of a struct that knows none in this version. */
  unknownTags(m: FlatMessage, word: number): void {
    const length = m.lengthAt(word);
    if (length <= 0) {
      this.int8(0);
      return;
    }
    const count = m.unknownTaggedFields(word).length;
    this.uvarint(count);
    this.copyField(m, word, length);
  }

  /** Writes the count of tagged fields: the `known` ones to be written next, and the unknown ones at `word`. */
  tagCount(m: FlatMessage, word: number, known: number): void {
    this.uvarint(known + (m.lengthAt(word) > 0 ? m.unknownTaggedFields(word).length : 0));
  }

  /** The tagged fields at `word` that nobody knows and whose tags are `from` or more and below `to`. */
  unknownTaggedFields(m: FlatMessage, word: number, from: number, to: number): void {
    if (m.lengthAt(word) <= 0) return;
    for (const { tag, data } of m.unknownTaggedFields(word)) {
      if (tag < from || tag >= to) continue;
      this.uvarint(tag);
      this.uvarint(data.length);
      this.copy(data, 0, data.length);
    }
  }

  /** An error naming API, version and field. */
  fail(problem: string): InvalidRequestError {
    const at = this.field === '' ? '' : `, ${this.field}`;
    return new InvalidRequestError(`${this.apiName} version ${this.version}${at}: ${problem}`, {
      ...(this.field === '' ? {} : { field: this.field }),
      ...(this.apiKey < 0 ? {} : { apiKey: this.apiKey }),
    });
  }

  notNullable(): InvalidRequestError {
    return this.fail('null, which this version cannot carry');
  }

  /** For a field that the version lacks and that may not be dropped. */
  missingField(field: string, value: unknown): InvalidRequestError {
    this.field = field;
    return this.fail(`${String(value)} is set, but this version has no such field`);
  }
}
