// Owns the memory for frames that are too big for a connection's chunk. Network thread.

import { KeptMemory } from '../../common/kept-memory.ts';

const maxKept = 4;

export class FrameMemory {
  readonly #kept: KeptMemory<Buffer>;

  constructor(maxKeptBytes = 32 * 1024 * 1024) {
    this.#kept = new KeptMemory(maxKept, maxKeptBytes);
  }

  /** A buffer of at least `byteCount` bytes, with any contents. */
  acquire(byteCount: number): Buffer {
    return this.#kept.take(byteCount) ?? Buffer.allocUnsafeSlow(byteCount);
  }

  release(buffer: Buffer): void {
    this.#kept.keep(buffer);
  }
}
