// Owns the reading of Kafka's primitive types and the copying of them into flat messages, with every length checked
// against the bytes left first. Runs in the network thread and the codec pool. Must not know any message: generated
// decoders say what comes when.

import { isUtf8 } from 'node:buffer';
import { KafkaProtocolError } from '../../common/errors/errors.ts';
import { maxInt32 } from '../../common/numbers.ts';
import type { FlatWriter } from '../flat/flat-writer.ts';

/** Up to this many bytes one loop that copies and checks for ASCII beats calls into native code. */
const shortBytes = 24;

/**
 * A cursor over one body. After any error the position is undefined, and the caller gives up the whole body.
 *
 * Decoders set `field` before they read, so that an error can name it.
 */
export class WireReader {
  bytes: Uint8Array;
  /** Position of the next byte, first byte and end of the body, as indexes of `bytes`. */
  offset: number;
  start: number;
  end: number;
  /** What is being read, for errors only. */
  field = '';
  apiName = '';
  apiKey = -1;
  version = -1;

  constructor(bytes: Uint8Array = new Uint8Array(0), start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.offset = start;
    this.start = start;
    this.end = end;
  }

  /** Reads `bytes[start, end)` next. */
  reset(bytes: Uint8Array, start = 0, end = bytes.length): this {
    this.bytes = bytes;
    this.offset = start;
    this.start = start;
    this.end = end;
    this.field = '';
    return this;
  }

