// Owns the writing of flat messages: word and byte allocation within memory that someone else provides. Runs on every
// thread. Must not know any message: generated code and the records writer say what goes where.

import { alignTo8, type MessageMemory } from '../../common/memory.ts';

/** Flat offsets are int32, and claims round up to 8. */
const maxLimitBytes = 2 ** 31 - 64;

/** Up to this many bytes a loop beats a call into native code. */
const shortBytes = 24;
const shortFillWords = 32;

const float64 = new Float64Array(1);
const float64Words = new Int32Array(float64.buffer);

/**
 * A message would need more than the writer may take. Internal: whoever drives the writer makes a typed error of
 * it that names the message.
 */
export class FlatLimitError extends Error {
  readonly neededBytes: number;
  readonly maxBytes: number;

  constructor(neededBytes: number, maxBytes: number) {
    super(`needs ${neededBytes} bytes of flat memory or more, limit ${maxBytes}`);
    this.name = 'FlatLimitError';
    this.neededBytes = neededBytes;
    this.maxBytes = maxBytes;
  }
}

/**
 * Writes one flat message after another, each into its own memory.
 *
 *     base        base + skip
 *     | prefix    | root struct (word 0 ...) | rows, text, bytes, in order of allocation | pad to 8
 *
 * `word` arguments and results are relative to the root struct, in 32-bit words; byte offsets likewise, in bytes. Both
 * stay valid when the message moves. `i32` and `u8` do not: read them again after anything that allocates.
 */
export class FlatWriter {
  /** Views of the memory, and where the message starts in them; for loops that are too hot for a call per word. */
  i32: Int32Array = new Int32Array(0);
  u8: Uint8Array = new Uint8Array(0);
  wordBase = 0;
  byteBase = 0;
  /** A guess at the size of the whole message; passed on to the memory so that one move is enough. */
  expectedBytes = 0;

  #maxBytes = maxLimitBytes;
  #memory: MessageMemory | null = null;
  #skip = 0;
  #used = 0;
  #room = 0;
  #text: Buffer | null = null;
  #textOf: Uint8Array | null = null;

