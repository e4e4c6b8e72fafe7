// Owns nothing but the shape of a body taken out of a link. Runs on every thread.

import type { MessageBytes } from '../common/memory.ts';

/** A body that belongs to whoever took it: no ring memory in it. */
export class OwnedBytes implements MessageBytes {
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly base = 0;
  readonly byteLength: number;

  constructor(i32: Int32Array, u8: Uint8Array, byteLength: number) {
    this.i32 = i32;
    this.u8 = u8;
    this.byteLength = byteLength;
  }
}
