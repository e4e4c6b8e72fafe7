// Owns the interface between memory for a flat message (a ring frame, a heap buffer) and the flat writers that fill it. Every
// thread. Must not know what a message means.

/** Memory for one message that is being written. Offsets are in bytes unless their name ends in `Word`. */
export interface MessageMemory {
  /** Views over the whole backing buffer; both change when `grow` moves the message. */
  i32: Int32Array;
  u8: Uint8Array;
  /** Where the message begins in the views, in bytes. A multiple of 8. */
  base: number;
  /** Writable bytes from `base`. */
  capacity: number;
  /**
   * Makes `capacity` at least `neededBytes`, keeping the first `usedBytes`. May replace `i32`, `u8` and `base`.
   * `hintBytes` is the size that the writer expects at the end, so that one move is enough.
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

/** A message on this thread's heap. It grows by doubling. Bytes that were not written have any contents. */
export class HeapMemory implements MessageMemory {
  i32: Int32Array;
  u8: Uint8Array;
  base = 0;
  capacity: number;

  /** @param buffer to begin with, instead of new memory */
  constructor(initialBytes = 256, buffer = unfilledMemory(alignTo8(Math.max(initialBytes, 64)))) {
    this.i32 = new Int32Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.capacity = buffer.byteLength;
  }

  grow(neededBytes: number, usedBytes: number, hintBytes = 0): void {
    // With a hint the size is known. Without one, the size doubles, so that few copies are made.
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

/** Memory that is not set to zero first: to clear a megabyte costs as much as to write it. */
export function unfilledMemory(byteCount: number): ArrayBuffer {
  return Buffer.allocUnsafeSlow(byteCount).buffer as ArrayBuffer;
}
