// Owns the choice of which memory is kept for reuse: fresh memory costs a page fault for every 4 KiB. Runs on every thread.

/** A few buffers, of any kind that knows its length, within a number and a sum of bytes. */
export class KeptMemory<T extends { readonly byteLength: number }> {
  readonly #kept: T[] = [];
  readonly #maxCount: number;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  /** Removes and returns the smallest of `minBytes` to `maxBytes` bytes; undefined for none. */
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

  /** Keeps it if there is room, in place of the smallest when there are enough. Memory that was moved away is none. */
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
