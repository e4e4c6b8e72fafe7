// Owns the reading of flat messages: typed access by word, the base of the generated views, arrays of rows. Runs on
// every thread; the application's views are these. Must not copy, parse ahead, or know any message.

import type Long from 'long';
import { RingCorruptError } from '../../common/errors/errors.ts';
import type { MessageBytes } from '../../common/memory.ts';
import { type Inspect, inspectCustom, inspected } from './inspected.ts';
import { longOf } from './int64.ts';
import { LentBytes, memoryGone } from './lent-bytes.ts';
import { passedText, type RecordLoan, type Remains } from './record-loan.ts';
import { uuidToString } from './uuid.ts';

/**
 * Makes what `subarray` of a Buffer makes, without asking the Buffer for its memory first: 29 ns on any Node, where
 * `subarray` takes 25 to 51.
 */
export const BufferOver = (Buffer as unknown as { readonly [Symbol.species]: BufferOverConstructor })[Symbol.species];
type BufferOverConstructor = new (memory: ArrayBufferLike, byteOffset: number, length: number) => Buffer;

const float64 = new Float64Array(1);
const float64Words = new Int32Array(float64.buffer);

const recycledMemory = memoryGone('this response was recycled; read or copy what is needed of it before');
const settledMemory = memoryGone(
  'this batch is done and the next one was asked for, so the memory that its cursor read went back; use the cursor before, or copy what is needed',
);
const passedMemory = memoryGone(passedText);

/** A finished flat message. Valid as long as its memory is: on the application's side for ever, unless it is recycled. */
export class FlatMessage {
  i32: Int32Array;
  u8: Uint8Array;
  /** Index of the root struct's first word in `i32`, and of its first byte in `u8`. */
  readonly wordBase: number;
  readonly byteBase: number;
  /** Without the prefix. */
  readonly byteLength: number;
  /** Whether the message is all of a buffer that nobody else uses. */
  isRecyclable = false;
  /** Whether something was handed out that reads the memory and may be kept for ever: a view, a Buffer. */
  isKept = false;
  /** The frame in which records of the form LENT are. Null when it is not to be read any more, or if there are none. */
  lent: Uint8Array | null = null;
  /** The cursors that read it, if its memory goes back by itself when they have passed all records. */
  loan: RecordLoan | null = null;
  /** What is left of it. Null while it has all its memory, or nothing. */
  #remains: Remains | null = null;
  #buffer: Buffer | null = null;
  #memory: ArrayBufferLike | null = null;
  #lentBytes: LentBytes | null = null;

  /** @param skipBytes prefix before the root struct, a multiple of 8 */
  constructor(bytes: MessageBytes, skipBytes = 0) {
    this.i32 = bytes.i32;
    this.u8 = bytes.u8;
    this.byteBase = bytes.base + skipBytes;
    this.wordBase = this.byteBase >>> 2;
    this.byteLength = bytes.byteLength - skipBytes;
  }

  /** Gives up the memory if it is recyclable. Reading the message afterwards throws IllegalStateError. */
  recycle(): ArrayBuffer | null {
    return this.#giveUp(recycledMemory);
  }

  /** The same, but only if cursors have read the memory and nothing else was handed out that can read it. */
  recycleLent(): ArrayBuffer | null {
    return this.#lentBytes === null || this.isKept ? null : this.#giveUp(settledMemory);
  }

  /**
   * Gives up the memory if cursors have passed all records and nothing else was handed out that can read them. The other fields can be
   * read afterwards, from a copy.
   */
  recyclePassed(): ArrayBuffer | null {
    if (!this.isRecyclable || this.isKept || this.loan === null) return null;
    const remains = this.loan.remains(this);
    if (remains === null) return null;
    const memory = this.#giveUp(passedMemory);
    this.#remains = remains;
    this.i32 = remains.i32;
    this.u8 = remains.u8;
    return memory;
  }

  /** @throws IllegalStateError when the memory of records has gone back */
  checkRecords(): void {
    void this.i32[0];
    this.#remains?.refuse();
  }

