// Owns the memory of bodies taken out of a link, and their shape. Runs on every thread.

import { markAsUntransferable } from 'node:worker_threads';
import { alignTo8, type MessageBytes } from '../common/memory.ts';

/** A body that belongs to whoever took it: no ring memory in it. */
export class OwnedBytes implements MessageBytes {
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly base: number;
  readonly byteLength: number;
  /** Whether it is all of a buffer that was moved here, and may be moved on. */
  readonly isMoved: boolean;

  constructor(i32: Int32Array, u8: Uint8Array, base: number, byteLength: number, isMoved = false) {
    this.i32 = i32;
    this.u8 = u8;
    this.base = base;
    this.byteLength = byteLength;
    this.isMoved = isMoved;
  }
}

const slabBytes = 16 * 1024;
/** A body that is kept keeps its slab, so what goes into one stays small. */
const maxInSlabBytes = 2 * 1024;
/** Copied word by word: 20 to 100 ns, where `set` and its view take 100 to 130; from about 700 bytes on they win. */
const maxInLoopBytes = 512;

/**
 * Memory for small bodies: many share one ArrayBuffer, since making a buffer and its views costs more than copying a
 * small body. As Node's own buffer pool, a slab cannot be transferred, which would take the others' memory away.
 */
export class BodySlab {
  #u8 = new Uint8Array(0);
  #i32 = new Int32Array(this.#u8.buffer);
  #used = 0;

  /** A copy of `source[start, start + byteLength)`, which starts at a multiple of 8, as does the copy. */
  copy(source: Uint8Array, words: Int32Array, start: number, byteLength: number): OwnedBytes {
    // Room to the next multiple of 8, as everywhere, so that whole words cover the last bytes.
    const bytes = alignTo8(byteLength);
    if (bytes > maxInSlabBytes) {
      const u8 = new Uint8Array(bytes);
      u8.set(source.subarray(start, start + byteLength));
      return new OwnedBytes(new Int32Array(u8.buffer), u8, 0, byteLength);
    }
    if (this.#used + bytes > this.#u8.length) this.#renew();
    const base = this.#used;
    this.#used = base + bytes;
    const i32 = this.#i32;
    if (bytes > maxInLoopBytes) {
      this.#u8.set(source.subarray(start, start + byteLength), base);
      return new OwnedBytes(i32, this.#u8, base, byteLength);
    }
    const to = base >>> 2;
    const from = start >>> 2;
    const count = bytes >>> 2;
    // Frames are padded to 8, so the last word is there.
    for (let i = 0; i < count; i++) i32[to + i] = words[from + i]!;
    return new OwnedBytes(i32, this.#u8, base, byteLength);
  }

  #renew(): void {
    const buffer = new ArrayBuffer(slabBytes);
    markAsUntransferable(buffer);
    this.#i32 = new Int32Array(buffer);
    this.#u8 = new Uint8Array(buffer);
    this.#used = 0;
  }
}
