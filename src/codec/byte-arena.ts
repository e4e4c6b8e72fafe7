// Owns the growing block that decompressors write into, and the bound on it. Runs in the network thread and the codec
// pool. Must not allocate beyond the bound, whatever size compressed bytes claim.

import { CorruptRecordError } from '../common/errors/errors.ts';

/** A larger block is released after its use: an unusual message needed it. */
const keptBytes = 4 * 1024 * 1024;
const initialBytes = 64 * 1024;

/** Compressed bytes grow, or claim to grow, beyond the bound. */
export class DecompressedTooLargeError extends CorruptRecordError {
  static override readonly code: string = 'KAFKA_DECOMPRESSED_TOO_LARGE';
}

/** Appended to by one decompressor after another; `bytes[0, length)` is what they wrote. */
export class ByteArena {
  /** Changes when it grows: read again after `reserve`. */
  bytes: Uint8Array = new Uint8Array(0);
  length = 0;
  /** Bound on `length`. */
  limit = 0;

  /** Empties it for a new use. */
  reset(limit: number): void {
    if (this.bytes.length > keptBytes) this.bytes = new Uint8Array(0);
    this.length = 0;
    this.limit = limit;
  }

  /** Makes room for `count` bytes more. Throws: DecompressedTooLargeError beyond the bound. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed > this.limit) {
      throw new DecompressedTooLargeError(
        `decompressed records too large: ${needed} bytes or more, limit ${this.limit} (decompressedMaxBytes)`,
      );
    }
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, Math.min(this.bytes.length * 2, this.limit), initialBytes));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  append(source: Uint8Array, start = 0, end = source.length): void {
    this.reserve(end - start);
    this.bytes.set(source.subarray(start, end), this.length);
    this.length += end - start;
  }
}
