// Owns the memory of a producer's batches: it is taken for a batch, given back when nobody reads it, and used again. Network thread.
// Must not hand out more than its limit.

/** Sizes are rounded up to a multiple of this, so that another batch can use the memory again. */
const granuleBytes = 1024;
/** Memory of the usual size and of 2, 4 and 8 times that size is kept for reuse. */
const keptSizes = 4;

export class BatchMemory {
  readonly maxBytes: number;
  readonly #chunkBytes: number;
  /** The memory that is kept for reuse, by its size. */
  readonly #free = new Map<number, Buffer[]>();
  #usedBytes = 0;
  #freeBytes = 0;

  /**
   * @param maxBytes   limit of all memory that is in use or kept for reuse
   * @param chunkBytes the usual size of a batch
   */
  constructor(maxBytes: number, chunkBytes: number) {
    this.#chunkBytes = rounded(chunkBytes);
    // One batch must always fit, otherwise nothing could ever be sent.
    this.maxBytes = Math.max(maxBytes, this.#chunkBytes);
    for (let i = 0; i < keptSizes; i++) this.#free.set(this.#chunkBytes * 2 ** i, []);
  }

  /** The bytes in use. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Whether `take` of this many bytes can ever succeed. */
  canEverHold(bytes: number): boolean {
    return rounded(Math.max(bytes, this.#chunkBytes)) <= this.maxBytes;
  }

  /** Takes memory of at least `minBytes`, with any contents. Null when the limit does not allow it now. */
  take(minBytes: number): Buffer | null {
    const bytes = rounded(Math.max(minBytes, this.#chunkBytes));
    if (this.#usedBytes + bytes > this.maxBytes) return null;
    this.#usedBytes += bytes;
    const kept = this.#free.get(bytes)?.pop();
    if (kept !== undefined) {
      this.#freeBytes -= bytes;
      return kept;
    }
    // Memory that is kept for reuse counts against the limit too. Some of it is dropped to make room.
    for (const [size, list] of this.#free) {
      while (list.length > 0 && this.#usedBytes + this.#freeBytes > this.maxBytes) {
        list.pop();
        this.#freeBytes -= size;
      }
    }
    return Buffer.allocUnsafeSlow(bytes);
  }

  /** Takes memory without the limit, for the parts of a batch that is split. The batch's own memory is given back right after that. */
  takeBeyond(minBytes: number): Buffer {
    const bytes = rounded(Math.max(minBytes, this.#chunkBytes));
    this.#usedBytes += bytes;
    return Buffer.allocUnsafeSlow(bytes);
  }

  /** Counts memory that is not from here. @returns false when the limit does not allow it; nothing is then counted */
  reserve(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.maxBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  /** Counts memory without the limit, for memory that was counted a moment ago. */
  reserveBeyond(bytes: number): void {
    this.#usedBytes += bytes;
  }

  /** Ends the count of memory that is not from here. */
  unreserve(bytes: number): void {
    this.#usedBytes -= bytes;
  }

  /** Gives memory back that `take` returned. */
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
