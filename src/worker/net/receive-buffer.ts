// Owns the bytes that one connection has received and that nobody has decoded yet. It cuts them into size-delimited frames
// without copying whole frames. Network thread. Must not know what a frame means.
//
//   small frames lie in the chunk, one after another:      | consumed | frame | frame | part of a frame | room |
//                                                          0        start                              end   chunk
//   a frame too big for the chunk gets memory of its own, and the socket reads the rest of it into that memory.

import { InvalidReceiveError, KafkaConnectionError } from '../../common/errors/errors.ts';
import type { FrameMemory, FrameWaiter } from './frame-memory.ts';

const sizeBytes = 4;
const chunkBytes = 64 * 1024;
/** With less room than this, the bytes left are moved to the front of the chunk: that costs less than many small reads. */
const compactBelowBytes = 16 * 1024;
/** Memory of one connection for frames that are not big, at most: the chunk, the spare memory, and a read that could not be stopped. */
export const maxChunkBytes = 2 * chunkBytes + compactBelowBytes;
const noFrame = Buffer.alloc(0);

export class ReceiveBuffer {
  /** Largest frame accepted, without its 4 size bytes. It is set higher when the connection is ready. */
  maxFrameBytes: number;
  /** Smallest frame accepted: the size of a correlation id, or 0 while frames are bare tokens of a login. */
  minFrameBytes = sizeBytes;
  /** The frame that `hasFrame` found: `frame[frameStart..frameEnd)`, valid until the next read or `consumeFrame`. */
  frame: Buffer;
  frameStart = 0;
  frameEnd = 0;

  readonly #frames: FrameMemory;
  #chunk: Buffer;
  #start = 0;
  #end = 0;
  /** Reads go here while the chunk is full, because a paused socket may still finish one read. */
  #spare: Buffer | null = null;
  #big: Buffer | null = null;
  /** Size of its memory, which may be moved to another thread later. */
  #acquiredBytes = 0;
  #bigBytes = 0;
  #bigFilled = 0;
  /** Somebody else gives the memory of the big frame back. */
  #isTaken = false;
  readonly #waiter: FrameWaiter;

  /** @param onMemory called when a big frame that waits for memory may find some: look for a frame, then read on */
  constructor(frames: FrameMemory, maxFrameBytes: number, onMemory: () => void = () => {}) {
    this.#frames = frames;
    this.#waiter = { onMemory };
    this.#chunk = Buffer.allocUnsafeSlow(chunkBytes);
    this.frame = noFrame;
    this.maxFrameBytes = maxFrameBytes;
  }

  /**
   * True when no more bytes may be read until a frame is consumed, or until there is memory for a big one. There is then a complete frame,
   * a broken one, or the beginning of one that waits for memory.
   */
  get isFull(): boolean {
    return !this.isInsideFrame && this.#end - this.#start >= chunkBytes;
  }

  /** A big frame has begun, and there is no memory for it. The socket is not read beyond the chunk until there is some. */
  get waitsForMemory(): boolean {
    return this.#frames.isWaiting(this.#waiter);
  }

  /** A big frame has begun and is not complete: there is nothing to do before more bytes come. */
  get isInsideFrame(): boolean {
    return this.#big !== null && !this.#isBigDone;
  }

  /** Bytes received but not consumed. */
  get bufferedBytes(): number {
    return this.#end - this.#start + this.#bigFilled;
  }

  /** Size of the memory for frames that are not big. */
  get chunkBytes(): number {
    return this.#chunk.length + (this.#spare?.length ?? 0);
  }

