// Owns the reading end of a link: it reads the ring frame by frame, and picks up each moved body from the port when it reads
// the body's frame. One thread holds it. Must not wait, nor know what a body means.

import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { RingCorruptError } from '../common/errors/errors.ts';
import type { MessageBytes } from '../common/memory.ts';
import {
  FLAG_SPILLED,
  HIGH_WATER_WORD,
  RETURNED_WORD,
  SPILLED_BODY_BYTES,
  SPILLED_BUFFER_WORD,
  SPILLED_USED_WORD,
  SPILLED_WORD,
  TAIL_WORD,
  WAITING_WORD,
} from './layout.ts';
import { BodySlab, OwnedBytes } from './owned-bytes.ts';
import type { RingConsumer } from './ring-buffer.ts';
import { SpareMemoryReturn } from './spare-memory.ts';

/** The reading end: itself the current message, in place. */
export class LinkReader implements MessageBytes {
  /** Body of the current message, valid after `next` returned true, until `release` or the next `next`. */
  i32: Int32Array;
  u8: Uint8Array;
  base = 0;
  byteLength = 0;
  readonly #ring: RingConsumer;
  readonly #port: MessagePort;
  readonly #slab = new BodySlab();
  readonly #spare: SpareMemoryReturn;
  #isSpilled = false;
  /** Whether the moved body's memory was taken by `own`. */
  #isOwned = false;
  /** uint32 bytes of spilled bodies picked up; published as returned by `release`. */
  #pickedUp: number;
  /** The same without the current message. */
  #pickedUpBefore: number;
  #returned: number;
  /** Set once ring and port disagree: nothing after that can be trusted. */
  #corruption: RingCorruptError | null = null;

  /** @param sparePort where memory goes back to the writer; null: nowhere */
  constructor(ring: RingConsumer, port: MessagePort, sparePort: MessagePort | null = null) {
    this.#ring = ring;
    this.#port = port;
    this.#spare = new SpareMemoryReturn(ring.i32, sparePort);
    this.i32 = ring.i32;
    this.u8 = ring.u8;
    // Atomic: another thread may have read here before this one took over.
    this.#returned = Atomics.load(ring.i32, RETURNED_WORD) >>> 0;
    this.#pickedUp = this.#returned;
    this.#pickedUpBefore = this.#returned;
  }

  /** Bytes of data that the ring has. */
  get ringBytes(): number {
    return this.#ring.capacity;
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

  /** uint32 position behind the current message. */
  get positionAfter(): number {
    return (this.#ring.position + this.#ring.unreleasedBytes) >>> 0;
  }

  /** uint32 position behind the newest message; read afresh. */
  get newestPosition(): number {
    // Atomic: the writer's thread moves it.
    return Atomics.load(this.#ring.i32, TAIL_WORD) >>> 0;
  }

  /** Bytes of the ring that hold messages that were read and not released. */
  get unreleasedBytes(): number {
    return this.#ring.unreleasedBytes;
  }

  /** Bytes of the ring that are written and not released; read afresh. */
  get usedBytes(): number {
    // Atomic: the writer's thread moves it.
    return (Atomics.load(this.#ring.i32, TAIL_WORD) - this.#ring.position) >>> 0;
  }

  /** Greatest fill of the ring so far, bytes. */
  get highWaterBytes(): number {
    return Atomics.load(this.#ring.i32, HIGH_WATER_WORD);
  }

  /** Bytes of moved bodies that are under way or not released; read afresh. */
  get spilledBytesOutstanding(): number {
    // Atomic: the writer's thread moves it.
    return (Atomics.load(this.#ring.i32, SPILLED_WORD) - this.#returned) >>> 0;
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
    this.#pickedUpBefore = this.#pickedUp;
    if ((ring.flags & FLAG_SPILLED) !== 0) {
      this.#pickUp();
    } else {
      this.#leaveSpilled();
      this.base = ring.bodyOffset;
      this.byteLength = ring.bodyBytes;
    }
    return true;
  }

  /** The current body as memory of its own: a copy of a small one, the moved buffer itself of a spilled one. */
  own(): OwnedBytes {
    if (this.#isSpilled) {
      this.#isOwned = true;
      return new OwnedBytes(this.i32, this.u8, 0, this.byteLength, true);
    }
    return this.#slab.copy(this.#ring.u8, this.#ring.i32, this.base, this.byteLength);
  }

  /** Gives back ring space and spill budget up to and with the current message. Its body must not be read in place afterwards. */
  release(): void {
    this.#return(this.#pickedUp);
    this.#ring.release();
    this.#leaveSpilled();
  }

  /** The same for the messages before the current one, which stays as it is. */
  releaseBefore(): void {
    this.#return(this.#pickedUpBefore);
    this.#ring.releaseBefore();
  }

  /** Before the head is moved: when the ring is empty, so is the account. */
  #return(pickedUp: number): void {
    if (pickedUp === this.#returned) return;
    this.#returned = pickedUp;
    // Atomic: the writer loads it to see how much of its budget is free.
    Atomics.store(this.#ring.i32, RETURNED_WORD, pickedUp);
  }

  /** Gives memory that `own` took back to the writer. Every view of it is empty afterwards. */
  giveBack(memory: ArrayBuffer): void {
    this.#spare.give(memory);
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
    this.#leaveSpilled();
    this.#isSpilled = true;
    this.i32 = new Int32Array(buffer);
    this.u8 = new Uint8Array(buffer);
    this.base = 0;
    this.byteLength = usedBytes;
  }

  /** Lets go of a moved buffer, which belongs to whoever owned it, or else to the writer again. */
  #leaveSpilled(): void {
    if (!this.#isSpilled) return;
    if (!this.#isOwned) this.#spare.give(this.u8.buffer as ArrayBuffer);
    this.#isSpilled = false;
    this.#isOwned = false;
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
