// Owns the memory for frames that are too big for a connection's chunk, and its limit. Network thread. A connection whose frame finds no
// memory waits for it, and its socket is not read meanwhile: TCP holds the broker back.

import { KeptMemory, type Reused } from '../../common/kept-memory.ts';

const maxKept = 4;
/** Limit of the memory that is kept for reuse. */
export const maxKeptFrameBytes = 32 * 1024 * 1024;

/** Who waits for memory. */
export interface FrameWaiter {
  /** There may be memory now. Called outside of any call of this waiter. */
  onMemory(): void;
}

export class FrameMemory implements Reused {
  readonly #kept: KeptMemory<Buffer>;
  readonly #maxBytes: number;
  #usedBytes = 0;
  /** In the order in which they came. */
  readonly #waiting = new Set<FrameWaiter>();

  /** @param maxBytes limit of the frames that are received at a time; a larger frame is received when there is no other */
  constructor(maxKeptBytes = maxKeptFrameBytes, maxBytes = Number.POSITIVE_INFINITY) {
    this.#kept = new KeptMemory(maxKept, maxKeptBytes);
    this.#maxBytes = maxBytes;
  }

  /** Bytes of frames that are received or wait to be decoded. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  get keptBytes(): number {
    return this.#kept.byteLength;
  }

  get isKeeping(): boolean {
    return this.#kept.isKeeping;
  }

  trim(): void {
    this.#kept.trim();
  }

  get waiterCount(): number {
    return this.#waiting.size;
  }

  isWaiting(waiter: FrameWaiter): boolean {
    return this.#waiting.has(waiter);
  }

  /**
   * A buffer of at least `byteCount` bytes, with any contents. Null if the limit is reached or others came first: then the waiter is
   * called when it is worth another try.
   */
  acquire(byteCount: number, waiter: FrameWaiter): Buffer | null {
    const [first = waiter] = this.#waiting;
    const roomBytes = this.#usedBytes === 0 ? Number.POSITIVE_INFINITY : this.#maxBytes - this.#usedBytes;
    if (first !== waiter || byteCount > roomBytes) {
      this.#waiting.add(waiter);
      return null;
    }
    const buffer = this.#kept.take(byteCount, Math.max(byteCount, this.#maxBytes - this.#usedBytes));
    const acquired = buffer ?? Buffer.allocUnsafeSlow(byteCount);
    this.#usedBytes += acquired.byteLength;
    this.forget(waiter);
    return acquired;
  }

  /** @param acquiredBytes its size when it was acquired: its memory may have been moved to another thread since */
  release(buffer: Buffer, acquiredBytes: number): void {
    this.#usedBytes -= acquiredBytes;
    this.#kept.keep(buffer);
    this.#callNext();
  }

  /** Keeps memory that was moved away and has come back, if there is room. It does not count as used any more. */
  keep(memory: ArrayBuffer): void {
    this.#kept.keep(Buffer.from(memory));
  }

  /** The waiter does not want memory any more. */
  forget(waiter: FrameWaiter): void {
    if (this.#waiting.delete(waiter)) this.#callNext();
  }

  #callNext(): void {
    const [next] = this.#waiting;
    next?.onMemory();
  }
}