  /** Names the message that follows, for errors. */
  describe(apiName: string, apiKey: number, version: number): void {
    this.apiName = apiName;
    this.apiKey = apiKey;
    this.version = version;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  /** An error naming API, version, field and offset. */
  fail(problem: string, cause?: unknown): KafkaProtocolError {
    const offset = this.offset - this.start;
    const of = this.apiName === '' ? 'message' : `${this.apiName} version ${this.version}`;
    const at = this.field === '' ? '' : `, ${this.field}`;
    return new KafkaProtocolError(`${of}${at}, offset ${offset} of ${this.end - this.start}: ${problem}`, {
      offset,
      ...(this.field === '' ? {} : { field: this.field }),
      ...(this.apiKey < 0 ? {} : { apiKey: this.apiKey }),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  /** Throws unless `count` bytes are left. */
  need(count: number): void {
    if (count > this.end - this.offset) throw this.fail(`${count} bytes needed, ${this.remaining} left`);
  }

  /** Moves over `count` bytes and returns where they start. */
  skip(count: number): number {
    this.need(count);
    const from = this.offset;
    this.offset = from + count;
    return from;
  }

  int8(): number {
    if (this.offset >= this.end) this.need(1);
    return (this.bytes[this.offset++]! << 24) >> 24;
  }

  uint8(): number {
    if (this.offset >= this.end) this.need(1);
    return this.bytes[this.offset++]!;
  }

  /** Any byte but 0 is true, as in Kafka. */
  bool(): boolean {
    return this.uint8() !== 0;
  }

  int16(): number {
    return (this.uint16() << 16) >> 16;
  }

  uint16(): number {
    const at = this.offset;
    if (at + 2 > this.end) this.need(2);
    this.offset = at + 2;
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  int32(): number {
    const at = this.offset;
    if (at + 4 > this.end) this.need(4);
    const bytes = this.bytes;
    this.offset = at + 4;
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
  }

  /** Unsigned varint of at most 32 bits. */
  uvarint(): number {
    let byte = this.uint8();
    if (byte < 128) return byte;
    let value = byte & 127;
    for (let shift = 7; shift < 28; shift += 7) {
      byte = this.uint8();
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    byte = this.uint8();
    if (byte > 15) throw this.fail(byte > 127 ? 'varint longer than 5 bytes' : 'varint wider than 32 bits');
    return (value | (byte << 28)) >>> 0;
  }

  /** Into the two words at `word`. */
  int64(w: FlatWriter, word: number): void {
    const high = this.int32();
    w.setInt64(word, this.int32(), high);
  }

  float64(w: FlatWriter, word: number): void {
    this.int64(w, word);
  }

  uuid(w: FlatWriter, word: number): void {
    this.need(16);
    const first = this.int32();
    const second = this.int32();
    const third = this.int32();
    w.setUuid(word, first, second, third, this.int32());
  }

  /**
   * Length of a string (int16), or of bytes or records (int32), or compact; -1 for null. At most what is left.
   * @param flexible whether the length is compact
   */
  stringLength(flexible: boolean): number {
    return this.checkedLength(flexible ? this.uvarint() - 1 : this.int16());
  }

  bytesLength(flexible: boolean): number {
    return this.checkedLength(flexible ? this.uvarint() - 1 : this.int32());
  }

  checkedLength(length: number): number {
    if (length < -1) throw this.fail(`negative length ${length}`);
    if (length > this.remaining) throw this.fail(`length ${length}, ${this.remaining} bytes left`);
    return length;
  }

  /**
   * Element count of an array; -1 for null.
   * @param minBytes what an element takes at least; 0 bounds the count by the size of the whole body instead
   */
  arrayLength(flexible: boolean, minBytes: number): number {
    const count = flexible ? this.uvarint() - 1 : this.int32();
    if (count < -1) throw this.fail(`negative array length ${count}`);
    const maxCount = minBytes === 0 ? this.end - this.start : this.remaining;
    if (count * Math.max(minBytes, 1) > maxCount) {
      throw this.fail(`array of ${count} elements of ${minBytes} bytes or more, ${this.remaining} bytes left`);
    }
    return count;
  }

  string(flexible: boolean, w: FlatWriter, word: number): void {
    const length = this.stringLength(flexible);
    if (length < 0) throw this.notNullable();
    this.text(w, word, length);
  }

  nullableString(flexible: boolean, w: FlatWriter, word: number): void {
    const length = this.stringLength(flexible);
    if (length < 0) w.setNull(word);
    else this.text(w, word, length);
  }

  bytesField(flexible: boolean, w: FlatWriter, word: number): void {
    const length = this.bytesLength(flexible);
    if (length < 0) throw this.notNullable();
    const from = this.skip(length);
    w.copyBytes(word, this.bytes, from, from + length);
  }

  nullableBytes(flexible: boolean, w: FlatWriter, word: number): void {
    const length = this.bytesLength(flexible);
    if (length < 0) {
      w.setNull(word);
      return;
    }
    const from = this.skip(length);
    w.copyBytes(word, this.bytes, from, from + length);
  }

  /** The presence byte before a nullable struct: negative means null. */
  isPresent(): boolean {
    return this.int8() >= 0;
  }

  notNullable(): KafkaProtocolError {
    return this.fail('null where the version allows none');
  }

  /** Copies `length` bytes, which must be UTF-8, at the cursor. */
  text(w: FlatWriter, word: number, length: number): void {
    const from = this.skip(length);
    const bytes = this.bytes;
    if (length > shortBytes) {
      if (!isUtf8(bytes.subarray(from, from + length))) throw this.invalidText(from);
      w.copyBytes(word, bytes, from, from + length);
      return;
    }
    const offset = w.allocBytes(length);
    const to = w.byteBase + offset;
    const u8 = w.u8;
    let seen = 0;
    for (let i = 0; i < length; i++) {
      const byte = bytes[from + i]!;
      seen |= byte;
      u8[to + i] = byte;
    }
    if (seen > 127 && !isUtf8(bytes.subarray(from, from + length))) throw this.invalidText(from);
    w.setInt64(word, offset, length);
  }

  invalidText(from: number): KafkaProtocolError {
    this.offset = from;
    return this.fail('text is not valid UTF-8');
  }

  /** The number of tagged fields that follow. */
  tagCount(): number {
    const count = this.uvarint();
    if (count * 2 > this.remaining) throw this.fail(`${count} tagged fields, ${this.remaining} bytes left`);
    return count;
  }

  /** The next tag; tags ascend strictly. */
  tag(previous: number): number {
    const tag = this.uvarint();
    if (tag <= previous) throw this.fail(`tag ${tag} after tag ${previous}`);
    if (tag > maxInt32) throw this.fail(`tag ${tag} above ${maxInt32}`);
    return tag;
  }

  /** Reads a tagged field's size and returns where the field ends. */
  tagEnd(): number {
    const size = this.uvarint();
    if (size > this.remaining) throw this.fail(`tagged field of ${size} bytes, ${this.remaining} left`);
    return this.offset + size;
  }

  /** Throws unless a tagged field ended where its size said. */
  checkTagEnd(end: number): void {
    if (this.offset !== end) throw this.fail(`tagged field ended ${this.offset - end} bytes from where its size says`);
  }

  /** Tagged fields of a struct none of whose tags are known in this version, kept raw in the two words at `word`. */
  unknownTaggedFields(w: FlatWriter, word: number): void {
    const count = this.tagCount();
    if (count === 0) return;
    const from = this.offset;
    let tag = -1;
    for (let i = 0; i < count; i++) {
      tag = this.tag(tag);
      this.offset = this.tagEnd();
    }
    w.copyBytes(word, this.bytes, from, this.offset);
  }

  /**
   * Keeps the tagged fields between `from` and the cursor whose tags are not in `known` (a bit for each tag below 31).
   * They were read and checked before.
   */
  keepUnknownTaggedFields(w: FlatWriter, word: number, from: number, known: number): void {
    const to = this.offset;
    this.offset = from;
    const first = w.messageBytes;
    let length = 0;
    while (this.offset < to) {
      const field = this.offset;
      const tag = this.uvarint();
      this.offset = this.tagEnd();
      if (tag < 31 && (known & (1 << tag)) !== 0) continue;
      const size = this.offset - field;
      const at = w.allocBytes(size);
      w.u8.set(this.bytes.subarray(field, this.offset), w.byteBase + at);
      length += size;
    }
    w.setInt64(word, first, length);
  }
}
