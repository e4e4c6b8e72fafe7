// Owns one direction between two threads: a ring for frames plus a MessagePort for bodies too big for it, behind one
// claim and commit. One thread holds the LinkWriter, another the LinkReader; neither waits. Must not know what a body means.
// The port is read with receiveMessageOnPort only: nobody may listen on it or post anything else to it.

import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { IllegalStateError, RingCorruptError } from '../common/errors.ts';
import { alignTo8, type MessageBytes, type MessageMemory } from '../common/memory.ts';
import { FLAG_SPILLED } from './frames.ts';
import {
  HEAD_WORD,
  RETURNED_WORD,
  SPILLED_BODY_BYTES,
  SPILLED_BUFFER_WORD,
  SPILLED_USED_WORD,
  SPILLED_WORD,
  WAITING_WORD,
} from './layout.ts';
import { OwnedBytes } from './owned-bytes.ts';
import type { RingConsumer, RingProducer } from './ring-buffer.ts';

/** Byte offsets of a message fit int32. */
const MAX_MESSAGE_BYTES = 2 ** 31 - 8;

export interface LinkLimits {
  /** Bodies up to this many bytes go through the ring; at most half the ring's capacity less 16. */
  readonly spillBytes: number;
  /** Bytes of moved bodies that the reader has not released yet, at most; a single body may exceed it. */
  readonly spillBudgetBytes: number;
}

/**
 * The writing end. `begin` opens a message, a flat writer fills it as MessageMemory (`i32`, `u8`, `base`, `capacity`, `grow`),
 * `commit` publishes it. Whether the body lies in the ring or on the heap is nobody's business outside.
 */
export class LinkWriter implements MessageMemory {
  i32: Int32Array;
  u8: Uint8Array;
  base = 0;
  capacity = 0;
  readonly spillBytes: number;
  readonly spillBudgetBytes: number;
  readonly #ring: RingProducer;
  readonly #port: MessagePort;
  #isWaiting = false;
  #isOpen = false;
  /** Buffer of the open message, or null while it lies in the ring. */
  #heap: ArrayBuffer | null = null;
  /** uint32 bytes moved so far; this thread is the only writer of SPILLED_WORD. */
  #spilled: number;
  /** uint32 bytes the reader has given back, as last read. */
  #returned: number;

  constructor(ring: RingProducer, port: MessagePort, limits: LinkLimits) {
    const { spillBytes, spillBudgetBytes } = limits;
    if (!(Number.isInteger(spillBytes) && spillBytes >= 0 && spillBytes <= ring.maxBodyBytes)) {
      throw new IllegalStateError(
        `spillBytes is ${spillBytes}, must be an integer from 0 to ${ring.maxBodyBytes} with a ring of ${ring.capacity} bytes`,
      );
    }
    if (!(Number.isInteger(spillBudgetBytes) && spillBudgetBytes >= 0 && spillBudgetBytes <= MAX_MESSAGE_BYTES)) {
      throw new IllegalStateError(
        `spillBudgetBytes is ${spillBudgetBytes}, must be an integer from 0 to ${MAX_MESSAGE_BYTES}`,
      );
    }
    this.#ring = ring;
    this.#port = port;
    this.i32 = ring.i32;
    this.u8 = ring.u8;
    this.spillBytes = spillBytes;
    this.spillBudgetBytes = spillBudgetBytes;
    // Atomic: another thread may have written here before this one took over.
    this.#spilled = Atomics.load(ring.i32, SPILLED_WORD) >>> 0;
    this.#returned = Atomics.load(ring.i32, RETURNED_WORD) >>> 0;
  }

  /** Whether a message is open: begun and neither committed nor abandoned. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** uint32 position after the last commit; LinkReader.position reaches it when the reader has released that frame. */
  get position(): number {
    return this.#ring.position;
  }

