// Owns the memory for fetched bytes that wait for the application. It is used again, because new memory costs a page fault for every
// 4 KiB. Network thread.

import { KeptMemory, type Reused } from '../../common/kept-memory.ts';
import { unfilledMemory } from '../../common/memory.ts';

const maxKept = 32;
/** Limit of the memory that is kept for reuse. */
export const maxKeptFetchedBytes = 16 * 1024 * 1024;
/** Smaller memory is cheap to get. */
const minKeptBytes = 64 * 1024;
/** How many times larger than its bytes reused memory may be. */
const maxWaste = 1.25;

export class FetchedMemory implements Reused {
  readonly #kept = new KeptMemory<ArrayBuffer>(maxKept, maxKeptFetchedBytes);

  /** The bytes that nobody uses, for fetched records to come. */
  get keptBytes(): number {
    return this.#kept.byteLength;
  }

  get isKeeping(): boolean {
    return this.#kept.isKeeping;
  }

  trim(): void {
    this.#kept.trim();
  }

  /** The bytes in memory of their own. */
  copyOf(bytes: Uint8Array): Uint8Array {
    const { byteLength } = bytes;
    const memory =
      (byteLength < minKeptBytes ? undefined : this.#kept.take(byteLength, byteLength * maxWaste)) ??
      unfilledMemory(byteLength);
    const copy = new Uint8Array(memory, 0, byteLength);
    copy.set(bytes);
    return copy;
  }

  /** Nobody reads these bytes, which `copyOf` has returned, any more. */
  release({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer && buffer.byteLength >= minKeptBytes) this.#kept.keep(buffer);
  }
}