  get #isBigDone(): boolean {
    return this.#big !== null && this.#bigFilled === this.#bigBytes;
  }

  /** The exact memory that the next read fills. */
  memoryForRead(): Buffer {
    if (this.#big !== null && !this.#isBigDone) return this.#big.subarray(this.#bigFilled, this.#bigBytes);
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    } else if (this.#chunk.length - this.#end < compactBelowBytes && this.#start > 0) {
      this.#compact();
    }
    if (this.#end < this.#chunk.length) return this.#chunk.subarray(this.#end);
    this.#spare ??= Buffer.allocUnsafeSlow(compactBelowBytes);
    return this.#spare;
  }

  /** A read has put `byteCount` bytes into `memory`. `memoryForRead` returned that memory earlier. */
  received(memory: Uint8Array, byteCount: number): void {
    if (this.#big !== null && memory.buffer === this.#big.buffer) {
      this.#bigFilled += byteCount;
    } else if (
      // A big frame may have begun since `memoryForRead` returned this memory. Then the bytes continue that frame.
      (this.#big === null || this.#isBigDone) &&
      memory.buffer === this.#chunk.buffer &&
      memory.byteOffset === this.#chunk.byteOffset + this.#end
    ) {
      this.#end += byteCount;
      this.#startBigFrame();
    } else {
      this.#append(memory.subarray(0, byteCount));
    }
  }

  /**
   * Looks for a complete frame. Throws InvalidReceiveError when the size prefix is negative, below 4 or above
   * `maxFrameBytes`. Nothing is allocated for such a frame.
   */
  hasFrame(): boolean {
    if (this.#big !== null) {
      if (!this.#isBigDone) return false;
      this.frame = this.#big;
      this.frameStart = 0;
      this.frameEnd = this.#bigBytes;
      return true;
    }
    const available = this.#end - this.#start;
    if (available < sizeBytes) return false;
    const size = this.#checkedSize();
    if (available < sizeBytes + size) {
      this.#startBigFrame();
      return this.#big !== null && this.hasFrame();
    }
    this.frame = this.#chunk;
    this.frameStart = this.#start + sizeBytes;
    this.frameEnd = this.frameStart + size;
    return true;
  }

  /** Frees the frame that `hasFrame` found. */
  consumeFrame(): void {
    if (this.frame === this.#big) this.#releaseBig();
    else this.#start = this.frameEnd;
    // The bytes behind it may begin with a big frame.
    this.#startBigFrame();
    this.frameStart = 0;
    this.frameEnd = 0;
    this.frame = noFrame;
  }

  /**
   * Takes the memory of the frame that `hasFrame` found, which stays readable until the returned function is called, once. Null: the
   * frame lies in the chunk, and is valid until `consumeFrame` only.
   */
  takeFrame(): (() => void) | null {
    const big = this.#big;
    if (big === null || this.frame !== big || this.#isTaken) return null;
    this.#isTaken = true;
    const acquiredBytes = this.#acquiredBytes;
    return () => this.#frames.release(big, acquiredBytes);
  }

  /** Gives borrowed memory back. The buffer must not be used after that. */
  dispose(): void {
    this.#releaseBig();
    this.#frames.forget(this.#waiter);
  }

  #releaseBig(): void {
    const big = this.#big;
    if (big !== null && !this.#isTaken) this.#frames.release(big, this.#acquiredBytes);
    this.#isTaken = false;
    this.#big = null;
    this.#bigBytes = 0;
    this.#bigFilled = 0;
  }

  #checkedSize(): number {
    const size = this.#chunk.readInt32BE(this.#start);
    if (size >= this.minFrameBytes && size <= this.maxFrameBytes) return size;
    throw new InvalidReceiveError(sizeProblem(size, this.maxFrameBytes));
  }

  /** Moves the frame at `#start` into memory of its own if it is too big for a chunk. */
  #startBigFrame(): void {
    if (this.#big !== null || this.#end - this.#start < sizeBytes) return;
    const size = this.#chunk.readInt32BE(this.#start);
    if (size < sizeBytes || size > this.maxFrameBytes || size + sizeBytes <= chunkBytes) return;
    const big = this.#memoryFor(size);
    // The socket is read until the chunk is full.
    if (big === null) return;
    const have = Math.min(this.#end - this.#start - sizeBytes, size);
    this.#chunk.copy(big, 0, this.#start + sizeBytes, this.#start + sizeBytes + have);
    this.#start += sizeBytes + have;
    this.#big = big;
    this.#acquiredBytes = big.byteLength;
    this.#bigBytes = size;
    this.#bigFilled = have;
  }

  #memoryFor(size: number): Buffer | null {
    try {
      return this.#frames.acquire(size, this.#waiter);
    } catch (cause) {
      const text = `a frame of ${size} bytes cannot be received: ${(cause as Error).message}`;
      throw new KafkaConnectionError(text, { cause });
    }
  }

  #compact(): void {
    this.#chunk.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
  }

  /**
   * Only a read into the spare memory can find the chunk too full. A plain socket has at most one such read under way when
   * it is told to stop. TLS and tunnels still deliver the bytes that they have already read, at most 64 KiB. So the chunk grows
   * by that size, as often as needed.
   */
  #makeRoom(byteCount: number): void {
    const kept = this.#chunk.subarray(this.#start, this.#end);
    if (kept.length + byteCount > this.#chunk.length) {
      const larger = Buffer.allocUnsafeSlow(kept.length + byteCount);
      kept.copy(larger);
      this.#chunk = larger;
      this.#end -= this.#start;
      this.#start = 0;
    } else {
      this.#compact();
    }
  }

  #append(bytes: Uint8Array): void {
    let rest = bytes;
    if (this.#big !== null && !this.#isBigDone) {
      const taken = Math.min(rest.length, this.#bigBytes - this.#bigFilled);
      this.#big.set(rest.subarray(0, taken), this.#bigFilled);
      this.#bigFilled += taken;
      rest = rest.subarray(taken);
    }
    if (rest.length === 0) return;
    if (this.#chunk.length - this.#end < rest.length) this.#makeRoom(rest.length);
    this.#chunk.set(rest, this.#end);
    this.#end += rest.length;
    this.#startBigFrame();
  }
}

function sizeProblem(size: number, limit: number): string {
  const text = Buffer.alloc(4);
  text.writeInt32BE(size);
  if (text.toString('latin1') === 'HTTP') {
    return 'the server answers in HTTP ("HTTP" where a Kafka frame length was expected): this port belongs to a web server, not to a Kafka broker';
  }
  if (text[0] === 0x15 && text[1] === 0x03) {
    return `the server answers with a TLS alert (${text.toString('hex')} where a Kafka frame length was expected): it expects TLS; set securityProtocol to SSL or SASL_SSL`;
  }
  if (/^[\x20-\x7e]{4}$/.test(text.toString('latin1'))) {
    return `the server sends text ("${text.toString('latin1')}" where a Kafka frame length was expected, frame length ${size}): it is not a Kafka broker`;
  }
  if (size > limit) {
    return `frame length ${size} is above the limit of ${limit} bytes: raise receiveMessageMaxBytes if such responses are expected, or fetch less at a time`;
  }
  return `frame length ${size}: a Kafka frame has at least ${sizeBytes} bytes; the server is not a Kafka broker, or bytes of the connection were lost`;
}
