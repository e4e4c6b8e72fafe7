// Owns the memory of a producer's batches: taken for a batch, given back when nobody reads it any more, filled again. Network
// thread. Must not hand out more than its bound, whatever asks.

/** Sizes are rounded up to a multiple of this, so that memory of one batch serves another. */
const granuleBytes = 1024;
/** Memory of the usual size, and of 2, 4, ... times that, is kept to be filled again. */
const keptSizes = 4;

export class BatchMemory {
  readonly maxBytes: number;
  readonly #chunkBytes: number;
  /** Memory that waits to be filled again, by its size. */
  readonly #free = new Map<number, Buffer[]>();
  #usedBytes = 0;
  #freeBytes = 0;

  /**
   * @param maxBytes   of all memory that is out or waits to be filled again
   * @param chunkBytes what a batch usually takes
   */
  constructor(maxBytes: number, chunkBytes: number) {
    this.#chunkBytes = rounded(chunkBytes);
    // One batch must fit, whatever was configured: else nothing could ever be sent.
    this.maxBytes = Math.max(maxBytes, this.#chunkBytes);
    for (let i = 0; i < keptSizes; i++) this.#free.set(this.#chunkBytes * 2 ** i, []);
  }

  /** Bytes that are out. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes that may still be taken. */
  get availableBytes(): number {
    return this.maxBytes - this.#usedBytes;
  }

  /** Whether `take` of this many bytes may ever succeed. */
  canEverHold(bytes: number): boolean {
    return rounded(Math.max(bytes, this.#chunkBytes)) <= this.maxBytes;
  }

  /** Memory of at least `minBytes`, with whatever it held before in it; null when the bound does not allow that now. */
  take(minBytes: number): Buffer | null {
    const bytes = rounded(Math.max(minBytes, this.#chunkBytes));
    if (this.#usedBytes + bytes > this.maxBytes) return null;
    this.#usedBytes += bytes;
    const kept = this.#free.get(bytes)?.pop();
    if (kept !== undefined) {
      this.#freeBytes -= bytes;
      return kept;
    }
    // What waits counts against the bound as well: it makes room for what is asked for.
    for (const [size, list] of this.#free) {
      while (list.length > 0 && this.#usedBytes + this.#freeBytes > this.maxBytes) {
        list.pop();
        this.#freeBytes -= size;
      }
    }
    return Buffer.allocUnsafeSlow(bytes);
  }

  /** The same whatever the bound: for the parts of a batch that is split, whose own memory comes back right after. */
  takeBeyond(minBytes: number): Buffer {
    const bytes = rounded(Math.max(minBytes, this.#chunkBytes));
    this.#usedBytes += bytes;
    return Buffer.allocUnsafeSlow(bytes);
  }

  /** Counts memory that lies elsewhere. @returns false, and nothing is counted, when the bound does not allow it */
  reserve(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.maxBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** The same whatever the bound: for memory that was counted a moment ago. */
  reserveBeyond(bytes: number): void {
    this.#usedBytes += bytes;
  }

  /** Counts it no longer. */
  unreserve(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  /** Takes back what `take` gave. */
  give(memory: Buffer): void {
    const { length } = memory;
    this.#usedBytes -= length;
    const list = this.#free.get(length);
    if (list === undefined || this.#usedBytes + this.#freeBytes + length > this.maxBytes) return;
    list.push(memory);
    this.#freeBytes += length;
  }
}

function rounded(bytes: number): number {
  return Math.ceil(Math.max(bytes, 1) / granuleBytes) * granuleBytes;
}
