// Owns the writing end of a link: a message is opened in the ring or on the heap, filled, and committed as a frame or as a
// moved buffer with a frame about it. One thread holds it. Must not wait, nor know what a body means.

import type { MessagePort } from 'node:worker_threads';
import { IllegalStateError, RingCorruptError } from '../common/errors/errors.ts';
import type { Reused } from '../common/kept-memory.ts';
import { alignTo8, type MessageMemory, unfilledMemory } from '../common/memory.ts';
import { isFrameKind } from './frames/kinds.ts';
import {
  FLAG_SPILLED,
  HEAD_WORD,
  HIGH_WATER_WORD,
  RETURNED_WORD,
  SPILLED_BODY_BYTES,
  SPILLED_BUFFER_WORD,
  SPILLED_USED_WORD,
  SPILLED_WORD,
  WAITING_WORD,
} from './layout.ts';
import type { RingProducer } from './ring-buffer.ts';
import { SpareMemory } from './spare-memory.ts';

/** Byte offsets of a message fit int32. */
const MAX_MESSAGE_BYTES = 2 ** 31 - 8;

export interface LinkLimits {
  /** Bodies up to this many bytes go through the ring; at most what an empty ring is sure to take. */
  readonly spillBytes: number;
  /** Bytes of moved bodies that the reader has not released yet, at most; a single body may exceed it. */
  readonly spillBudgetBytes: number;
}

/**
 * The writing end. `begin` opens a message, a flat writer fills it as MessageMemory (`i32`, `u8`, `base`, `capacity`, `grow`),
 * `commit` publishes it. Whether the body lies in the ring or on the heap is nobody's business outside.
 */
export class LinkWriter implements MessageMemory, Reused {
  i32: Int32Array;
  u8: Uint8Array;
  base = 0;
  capacity = 0;
  readonly spillBytes: number;
  readonly spillBudgetBytes: number;
  readonly #ring: RingProducer;
  readonly #port: MessagePort;
  readonly #spare: SpareMemory;
  #isWaiting = false;
  #isOpen = false;
  /** Buffer of the open message, or null while it lies in the ring. */
  #heap: ArrayBuffer | null = null;
  /** uint32 bytes moved so far; this thread is the only writer of SPILLED_WORD. */
  #spilled: number;
  /** uint32 bytes the reader has given back, as last read. */
  #returned: number;

  /** @param sparePort where the reader gives memory back; null: nowhere */
  constructor(ring: RingProducer, port: MessagePort, limits: LinkLimits, sparePort: MessagePort | null = null) {
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
    this.#spare = new SpareMemory(ring.i32, sparePort);
    this.i32 = ring.i32;
    this.u8 = ring.u8;
    this.spillBytes = spillBytes;
    this.spillBudgetBytes = spillBudgetBytes;
    // Atomic: another thread may have written here before this one took over.
    this.#spilled = Atomics.load(ring.i32, SPILLED_WORD) >>> 0;
    this.#returned = Atomics.load(ring.i32, RETURNED_WORD) >>> 0;
  }

  /** Bytes of bodies' memory that is kept for reuse. */
  get keptBytes(): number {
    return this.#spare.keptBytes;
  }

  get isKeeping(): boolean {
    return this.#spare.isKeeping;
  }

  /** Of bodies' memory. */
  trim(): void {
    this.#spare.trim();
  }