  /** uint32 position up to which the reader has released messages; read afresh. */
  get releasedPosition(): number {
    // Atomic: what the reader did with those messages is visible after this load.
    return Atomics.load(this.#ring.i32, HEAD_WORD) >>> 0;
  }

  /** Bytes of moved bodies that the reader has not released; read afresh. */
  get spilledBytesOutstanding(): number {
    this.#refreshReturned();
    return this.#outstanding();
  }

  /** Whether the reader has released everything; read afresh. */
  isEmpty(): boolean {
    return this.#ring.isEmpty();
  }

  /** Whether `begin(expectedBytes)` would succeed now; what a sleeping writer of a full link looks for. */
  hasRoom(expectedBytes: number): boolean {
    if (expectedBytes <= this.spillBytes) return this.#ring.hasRoom(alignTo8(expectedBytes));
    return this.#isWithinBudget(alignTo8(expectedBytes)) && this.#ring.hasRoom(SPILLED_BODY_BYTES);
  }

  /**
   * Tells the reader whether this thread waits for room. Look at `hasRoom` once more after setting it: the reader may
   * have released everything just before.
   */
  setWaiting(isWaiting: boolean): void {
    if (isWaiting === this.#isWaiting) return;
    this.#isWaiting = isWaiting;
    // Atomic: ordered before the look at the reader's position that follows.
    Atomics.store(this.#ring.i32, WAITING_WORD, isWaiting ? 1 : 0);
  }

  /**
   * Opens a message.
   * @param expectedBytes best guess of its length, up to 2^31 - 8; `grow` corrects it upwards, `commit` downwards
   * @returns false, and nothing is open, when the ring has no room or the spill budget is spent
   * @throws IllegalStateError when a message is open or expectedBytes is out of range
   */
  begin(expectedBytes: number): boolean {
    if (this.#isOpen) throw new IllegalStateError('begin while another message is open');
    if (!(expectedBytes >= 0 && expectedBytes <= MAX_MESSAGE_BYTES)) {
      throw new IllegalStateError(`message of ${expectedBytes} bytes, must be 0 to ${MAX_MESSAGE_BYTES}`);
    }
    const bytes = alignTo8(expectedBytes);
    if (expectedBytes > this.spillBytes) {
      // The ring is looked at too: work on a big message that could not be committed would be held for nothing.
      if (!this.hasRoom(expectedBytes)) return false;
      this.#moveTo(unfilledMemory(bytes));
    } else {
      const offset = this.#ring.claim(bytes);
      if (offset === -1) return false;
      this.base = offset;
      this.capacity = bytes;
    }
    this.#isOpen = true;
    return true;
  }

  grow(neededBytes: number, usedBytes: number, hintBytes = 0): void {
    if (!this.#isOpen) throw new IllegalStateError('grow without an open message');
    if (neededBytes <= this.capacity) return;
    if (!(neededBytes <= MAX_MESSAGE_BYTES)) {
      throw new IllegalStateError(`message of ${neededBytes} bytes, must be 0 to ${MAX_MESSAGE_BYTES}`);
    }
    // With a hint the size is known; without one, doubling keeps the copying in proportion.
    const wanted = hintBytes >= neededBytes ? hintBytes : this.capacity * 2;
    const generous = Math.min(Math.max(neededBytes, wanted), MAX_MESSAGE_BYTES);
    if (this.#heap === null && neededBytes <= this.spillBytes) {
      if (this.#extend(Math.min(generous, this.spillBytes)) || this.#extend(neededBytes)) return;
    }
    const buffer = unfilledMemory(alignTo8(generous));
    new Uint8Array(buffer).set(this.u8.subarray(this.base, this.base + usedBytes));
    // Free at once for this message's own, smaller or spilled, frame.
    this.#ring.abandon();
    this.#moveTo(buffer);
  }

  /**
   * Publishes the open message with its first `usedBytes` bytes.
   * @param requestId uint32 @param detail int32
   * @returns false when it outgrew its claim and the ring has no room, or the budget is spent; the message stays open: commit
   * again later, or abandon
   */
  commit(kind: number, requestId: number, detail: number, usedBytes: number): boolean {
    if (!this.#isOpen) throw new IllegalStateError('commit without an open message');
    if (!(usedBytes >= 0 && usedBytes <= this.capacity)) {
      throw new IllegalStateError(`commit of ${usedBytes} bytes, the message has ${this.capacity}`);
    }
    if (this.#heap === null) {
      this.#ring.commit(kind, 0, requestId, detail, usedBytes);
    } else if (usedBytes > this.spillBytes) {
      if (!this.#commitSpilled(this.#heap, kind, requestId, detail, usedBytes)) return false;
    } else {
      const offset = this.#ring.claim(usedBytes);
      if (offset === -1) return false;
      this.#ring.u8.set(this.u8.subarray(0, usedBytes), offset);
      this.#commitClaim(kind, 0, requestId, detail, usedBytes);
    }
    this.#close();
    return true;
  }

  /** Publishes a frame without body. @returns false when the ring has no room. @throws IllegalStateError while a message is open */
  commitEmpty(kind: number, requestId: number, detail: number): boolean {
    if (this.#isOpen) throw new IllegalStateError('commitEmpty while a message is open');
    if (this.#ring.claim(0) === -1) return false;
    this.#commitClaim(kind, 0, requestId, detail, 0);
    return true;
  }

  /** Drops the open message, if any. */
  abandon(): void {
    this.#ring.abandon();
    this.#close();
  }

  #commitSpilled(heap: ArrayBuffer, kind: number, requestId: number, detail: number, usedBytes: number): boolean {
    // A view keeps its whole buffer alive for as long as the reader holds it, so at most half of it is waste.
    const buffer = usedBytes < heap.byteLength / 2 ? heap.slice(0, alignTo8(usedBytes)) : heap;
    const bufferBytes = buffer.byteLength;
    if (!this.#isWithinBudget(bufferBytes)) return false;
    const offset = this.#ring.claim(SPILLED_BODY_BYTES);
    if (offset === -1) return false;
    const word = offset >>> 2;
    this.#ring.i32[word + SPILLED_USED_WORD] = usedBytes;
    this.#ring.i32[word + SPILLED_BUFFER_WORD] = bufferBytes;
    try {
      this.#port.postMessage(buffer, [buffer]);
    } catch (error) {
      this.#ring.abandon();
      throw error;
    }
    this.#spilled = (this.#spilled + bufferBytes) >>> 0;
    // Atomic for whoever inspects the link from outside; the reader does not use it.
    Atomics.store(this.#ring.i32, SPILLED_WORD, this.#spilled);
    this.#commitClaim(kind, FLAG_SPILLED, requestId, detail, SPILLED_BODY_BYTES);
    return true;
  }

  /** A claim made inside a call must not outlive it when the kind is refused. */
  #commitClaim(kind: number, flags: number, requestId: number, detail: number, bodyBytes: number): void {
    try {
      this.#ring.commit(kind, flags, requestId, detail, bodyBytes);
    } catch (error) {
      this.#ring.abandon();
      throw error;
    }
  }

  #extend(bytes: number): boolean {
    const aligned = alignTo8(bytes);
    if (!this.#ring.extend(aligned)) return false;
    this.capacity = aligned;
    return true;
  }

  #moveTo(heap: ArrayBuffer): void {
    this.#heap = heap;
    this.i32 = new Int32Array(heap);
    this.u8 = new Uint8Array(heap);
    this.base = 0;
    this.capacity = heap.byteLength;
  }

  #close(): void {
    this.#isOpen = false;
    this.capacity = 0;
    if (this.#heap === null) return;
    this.#heap = null;
    this.i32 = this.#ring.i32;
    this.u8 = this.#ring.u8;
    this.base = 0;
  }

  #outstanding(): number {
    return (this.#spilled - this.#returned) >>> 0;
  }

  #isWithinBudget(bytes: number): boolean {
    if (this.#outstanding() + bytes <= this.spillBudgetBytes) return true;
    this.#refreshReturned();
    // A body bigger than the whole budget travels alone.
    const outstanding = this.#outstanding();
    return outstanding === 0 || outstanding + bytes <= this.spillBudgetBytes;
  }

  #refreshReturned(): void {
    // Atomic: the reader stores it when it is done with the bodies.
    const returned = Atomics.load(this.#ring.i32, RETURNED_WORD) >>> 0;
    const given = (returned - this.#returned) >>> 0;
    if (given > this.#outstanding()) {
      throw new RingCorruptError(`reader returned ${given} spilled bytes, expected at most ${this.#outstanding()}`);
    }
    this.#returned = returned;
  }
}

/** Memory that is not zeroed first: clearing a megabyte that is about to be written costs as much as writing it. */
function unfilledMemory(byteCount: number): ArrayBuffer {
  return Buffer.allocUnsafeSlow(byteCount).buffer as ArrayBuffer;
}

/** The reading end: itself the current message, in place. */
export class LinkReader implements MessageBytes {
  /** Body of the current message, valid after `next` returned true, until `release` or the next `next`. */
  i32: Int32Array;
  u8: Uint8Array;
  base = 0;
  byteLength = 0;
  readonly #ring: RingConsumer;
  readonly #port: MessagePort;
  #isSpilled = false;
  /** uint32 bytes of spilled bodies picked up; published as returned by `release`. */
  #pickedUp: number;
  #returned: number;
  /** Once the ring and the port disagree nothing behind can be trusted. */
  #corruption: RingCorruptError | null = null;

  constructor(ring: RingConsumer, port: MessagePort) {
    this.#ring = ring;
    this.#port = port;
    this.i32 = ring.i32;
    this.u8 = ring.u8;
    // Atomic: another thread may have read here before this one took over.
    this.#returned = Atomics.load(ring.i32, RETURNED_WORD) >>> 0;
    this.#pickedUp = this.#returned;
  }

  get kind(): number {
    return this.#ring.kind;
  }

  /** uint32. */
  get requestId(): number {
    return this.#ring.requestId;
  }

  /** int32. */
  get detail(): number {
    return this.#ring.detail;
  }

  /** uint32 position up to which messages are released. */
  get position(): number {
    return this.#ring.position;
  }

  /** Whether the writer wants to be notified now that something has been released. */
  get isWriterWaiting(): boolean {
    // Atomic: ordered after the release, so that reader and writer cannot miss each other.
    return Atomics.load(this.#ring.i32, WAITING_WORD) !== 0;
  }

  /** Whether `next` would return false now; reads the writer's position afresh. */
  isEmpty(): boolean {
    return this.#ring.isEmpty();
  }

  /**
   * Goes to the next message, without releasing the ones before. @returns false when there is none
   * @throws RingCorruptError when shared memory or the port holds what no writer sends; again on every later call
   */
  next(): boolean {
    if (this.#corruption !== null) throw this.#corruption;
    const ring = this.#ring;
    if (!ring.next()) return false;
    if ((ring.flags & FLAG_SPILLED) !== 0) {
      this.#pickUp();
    } else {
      if (this.#isSpilled) this.#leaveSpilled();
      this.base = ring.bodyOffset;
      this.byteLength = ring.bodyBytes;
    }
    return true;
  }

  /** The current body as memory of its own: a copy of a small one, the moved buffer itself of a spilled one. */
  own(): MessageBytes {
    if (this.#isSpilled) return new OwnedBytes(this.i32, this.u8, this.byteLength);
    // Room to the next multiple of 8, as everywhere, so that whole words cover the last bytes.
    const bytes = alignTo8(this.byteLength);
    const u8 = new Uint8Array(new ArrayBuffer(bytes));
    u8.set(this.#ring.u8.subarray(this.base, this.base + this.byteLength));
    return new OwnedBytes(new Int32Array(u8.buffer), u8, this.byteLength);
  }

  /** Gives back ring space and spill budget of everything up to the current message; its body must not be read in place after. */
  release(): void {
    this.#ring.release();
    if (this.#pickedUp !== this.#returned) {
      this.#returned = this.#pickedUp;
      // Atomic: the writer loads it to see how much of its budget is free.
      Atomics.store(this.#ring.i32, RETURNED_WORD, this.#returned);
    }
    if (this.#isSpilled) this.#leaveSpilled();
  }

  #pickUp(): void {
    const ring = this.#ring;
    if (ring.bodyBytes !== SPILLED_BODY_BYTES) {
      this.#fail(`spilled frame with a body of ${ring.bodyBytes} bytes, expected ${SPILLED_BODY_BYTES}`);
    }
    const word = ring.bodyOffset >>> 2;
    const usedBytes = ring.i32[word + SPILLED_USED_WORD]!;
    const bufferBytes = ring.i32[word + SPILLED_BUFFER_WORD]!;
    if (bufferBytes <= 0 || (bufferBytes & 7) !== 0 || usedBytes < 0 || usedBytes > bufferBytes) {
      this.#fail(`spilled frame says ${usedBytes} of ${bufferBytes} bytes are used`);
    }
    const received: { message: unknown } | undefined = receiveMessageOnPort(this.#port);
    if (received === undefined) this.#fail(`spilled body of ${bufferBytes} bytes is missing`);
    const buffer = received.message;
    if (!(buffer instanceof ArrayBuffer) || buffer.byteLength !== bufferBytes) {
      const seen = buffer instanceof ArrayBuffer ? `has ${buffer.byteLength} bytes` : `is a ${typeof buffer}`;
      this.#fail(`spilled body ${seen}, expected ${bufferBytes} bytes`);
    }
    this.#pickedUp = (this.#pickedUp + bufferBytes) >>> 0;
    this.#isSpilled = true;
    this.i32 = new Int32Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.base = 0;
    this.byteLength = usedBytes;
  }

  /** Lets go of a moved buffer, which is the application's now, or garbage. */
  #leaveSpilled(): void {
    this.#isSpilled = false;
    this.i32 = this.#ring.i32;
    this.u8 = this.#ring.u8;
    this.base = 0;
    this.byteLength = 0;
  }

  #fail(what: string): never {
    this.#corruption = new RingCorruptError(`link at ring position ${this.#ring.position}: ${what}`);
    throw this.#corruption;
  }
}
