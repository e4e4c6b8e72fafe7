// Owns the memory that frames too big for a connection's chunk are received into, and keeps a little of it for reuse:
// fresh memory costs a page fault for every 4 KiB. Network thread.

const maxCached = 4;

export class FrameMemory {
  readonly #cached: Buffer[] = [];
  readonly #maxCachedBytes: number;
  #cachedBytes = 0;

  constructor(maxCachedBytes = 32 * 1024 * 1024) {
    this.#maxCachedBytes = maxCachedBytes;
  }

  /** A buffer of at least `byteCount` bytes, with any contents. */
  acquire(byteCount: number): Buffer {
    let best = -1;
    for (let i = 0; i < this.#cached.length; i++) {
      const length = this.#cached[i]!.length;
      if (length >= byteCount && (best === -1 || length < this.#cached[best]!.length)) best = i;
    }
    if (best === -1) return Buffer.allocUnsafeSlow(byteCount);
    const [buffer] = this.#cached.splice(best, 1);
    this.#cachedBytes -= buffer!.length;
    return buffer!;
  }

  release(buffer: Buffer): void {
    // Moved to another thread meanwhile.
    if (buffer.length === 0) return;
    if (this.#cachedBytes + buffer.length > this.#maxCachedBytes) return;
    if (this.#cached.length === maxCached) {
      this.#cached.sort((a, b) => a.length - b.length);
      this.#cachedBytes -= this.#cached.shift()!.length;
    }
    this.#cached.push(buffer);
    this.#cachedBytes += buffer.length;
  }
}
