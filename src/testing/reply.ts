// Owns what a test can have the embedded broker do with a request: the data that says so, and the bytes that come of it.
// Runs in the broker's thread. The data cross threads, so only in-process rules and functions can decide by request.

/** What happens to one request. Parts combine; an empty object is the normal answer. */
export interface Reply {
  /** Wait, before the request is handled, until `release` of the same name. Later requests of the connection wait behind. */
  readonly holdUntil?: string;
  /** The same after it was handled, before the answer is written. */
  readonly holdAnswerUntil?: string;
  /** Wait so long on the broker's clock, before the request is handled. */
  readonly delayMs?: number;
  /**
   * `never`: handled, but nothing is written. `close`: not handled, FIN. `reset`: not handled, RST. `closeAfter`,
   * `resetAfter`: handled, then the same instead of the answer. Default `normal`.
   */
  readonly answer?: 'normal' | 'never' | 'close' | 'reset' | 'closeAfter' | 'resetAfter';
  /** The request is not handled; this code stands wherever the answer has room for one. */
  readonly errorCode?: number;
  /**
   * The request is not handled; this is the answer's body, a plain object as `writeResponse` takes it. int64 as number or
   * bigint: a Long does not survive the way between threads.
   */
  readonly body?: object;
  /** Written into the answer, whatever else it is. The broker itself does not pause. */
  readonly throttleTimeMs?: number;
  /** Encode in this version instead of the one asked for. */
  readonly version?: number;
  readonly wire?: WireFault;
}

/** What happens to the bytes of an answer. */
export interface WireFault {
  /** Instead of the request's. */
  readonly correlationId?: number;
  /** Instead of the true size prefix. */
  readonly sizePrefix?: number;
  /** After the body, inside the frame. */
  readonly trailingBytes?: Uint8Array;
  /** Bits to flip in one byte; offset 0 is the first of the size prefix, a negative one counts from the end. */
  readonly corrupt?: { readonly offset: number; readonly mask?: number };
  /** Send these bytes instead of the frame; no prefix is put before them. */
  readonly rawBytes?: Uint8Array;
  /** Write only so many bytes of it, size prefix included; then comes `ending`, default `close`. */
  readonly cutAfter?: number;
  readonly ending?: 'close' | 'reset' | 'silence';
  /** Write so many bytes at a time, each piece in a turn of its own, or `trickleMs` apart. */
  readonly trickleBytes?: number;
  readonly trickleMs?: number;
}

/** A frame on its way out. */
export interface OutgoingFrame {
  readonly chunks: readonly Buffer[];
  /** Set when a fault asks for more than writing the chunks. */
  readonly cut: 'close' | 'reset' | 'silence' | null;
  readonly trickle: { readonly bytes: number; readonly ms: number } | null;
}

/** Applies a fault to a frame: `chunks` starts with size prefix and correlation id in its first 8 bytes. */
export function applyWireFault(chunks: readonly Buffer[], fault: WireFault | undefined): OutgoingFrame {
  if (fault === undefined) return { chunks, cut: null, trickle: null };
  let frame: Buffer = fault.rawBytes === undefined ? Buffer.concat(chunks) : Buffer.from(fault.rawBytes);
  if (fault.rawBytes === undefined) frame = patchFrame(frame, fault);
  if (fault.corrupt !== undefined) {
    const { offset, mask = 0xff } = fault.corrupt;
    const at = offset < 0 ? frame.length + offset : offset;
    if (at < 0 || at >= frame.length) throw new RangeError(`cannot corrupt byte ${offset} of ${frame.length}`);
    frame[at] = frame[at]! ^ mask;
  }
  if (fault.cutAfter !== undefined) frame = frame.subarray(0, fault.cutAfter);
  return {
    chunks: [frame],
    cut: fault.cutAfter === undefined ? (fault.ending ?? null) : (fault.ending ?? 'close'),
    trickle: fault.trickleBytes === undefined ? null : { bytes: fault.trickleBytes, ms: fault.trickleMs ?? 0 },
  };
}

function patchFrame(whole: Buffer, fault: WireFault): Buffer {
  const frame = fault.trailingBytes === undefined ? whole : Buffer.concat([whole, fault.trailingBytes]);
  frame.writeInt32BE(fault.sizePrefix ?? frame.length - 4, 0);
  if (fault.correlationId !== undefined) frame.writeInt32BE(fault.correlationId, 4);
  return frame;
}