  /** @param skipBytes prefix kept free before the message, a multiple of 8; not written here */
  reset(memory: MessageMemory, skipBytes = 0): this {
    this.#memory = memory;
    this.#skip = skipBytes;
    this.#used = 0;
    this.#maxBytes = maxLimitBytes;
    this.expectedBytes = 0;
    this.#follow(memory);
    if (this.#textOf !== this.u8) {
      this.#text = null;
      this.#textOf = null;
    }
    if (this.#room < 0) this.#grow(0);
    return this;
  }

  /** What the message (without prefix) may take until the next reset; FlatLimitError beyond. Default about 2 GiB. */
  limitTo(maxBytes: number): void {
    this.#maxBytes = Math.min(maxBytes, maxLimitBytes) & ~7;
    this.#room = Math.min(this.#room, this.#maxBytes);
  }

  /** Size of the message so far with its prefix, rounded up to 8. */
  get usedBytes(): number {
    return alignTo8(this.#skip + this.#used);
  }

  /** Bytes of the message itself so far. */
  get messageBytes(): number {
    return this.#used;
  }

  /** Makes sure that the memory holds the padding that `usedBytes` counts, and returns `usedBytes`. */
  finish(): number {
    const padded = alignTo8(this.#used);
    if (padded > this.#room) this.#grow(padded);
    return this.#skip + padded;
  }

  /** Takes `words` zeroed words and returns the first. */
  alloc(words: number): number {
    const first = this.allocDirty(words);
    const from = this.wordBase + first;
    const i32 = this.i32;
    if (words <= shortFillWords) for (let i = from; i < from + words; i++) i32[i] = 0;
    else i32.fill(0, from, from + words);
    return first;
  }

  /** Takes `words` words with undefined contents, for callers that write every one. */
  allocDirty(words: number): number {
    const start = (this.#used + 3) & ~3;
    const end = start + words * 4;
    if (end > this.#room) this.#grow(end);
    this.#used = end;
    return start >> 2;
  }

  /** Takes `length` bytes with undefined contents at any alignment and returns the offset of the first. */
  allocBytes(length: number): number {
    const start = this.#used;
    const end = start + length;
    if (end > this.#room) this.#grow(end);
    this.#used = end;
    return start;
  }

  /** Gives back what was allocated after `messageBytes` had this value. */
  truncate(messageBytes: number): void {
    if (messageBytes < this.#used) this.#used = messageBytes;
  }

  /** Makes room for `bytes` more in at most one move. */
  reserve(bytes: number): void {
    const end = alignTo8(this.#used + bytes);
    if (end > this.#room) this.#grow(end);
  }

  setInt32(word: number, value: number): void {
    this.i32[this.wordBase + word] = value;
  }

  getInt32(word: number): number {
    return this.i32[this.wordBase + word]!;
  }

  setBool(word: number, value: boolean): void {
    this.i32[this.wordBase + word] = value ? 1 : 0;
  }

  setInt64(word: number, low: number, high: number): void {
    const at = this.wordBase + word;
    this.i32[at] = low;
    this.i32[at + 1] = high;
  }

  setFloat64(word: number, value: number): void {
    float64[0] = value;
    this.setInt64(word, float64Words[0]!, float64Words[1]!);
  }

  /** The 16 bytes as four big-endian numbers. */
  setUuid(word: number, first: number, second: number, third: number, fourth: number): void {
    const at = this.wordBase + word;
    this.i32[at] = first;
    this.i32[at + 1] = second;
    this.i32[at + 2] = third;
    this.i32[at + 3] = fourth;
  }

  /** Null string, bytes or array in the two words at `word`. */
  setNull(word: number): void {
    this.setInt64(word, 0, -1);
  }

  /** Rows for an array of `count` elements; fills the two words at `word` and returns the first row's word. */
  array(word: number, count: number, rowWords: number): number {
    const rows = this.alloc(count * rowWords);
    this.setInt64(word, rows, count);
    return rows;
  }

  /** As `array`, with undefined contents, for callers that write every word. */
  arrayDirty(word: number, count: number, rowWords: number): number {
    const rows = this.allocDirty(count * rowWords);
    this.setInt64(word, rows, count);
    return rows;
  }

  /** Copies `source[start, end)`; fills the two words at `word`. */
  copyBytes(word: number, source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const offset = this.allocBytes(length);
    const to = this.byteBase + offset;
    if (length <= shortBytes) {
      const u8 = this.u8;
      for (let i = 0; i < length; i++) u8[to + i] = source[start + i]!;
    } else {
      this.u8.set(source.subarray(start, end), to);
    }
    this.setInt64(word, offset, length);
  }

  bytes(word: number, value: Uint8Array): void {
    this.copyBytes(word, value, 0, value.length);
  }

  /** UTF-8 of `value`, which must be well formed; fills the two words at `word` and returns the byte length. */
  string(word: number, value: string): number {
    const offset = this.#used;
    const length = this.writeText(value);
    this.setInt64(word, offset, length);
    return length;
  }

  /** Appends the UTF-8 of `value` and returns its byte length; it starts where `messageBytes` was before. */
  writeText(value: string): number {
    const units = value.length;
    if (units <= shortBytes) {
      const offset = this.allocBytes(units);
      const to = this.byteBase + offset;
      const u8 = this.u8;
      let i = 0;
      for (; i < units; i++) {
        const unit = value.charCodeAt(i);
        if (unit > 127) break;
        u8[to + i] = unit;
      }
      if (i === units) return units;
      this.#used = offset;
    }
    const worst = units <= 256 ? units * 3 : Buffer.byteLength(value);
    const offset = this.allocBytes(worst);
    const written = this.#textBuffer().write(value, this.byteBase + offset, worst, 'utf8');
    this.#used = offset + written;
    return written;
  }

  #textBuffer(): Buffer {
    if (this.#textOf !== this.u8 || this.#text === null) {
      this.#textOf = this.u8;
      this.#text = Buffer.from(this.u8.buffer, this.u8.byteOffset, this.u8.byteLength);
    }
    return this.#text;
  }

  #grow(neededBytes: number): void {
    if (neededBytes > this.#maxBytes) throw new FlatLimitError(neededBytes, this.#maxBytes);
    const memory = this.#memory;
    if (memory === null) throw new Error('FlatWriter used before reset');
    const skip = this.#skip;
    // The guess is trusted while it holds, since memory beyond it would travel unused.
    const guess = this.expectedBytes >= neededBytes ? this.expectedBytes : neededBytes + (neededBytes >> 1);
    const hint = Math.min(guess, this.#maxBytes);
    memory.grow(alignTo8(skip + neededBytes), skip + this.#used, alignTo8(skip + hint));
    this.#follow(memory);
  }

  #follow(memory: MessageMemory): void {
    this.i32 = memory.i32;
    this.u8 = memory.u8;
    this.byteBase = memory.base + this.#skip;
    this.wordBase = this.byteBase >>> 2;
    this.#room = Math.min(memory.capacity - this.#skip, this.#maxBytes);
  }
}
