// Owns the choice of the memory that is kept for reuse. New memory costs a page fault for every 4 KiB. Every thread.

/** Keeps a few buffers for reuse, with a limit of their number and of their bytes. */
export class KeptMemory<T extends { readonly byteLength: number }> {
  readonly #kept: T[] = [];
  readonly #maxCount: number;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  get byteLength(): number {
    return this.#bytes;
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
    this.#bytes -= memory!.byteLength;
    return memory;
  }

  /** Keeps a buffer if there is room. If there are enough buffers, it replaces the smallest. A buffer that was moved away is ignored. */
  keep(memory: T): void {
    const { byteLength } = memory;
    if (byteLength === 0 || this.#bytes + byteLength > this.#maxBytes) return;
    if (this.#kept.length === this.#maxCount) {
      this.#kept.sort((a, b) => a.byteLength - b.byteLength);
      this.#bytes -= this.#kept.shift()!.byteLength;
    }
    this.#kept.push(memory);
    this.#bytes += byteLength;
  }
}