  #giveUp(gone: unknown): ArrayBuffer | null {
    if (!this.isRecyclable) return null;
    this.isRecyclable = false;
    const memory = this.memory as ArrayBuffer;
    this.#memory = null;
    this.#buffer = null;
    this.#lentBytes = gone as LentBytes;
    this.i32 = gone as Int32Array;
    this.u8 = gone as Uint8Array;
    return memory;
  }

  /** The message's own bytes, from the root struct on, for a cursor. They end with the memory. */
  get lentBytes(): Uint8Array {
    this.#lentBytes ??= new LentBytes(this, this.u8.byteOffset + this.byteBase, this.byteLength);
    return this.#lentBytes;
  }

  int32(word: number): number {
    return this.i32[this.wordBase + word]!;
  }

  uint32(word: number): number {
    return this.i32[this.wordBase + word]! >>> 0;
  }

  bool(word: number): boolean {
    return this.i32[this.wordBase + word] !== 0;
  }

  int64(word: number): Long {
    const at = this.wordBase + word;
    return longOf(this.i32[at]!, this.i32[at + 1]!);
  }

  float64(word: number): number {
    const at = this.wordBase + word;
    float64Words[0] = this.i32[at]!;
    float64Words[1] = this.i32[at + 1]!;
    return float64[0]!;
  }

  /** 22 characters of base64url, as Kafka prints topic ids. */
  uuid(word: number): string {
    const at = this.wordBase + word;
    return uuidToString(this.i32[at]!, this.i32[at + 1]!, this.i32[at + 2]!, this.i32[at + 3]!);
  }

  /** Of a string, bytes or array. */
  isNull(word: number): boolean {
    return this.i32[this.wordBase + word + 1]! < 0;
  }

  /** Bytes of a string or bytes, elements of an array; -1 for null. */
  lengthAt(word: number): number {
    return this.i32[this.wordBase + word + 1]!;
  }

  /** Null reads as empty. */
  string(word: number): string {
    return this.nullableString(word) ?? '';
  }

  nullableString(word: number): string | null {
    const at = this.wordBase + word;
    const length = this.i32[at + 1]!;
    if (length <= 0) return length === 0 ? '' : null;
    const start = this.byteBase + this.i32[at]!;
    if (this.#remains !== null) return this.#remains.text(start, length);
    return this.buffer.toString('utf8', start, start + length);
  }

  /** A slice of the message, no copy. Null reads as empty. */
  bytes(word: number): Buffer {
    return this.nullableBytes(word) ?? this.slice(0, 0);
  }

  nullableBytes(word: number): Buffer | null {
    const at = this.wordBase + word;
    const length = this.i32[at + 1]!;
    return length < 0 ? null : this.slice(this.i32[at]!, length);
  }

  /** `length` bytes from `offset` (relative to the message), no copy. */
  slice(offset: number, length: number): Buffer {
    if (this.#remains !== null) return this.#remains.bytes(this.byteBase + offset, length);
    this.isKept = true;
    return new BufferOver(this.memory, this.u8.byteOffset + this.byteBase + offset, length);
  }

  /** What `u8` is a view of; kept, since a typed array takes 10 to 20 ns to say. */
  get memory(): ArrayBufferLike {
    this.#memory ??= this.u8.buffer;
    return this.#memory;
  }

  /** The whole backing memory as a Buffer, made on first use; indexes are those of `u8`. */
  get buffer(): Buffer {
    this.#buffer ??= Buffer.from(this.memory, this.u8.byteOffset, this.u8.byteLength);
    return this.#buffer;
  }

  /** Null reads as empty. */
  array<T>(word: number, rowWords: number, read: RowReader<T>): FlatArray<T> {
    const at = this.wordBase + word;
    return new FlatArray(this, this.i32[at]!, Math.max(this.i32[at + 1]!, 0), rowWords, read);
  }

  nullableArray<T>(word: number, rowWords: number, read: RowReader<T>): FlatArray<T> | null {
    return this.isNull(word) ? null : this.array(word, rowWords, read);
  }

  /** The tagged fields that this client does not know, of the struct that keeps them at `word`; empty if none. */
  unknownTaggedFields(word: number): UnknownTaggedField[] {
    const at = this.wordBase + word;
    const fields: UnknownTaggedField[] = [];
    let offset = this.i32[at]!;
    const end = offset + Math.max(this.i32[at + 1]!, 0);
    if (offset < 0 || end > this.byteLength) throw taggedFieldsOutside(this.byteLength);
    const u8 = this.u8;
    const varint = (): number => {
      let value = 0;
      for (let scale = 1; offset < end; scale *= 128) {
        const byte = u8[this.byteBase + offset++]!;
        value += (byte & 127) * scale;
        if (byte < 128) return value;
      }
      throw taggedFieldsOutside(this.byteLength);
    };
    while (offset < end) {
      const tag = varint();
      const length = varint();
      if (length > end - offset) throw taggedFieldsOutside(this.byteLength);
      fields.push({ tag, data: this.slice(offset, length) });
      offset += length;
    }
    return fields;
  }
}

/** A tagged field (KIP-482) whose tag the client does not know, kept as it came. */
export interface UnknownTaggedField {
  /** 0 to 2147483647. */
  readonly tag: number;
  /** Content without tag and size. */
  readonly data: Uint8Array;
}

/** Makes an element of the row at `word`. */
export type RowReader<T> = (message: FlatMessage, word: number) => T;

export const readInt32: RowReader<number> = (message, word) => message.int32(word);
export const readUint32: RowReader<number> = (message, word) => message.uint32(word);
export const readBool: RowReader<boolean> = (message, word) => message.bool(word);
export const readInt64: RowReader<Long> = (message, word) => message.int64(word);
export const readFloat64: RowReader<number> = (message, word) => message.float64(word);
export const readUuid: RowReader<string> = (message, word) => message.uuid(word);
export const readString: RowReader<string> = (message, word) => message.string(word);
export const readBytes: RowReader<Buffer> = (message, word) => message.bytes(word);

/**
 * A struct within a flat message; its generated subclass has a getter for each field. Costs nothing until read.
 *
 * Generated subclasses set the two properties in constructors of their own: set here, or declared without `declare`,
 * they make a new view two to ten times as slow once there are many subclasses, since all pass through the same store.
 */
export abstract class FlatView {
  declare protected flat: FlatMessage;
  declare protected flatWord: number;

  constructor(message?: FlatMessage, word = 0) {
    if (message === undefined) return;
    this.flat = message;
    this.flatWord = word;
  }

  /** The message that a view reads. @throws TypeError for anything but a view */
  static messageOf(view: FlatView): FlatMessage {
    if (!(view instanceof FlatView)) throw new TypeError(`must be a response, not ${typeof view}`);
    return view.flat;
  }

  /** Word of the struct that a view reads, relative to its message. */
  static wordOf(view: FlatView): number {
    return view.flatWord;
  }

  /** Names of all getters, in the order of the wire. */
  protected abstract fieldNames(): readonly string[];

  /** Copies every field into plain objects and arrays, for printing and comparing. Fields absent from the
   *  version received hold their defaults; unknown tagged fields, if any, are under `unknownTaggedFields`. */
  toObject(): Record<string, unknown> {
    const plain: Record<string, unknown> = {};
    const self = this as unknown as Record<string, unknown>;
    for (const name of this.fieldNames()) {
      const value = toPlain(self[name]);
      if (name === 'unknownTaggedFields' && (value as unknown[]).length === 0) continue;
      plain[name] = value;
    }
    return plain;
  }

  toJSON(): Record<string, unknown> {
    return this.toObject();
  }

  [inspectCustom](_depth: number, options: object, inspect: Inspect): string {
    return `${this.constructor.name} ${inspected(() => this.toObject(), options, inspect)}`;
  }
}

function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value === 'object' && value !== null && 'toObject' in value && typeof value.toObject === 'function') {
    return value.toObject();
  }
  return value;
}

