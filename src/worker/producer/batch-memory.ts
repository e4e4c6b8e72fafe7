// Owns the memory of a producer's batches: it is taken for a batch, given back when nobody reads it, and used again. Network thread.
// Must not hand out more than its limit, nor everything to one of several holders.

import { Least, type Reused } from '../../common/kept-memory.ts';

/** Sizes are rounded up to a multiple of this, so that another batch can use the memory again. */
const granuleBytes = 1024;
/** Memory of the usual size and of 2, 4 and 8 times that size is kept for reuse, and smaller memory of 1, 2, 4 and more granules. */
const keptSizes = 4;
/**
 * One of several holders may have this many times the memory that is left. So a single one gets four fifths of all, two get four ninths each, and
 * there is always some left for one that comes later.
 */
const shareOfFree = 4;

/** Memory of one size that is kept for reuse. */
interface FreeMemory {
  readonly list: Buffer[];
  readonly leastLength: Least;
}

export class BatchMemory implements Reused {
  /** How many threads may take memory. If there are several, one alone cannot take everything. */
  holders = 1;
  readonly #heldBytes = new Map<object, number>();
  #maxBytes: number;
  #largestBytes: number;
  readonly #chunkBytes: number;
  /** The memory that is kept for reuse, by its size. */
  readonly #free = new Map<number, FreeMemory>();
  #usedBytes = 0;
  #freeBytes = 0;

  /**
   * @param maxBytes   limit of all memory that is in use or kept for reuse
   * @param chunkBytes the usual size of a batch
   */
  constructor(maxBytes: number, chunkBytes: number) {
    this.#chunkBytes = rounded(chunkBytes);
    // One batch must always fit, otherwise nothing could ever be sent.
    this.#maxBytes = Math.max(maxBytes, this.#chunkBytes);
    this.#largestBytes = whole(this.#maxBytes);
    for (let bytes = granuleBytes; bytes < this.#chunkBytes; bytes *= 2) this.#keep(bytes);
    for (let i = 0; i < keptSizes; i++) this.#keep(this.#chunkBytes * 2 ** i);
  }

  /** The limit of all memory that is in use or kept for reuse. */
  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Sets another limit. Memory above it that is in use is not taken away. */
  limitTo(maxBytes: number): void {
    this.#maxBytes = Math.max(maxBytes, this.#chunkBytes);
    this.#largestBytes = whole(this.#maxBytes);
    this.#dropKept();
  }

  /** The bytes in use. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The bytes that nobody uses, for batches to come. */
  get keptBytes(): number {
    return this.#freeBytes;
  }

  get isKeeping(): boolean {
    return this.#freeBytes > 0;
  }

  trim(): void {
    for (const [size, { list, leastLength }] of this.#free) {
      for (let idle = leastLength.look(list.length); idle > 0; idle--) this.#takeKept(size);
    }
  }

  /** The most bytes of which `take` can ever succeed. */
  get largestBytes(): number {
    return this.#largestBytes;
  }

  /**
   * Takes memory of at least `minBytes`, with any contents. Null when the limit does not allow it now.
   * @param holder whose memory it is; null: nobody's share
   */
  take(minBytes: number, holder: object | null = null): Buffer | null {
    return this.#take(rounded(Math.max(minBytes, this.#chunkBytes)), holder);
  }

  /** Takes memory of at least `minBytes`, and less than the usual size if that is enough. Null as with `take`. */
  takeSmall(minBytes: number, holder: object | null = null): Buffer | null {
    let bytes = granuleBytes;
    while (bytes < minBytes && bytes < this.#chunkBytes) bytes *= 2;
    return bytes < this.#chunkBytes ? this.#take(bytes, holder) : this.take(minBytes, holder);
  }

  #take(bytes: number, holder: object | null): Buffer | null {
    if (!this.#isAllowed(bytes, holder)) return null;
    this.#count(bytes, holder);
    const kept = this.#takeKept(bytes);
    if (kept !== undefined) return kept;
    this.#dropKept();
    return Buffer.allocUnsafeSlow(bytes);
  }

  /** Takes memory without the limit, for the parts of a batch that is split. The batch's own memory is given back right after that. */
  takeBeyond(minBytes: number): Buffer {
    const bytes = rounded(Math.max(minBytes, this.#chunkBytes));
    this.#usedBytes += bytes;
    return Buffer.allocUnsafeSlow(bytes);
  }

  /** Counts memory that is not from here. @returns false when the limit does not allow it; nothing is then counted */
  reserve(bytes: number, holder: object | null = null): boolean {
    if (!this.#isAllowed(bytes, holder)) return false;
    this.#count(bytes, holder);
    return true;
  }

  /** Counts memory without the limit, for memory that was counted a moment ago. */
  reserveBeyond(bytes: number, holder: object | null = null): void {
    this.#count(bytes, holder);
  }

  /** Ends the count of memory that is not from here. */
  unreserve(bytes: number, holder: object | null = null): void {
    this.#count(-bytes, holder);
  }

  /** Gives memory back that `take` returned. */
  give(memory: Buffer, holder: object | null = null): void {
    const { length } = memory;
    this.#count(-length, holder);
    const free = this.#free.get(length);
    if (free === undefined || this.#usedBytes + this.#freeBytes + length > this.maxBytes) return;
    free.list.push(memory);
    this.#freeBytes += length;
  }

  #keep(size: number): void {
    this.#free.set(size, { list: [], leastLength: new Least() });
  }

  #takeKept(size: number): Buffer | undefined {
    const free = this.#free.get(size);
    const kept = free?.list.pop();
    if (free === undefined || kept === undefined) return undefined;
    free.leastLength.fell(free.list.length);
    this.#freeBytes -= size;
    return kept;
  }

  #isAllowed(bytes: number, holder: object | null): boolean {
    const freeBytes = this.maxBytes - this.#usedBytes - bytes;
    if (freeBytes < 0) return false;
    if (holder === null || this.holders < 2) return true;
    const heldBytes = this.#heldBytes.get(holder) ?? 0;
    return heldBytes === 0 || heldBytes + bytes <= shareOfFree * freeBytes;
  }

  #count(bytes: number, holder: object | null): void {
    this.#usedBytes += bytes;
    if (holder === null) return;
    const heldBytes = (this.#heldBytes.get(holder) ?? 0) + bytes;
    if (heldBytes > 0) this.#heldBytes.set(holder, heldBytes);
    else this.#heldBytes.delete(holder);
  }

  /** Memory that is kept for reuse counts against the limit too. Some of it is dropped to make room. */
  #dropKept(): void {
    for (const size of this.#free.keys()) {
      while (this.#usedBytes + this.#freeBytes > this.maxBytes) if (this.#takeKept(size) === undefined) break;
    }
  }
}

function rounded(bytes: number): number {
  return Math.ceil(Math.max(bytes, 1) / granuleBytes) * granuleBytes;
}

/** Memory is taken in whole granules. */
function whole(bytes: number): number {
  return Math.floor(bytes / granuleBytes) * granuleBytes;
}
