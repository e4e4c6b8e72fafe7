// Owns the bytes of a flat message that its owner may take back: what a cursor shows of them, and what stands for them afterwards. Runs on
// the application's thread. Must not copy.

import { IllegalStateError } from '../../common/errors/errors.ts';

/** Whose memory it is. */
interface Lender {
  readonly memory: ArrayBufferLike;
  isKept: boolean;
}

/** Stands for memory that was given back: empty views would answer every question with undefined. */
export function memoryGone(text: string): unknown {
  return new Proxy(new Uint8Array(0), {
    get() {
      throw new IllegalStateError(text);
    },
  });
}

/**
 * The bytes of a message for readers that only look at single bytes. The message can take its memory back from them. Whoever asks for a
 * view of them or for their buffer can keep that, so the message then keeps its memory, too.
 */
export class LentBytes extends Uint8Array {
  readonly #lender: Lender;

  constructor(lender: Lender, byteOffset: number, byteLength: number) {
    super(lender.memory as ArrayBuffer, byteOffset, byteLength);
    this.#lender = lender;
  }

  /** What `map` and `filter` make are copies. */
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array;
  }

  override get buffer(): ArrayBuffer {
    this.#lender.isKept = true;
    return this.#lender.memory as ArrayBuffer;
  }

  override subarray(begin?: number, end?: number): Uint8Array<ArrayBuffer> {
    const { length, byteOffset } = this;
    const first = indexIn(begin ?? 0, length);
    const last = end === undefined ? length : indexIn(end, length);
    return new Uint8Array(this.buffer, byteOffset + first, Math.max(0, last - first));
  }
}

/** An index as `subarray` takes it: negative ones count from the end. */
function indexIn(index: number, length: number): number {
  const whole = Math.trunc(index) || 0;
  return whole < 0 ? Math.max(0, length + whole) : Math.min(whole, length);
}