function taggedFieldsOutside(byteLength: number): RingCorruptError {
  return new RingCorruptError(`tagged fields that do not fit into their flat message of ${byteLength} bytes`);
}

function outOfRange(index: number, length: number): RangeError {
  return new RangeError(`index ${index} of an array with ${length} elements`);
}

/** An array within a flat message: rows have equal size, so reading one element makes no other. */
export class FlatArray<T> implements Iterable<T> {
  readonly length: number;
  readonly #message: FlatMessage;
  readonly #first: number;
  readonly #rowWords: number;
  readonly #read: RowReader<T>;

  constructor(message: FlatMessage, firstWord: number, length: number, rowWords: number, read: RowReader<T>) {
    this.#message = message;
    this.#first = firstWord;
    this.length = length;
    this.#rowWords = rowWords;
    this.#read = read;
  }

  /** Throws: RangeError unless 0 <= index < length. */
  at(index: number): T {
    if (index >>> 0 !== index || index >= this.length) throw outOfRange(index, this.length);
    return this.#read(this.#message, this.#first + index * this.#rowWords);
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.length; i++) yield this.#read(this.#message, this.#first + i * this.#rowWords);
  }

  forEach(visit: (element: T, index: number) => void): void {
    for (let i = 0; i < this.length; i++) visit(this.at(i), i);
  }

  map<U>(convert: (element: T, index: number) => U): U[] {
    const result: U[] = [];
    for (let i = 0; i < this.length; i++) result.push(convert(this.at(i), i));
    return result;
  }

  filter(keep: (element: T, index: number) => boolean): T[] {
    return this.toArray().filter(keep);
  }

  find(wanted: (element: T, index: number) => boolean): T | undefined {
    for (let i = 0; i < this.length; i++) {
      const element = this.at(i);
      if (wanted(element, i)) return element;
    }
    return undefined;
  }

  some(wanted: (element: T, index: number) => boolean): boolean {
    for (let i = 0; i < this.length; i++) {
      if (wanted(this.at(i), i)) return true;
    }
    return false;
  }

  /** The elements, structs still as views. */
  toArray(): T[] {
    return this.map((element) => element);
  }

  /** The elements, structs as plain objects. */
  toObject(): unknown[] {
    return this.map(toPlain);
  }

  toJSON(): unknown[] {
    return this.toObject();
  }

  [inspectCustom](_depth: number, options: object, inspect: Inspect): string {
    return inspected(() => this.toObject(), options, inspect);
  }
}
