// Owns the replies that a test can choose for a request: their data, and the bytes that are sent. Runs in the broker's thread. The
// data crosses threads. So only a rule in the same process, or a function, can decide for each request.

/** What happens to one request. Fields can be combined. An empty object is the normal answer. */
export interface Reply {
  /** The request waits before it is handled, until `release` of the same name. Later requests of the connection wait too. */
  readonly holdUntil?: string;
  /** The same, but after the request was handled and before the answer is written. */
  readonly holdAnswerUntil?: string;
  /** The request waits so long before it is handled, in ms on the broker's clock. */
  readonly delayMs?: number;
  /**
   * `never`: the request is handled, but nothing is written. `close`: it is not handled, and FIN is sent. `reset`: it is not
   * handled, and RST is sent. `closeAfter`, `resetAfter`: it is handled, and then FIN or RST is sent instead of the answer.
   * Default `normal`.
   */
  readonly answer?: 'normal' | 'never' | 'close' | 'reset' | 'closeAfter' | 'resetAfter';
  /** The request is not handled. The answer has this code in every field for an error code. */
  readonly errorCode?: number;
  /**
   * The request is not handled. This is the body of the answer, a plain object for `writeResponse`. An int64 is a number or a
   * bigint, because a Long cannot be sent between threads.
   */
  readonly body?: object;
  /** This throttle time is written into every answer. The broker itself does not wait. */
  readonly throttleTimeMs?: number;
  /** Encodes the answer in this version instead of the requested one. */
  readonly version?: number;
  readonly wire?: WireFault;
}

/** What happens to the bytes of an answer. */
export interface WireFault {
  /** Replaces the correlation id of the request. */
  readonly correlationId?: number;
  /** Replaces the right size prefix. */
  readonly sizePrefix?: number;
  /** Bytes after the body, inside the frame. */
  readonly trailingBytes?: Uint8Array;
  /** Bits that are flipped in one byte. Offset 0 is the first byte of the size prefix. A negative offset counts from the end. */
  readonly corrupt?: { readonly offset: number; readonly mask?: number };
  /** These bytes are sent instead of the frame, without a size prefix. */
  readonly rawBytes?: Uint8Array;
  /** Only so many bytes of the frame are written, size prefix included. Then comes `ending`, default `close`. */
  readonly cutAfter?: number;
  readonly ending?: 'close' | 'reset' | 'silence';
  /** So many bytes are written at a time, each piece in its own turn or `trickleMs` apart. */
  readonly trickleBytes?: number;
  readonly trickleMs?: number;
}

/** A frame on its way out. */
export interface OutgoingFrame {
  readonly chunks: readonly Buffer[];
  /** Set if a fault needs more than the writing of the chunks. */
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