  /** Whether a message is open: begun and neither committed nor abandoned. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Bytes of data that the ring has. */
  get ringBytes(): number {
    return this.#ring.capacity;
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

  /** Greatest fill of the ring so far, bytes. */
  get highWaterBytes(): number {
    return Atomics.load(this.#ring.i32, HIGH_WATER_WORD);
  }

  /** Bytes of moved bodies that the reader has not released; read afresh. */
  get spilledBytesOutstanding(): number {
    this.#refreshReturned();
    return this.#outstanding();
  }

  /** Bytes of the ring that the reader has not released; read afresh. */
  get usedBytes(): number {
    return (this.position - this.releasedPosition) >>> 0;
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
    if (!(expectedBytes >= 0 && expectedBytes <= this.spillBytes)) return this.#beginLarge(expectedBytes);
    const bytes = alignTo8(expectedBytes);
    const offset = this.#ring.claim(bytes);
    if (offset === -1) return false;
    this.base = offset;
    this.capacity = bytes;
    this.#isOpen = true;
    return true;
  }

  #beginLarge(expectedBytes: number): boolean {
    if (!(expectedBytes >= 0 && expectedBytes <= MAX_MESSAGE_BYTES)) {
      throw new IllegalStateError(`message of ${expectedBytes} bytes, must be 0 to ${MAX_MESSAGE_BYTES}`);
    }
    // The ring is looked at too: work on a big message that could not be committed would be held for nothing.
    if (!this.hasRoom(expectedBytes)) return false;
    this.#moveTo(this.#spare.take(alignTo8(expectedBytes)));
    this.#isOpen = true;
    return true;
  }

  /** Memory for a message that is written elsewhere and then adopted: at least so many bytes, with any contents. */
  spareMemory(byteCount: number): ArrayBuffer {
    const bytes = alignTo8(byteCount);
    // So little is copied into the ring, and the memory would be lost.
    return byteCount > this.spillBytes ? this.#spare.take(bytes) : unfilledMemory(bytes);
  }

  /** The same, if there is any that the reader has given back. */
  keptMemory(byteCount: number): ArrayBuffer | undefined {
    return byteCount > this.spillBytes ? this.#spare.takeKept(alignTo8(byteCount)) : undefined;
  }

  /**
   * Opens a message that stands in `buffer` already, written on another thread; `commit` moves or copies it on.
   * @throws IllegalStateError when a message is open, or the buffer's length is no multiple of 8
   */
  adopt(buffer: ArrayBuffer): void {
    if (this.#isOpen) throw new IllegalStateError('adopt while another message is open');
    if (buffer.byteLength % 8 !== 0) {
      throw new IllegalStateError(`buffer of ${buffer.byteLength} bytes, must be a multiple of 8`);
    }
    this.#moveTo(buffer);
    this.#isOpen = true;
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
    const buffer = this.#spare.take(alignTo8(generous));
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
    if (this.#heap !== null) return this.#commitHeap(this.#heap, kind, requestId, detail, usedBytes);
    // The ring checks kind and size. This is the way of every small message: the rest is elsewhere, so that the engine can inline it.
    this.#ring.commit(kind, 0, requestId, detail, usedBytes);
    this.#isOpen = false;
    this.capacity = 0;
    return true;
  }

  #commitHeap(heap: ArrayBuffer, kind: number, requestId: number, detail: number, usedBytes: number): boolean {
    if (!(usedBytes >= 0 && usedBytes <= this.capacity)) {
      throw new IllegalStateError(`commit of ${usedBytes} bytes, the message has ${this.capacity}`);
    }
    checkKind(kind);
    if (usedBytes > this.spillBytes) {
      if (!this.#commitSpilled(heap, kind, requestId, detail, usedBytes)) return false;
    } else {
      const offset = this.#ring.claim(usedBytes);
      if (offset === -1) return false;
      this.#ring.u8.set(this.u8.subarray(0, usedBytes), offset);
      this.#ring.commit(kind, 0, requestId, detail, usedBytes);
    }
    this.#close();
    return true;
  }

  /** Publishes a frame without body. @returns false when the ring has no room. @throws IllegalStateError while a message is open */
  commitEmpty(kind: number, requestId: number, detail: number): boolean {
    if (this.#isOpen) throw new IllegalStateError('commitEmpty while a message is open');
    checkKind(kind);
    if (this.#ring.claim(0) === -1) return false;
    this.#ring.commit(kind, 0, requestId, detail, 0);
    return true;
  }

  /** Drops the open message, if any. */
  abandon(): void {
    this.#ring.abandon();
    this.#close();
  }

  #commitSpilled(heap: ArrayBuffer, kind: number, requestId: number, detail: number, usedBytes: number): boolean {
    // A view keeps its whole buffer alive for as long as the reader holds it, so at most half of it is waste.
    const isWasteful = usedBytes < heap.byteLength / 2;
    const bufferBytes = isWasteful ? alignTo8(usedBytes) : heap.byteLength;
    if (!this.#isWithinBudget(bufferBytes)) return false;
    const offset = this.#ring.claim(SPILLED_BODY_BYTES);
    if (offset === -1) return false;
    const word = offset >>> 2;
    this.#ring.i32[word + SPILLED_USED_WORD] = usedBytes;
    this.#ring.i32[word + SPILLED_BUFFER_WORD] = bufferBytes;
    try {
      const buffer = isWasteful ? heap.slice(0, bufferBytes) : heap;
      this.#port.postMessage(buffer, [buffer]);
    } catch (error) {
      this.#ring.abandon();
      throw error;
    }
    this.#spilled = (this.#spilled + bufferBytes) >>> 0;
    // Atomic: metrics of the other thread read it (`spilledBytesOutstanding`).
    Atomics.store(this.#ring.i32, SPILLED_WORD, this.#spilled);
    this.#spare.moved();
    this.#ring.commit(kind, FLAG_SPILLED, requestId, detail, SPILLED_BODY_BYTES);
    return true;
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

/** Before anything is claimed or moved: neither could be taken back. */
function checkKind(kind: number): void {
  if (isFrameKind[kind] !== 1) throw new IllegalStateError(`commit of frame kind ${kind}, which does not exist`);
}
