// Owns the choice of the memory that is kept for reuse. New memory costs a page fault for every 4 KiB. Every thread.

/** Memory that is kept for reuse, and that goes back when it is not reused. */
export interface Reused {
  /** Whether `trim` may have something to do. */
  readonly isKeeping: boolean;
  /** Lets go of the memory that nobody has needed since the last call. */
  trim(): void;
}

/** Owns the least that a number has been since somebody last looked. */
export class Least {
  #least = 0;

  /** To be called when the number has become smaller. */
  fell(value: number): void {
    if (value < this.#least) this.#least = value;
  }

  /** The least since the last call. @param value the number now */
  look(value: number): number {
    const least = Math.min(this.#least, value);
    this.#least = value;
    return least;
  }
}

/** Keeps a few buffers for reuse, with a limit of their number and of their bytes. */
export class KeptMemory<T extends { readonly byteLength: number }> implements Reused {
  #kept: T[] = [];
  readonly #maxCount: number;
  readonly #maxBytes: number;
  #bytes = 0;
  readonly #leastBytes = new Least();

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  get byteLength(): number {
    return this.#bytes;
  }

  get isKeeping(): boolean {
    return this.#bytes > 0;
  }

  /** Removes and returns the smallest buffer of `minBytes` to `maxBytes` bytes. Undefined if there is none. */
  take(minBytes: number, maxBytes = Number.POSITIVE_INFINITY): T | undefined {
    let best = -1;
    for (let i = 0; i < this.#kept.length; i++) {
      const { byteLength } = this.#kept[i]!;
      if (byteLength < minBytes || byteLength > maxBytes) continue;
      if (best === -1 || byteLength < this.#kept[best]!.byteLength) best = i;
    }
    if (best === -1) return undefined;
    const [memory] = this.#kept.splice(best, 1);
    this.#drop(memory!.byteLength);
    return memory;
  }

  /** Keeps a buffer if there is room. If there are enough buffers, it replaces the smallest. A buffer that was moved away is ignored. */
  keep(memory: T): void {
    const { byteLength } = memory;
    if (byteLength === 0 || this.#bytes + byteLength > this.#maxBytes) return;
    if (this.#kept.length === this.#maxCount) {
      this.#kept.sort((a, b) => a.byteLength - b.byteLength);
      this.#drop(this.#kept.shift()!.byteLength);
    }
    this.#kept.push(memory);
    this.#bytes += byteLength;
  }

  /** So many bytes were there all the time, whichever buffers they were. The largest that they allow go. */
  trim(): void {
    let idleBytes = this.#leastBytes.look(this.#bytes);
    if (idleBytes === 0) return;
    this.#kept.sort((a, b) => b.byteLength - a.byteLength);
    this.#kept = this.#kept.filter(({ byteLength }) => {
      if (byteLength > idleBytes) return true;
      idleBytes -= byteLength;
      this.#drop(byteLength);
      return false;
    });
  }

  #drop(bytes: number): void {
    this.#bytes -= bytes;
    this.#leastBytes.fell(this.#bytes);
  }
}
