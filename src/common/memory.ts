// Owns the contract between whoever provides memory for a flat message (a ring frame, a heap buffer) and whoever fills
// it (flat writers). Runs on every thread. Must not know what a message means.

/** Memory for one message under construction. All offsets are bytes unless named `Word`. */
export interface MessageMemory {
  /** Views over the whole backing buffer; both change when `grow` moves the message. */
  i32: Int32Array;
  u8: Uint8Array;
  /** Where the message starts in the views; a multiple of 8. */
  base: number;
  /** Writable bytes from `base`. */
  capacity: number;
  /**
   * Makes `capacity` at least `neededBytes`, keeping the first `usedBytes`; may replace `i32`, `u8` and `base`.
   * `hintBytes` is the size the writer expects in the end, so that one move is enough.
   */
  grow(neededBytes: number, usedBytes: number, hintBytes?: number): void;
}

/** A finished message: `byteLength` bytes from `base` (a multiple of 8) in the views. */
export interface MessageBytes {
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly base: number;
  readonly byteLength: number;
}

/** A message on this thread's heap, growing by doubling. Contents beyond what was written are undefined. */
export class HeapMemory implements MessageMemory {
  i32: Int32Array;
  u8: Uint8Array;
  base = 0;
  capacity: number;

  constructor(initialBytes = 256) {
    const buffer = unfilledMemory(alignTo8(Math.max(initialBytes, 64)));
    this.i32 = new Int32Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.capacity = buffer.byteLength;
  }

  grow(neededBytes: number, usedBytes: number, hintBytes = 0): void {
    // With a hint the size is known; without one, doubling keeps the copying in proportion.
    const wanted = hintBytes >= neededBytes ? hintBytes : this.capacity * 2;
    const buffer = unfilledMemory(alignTo8(Math.max(neededBytes, wanted)));
    const u8 = new Uint8Array(buffer);
    u8.set(this.u8.subarray(this.base, this.base + usedBytes));
    this.u8 = u8;
    this.i32 = new Int32Array(buffer);
    this.base = 0;
    this.capacity = buffer.byteLength;
  }
}

export function alignTo8(bytes: number): number {
  return (bytes + 7) & ~7;
}

/** Memory that is not zeroed first: clearing a megabyte that is about to be written costs as much as writing it. */
export function unfilledMemory(byteCount: number): ArrayBuffer {
  return Buffer.allocUnsafeSlow(byteCount).buffer as ArrayBuffer;
}
