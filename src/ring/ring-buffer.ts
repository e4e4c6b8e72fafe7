// Owns the positions of a ring: one thread holds its RingProducer, another its RingConsumer. Nothing here waits, allocates
// per frame, or knows what a body means. Whatever is read from shared memory is checked before it is used as an index.

import { IllegalStateError, RingCorruptError } from '../common/errors/errors.ts';
import { maxRingBodyBytes } from '../common/ring-sizes.ts';
import { isFrameKind, PAD } from './frames/kinds.ts';
import {
  DATA_OFFSET,
  FLAGS_SHIFT,
  FRAME_DETAIL_WORD,
  FRAME_HEADER_BYTES,
  FRAME_KIND_WORD,
  FRAME_LENGTH_WORD,
  FRAME_REQUEST_ID_WORD,
  HEAD_WORD,
  HIGH_WATER_WORD,
  KIND_MASK,
  KNOWN_FLAGS,
  type RingMemory,
  TAIL_WORD,
} from './layout.ts';

// Positions are kept as int32 inside: V8 would box a uint32 above 2^31 at every store. Valid distances are at most 2^30,
// so `(a - b) | 0` is the distance, and a negative one is corruption. `>>> 0` at the public getters.

const NO_CLAIM = -1;

/** The writing end: claim, fill the body in place, commit. */
export class RingProducer {
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly capacity: number;
  /** Longest body that `claim` accepts: it fits whenever the ring is empty. */
  readonly maxBodyBytes: number;
  readonly #mask: number;
  /** Tail after the last commit; this thread is its only writer. */
  #tail: number;
  /** Head as last read: as long as it leaves room enough, the consumer's cache line is left alone. */
  #cachedHead: number;
  /** Bytes of PAD before the claimed frame, 0 for none. */
  #padBytes = 0;
  /** Body bytes of the open claim, or NO_CLAIM. */
  #claimedBytes = NO_CLAIM;

  constructor(ring: RingMemory) {
    this.i32 = ring.i32;
    this.u8 = ring.u8;
    this.capacity = ring.capacity;
    this.maxBodyBytes = maxRingBodyBytes(ring.capacity);
    this.#mask = ring.capacity - 1;
    // Atomic: another thread may have written here before this one took over.
    this.#tail = Atomics.load(ring.i32, TAIL_WORD);
    this.#cachedHead = (this.#tail - ring.capacity) | 0;
    if ((this.#tail & 7) !== 0) this.#corrupt(`tail is ${this.#tail >>> 0}, expected a multiple of 8`);
    this.#refreshHead();
  }

  /** uint32 tail after the last commit. */
  get position(): number {
    return this.#tail >>> 0;
  }

  /** Whether the consumer has released everything; reads its position afresh. */
  isEmpty(): boolean {
    this.#refreshHead();
    return this.#cachedHead === this.#tail;
  }

  /** Whether `claim(bodyBytes)` would succeed now; reads the consumer's position afresh when needed. */
  hasRoom(bodyBytes: number): boolean {
    return this.#isFree(this.#bytesFor(bodyBytes));
  }

  /**
   * Opens a frame.
   * @param bodyBytes integer from 0 to maxBodyBytes
   * @returns byte offset of the body in the views, a multiple of 8, or -1 when there is no room
   * @throws IllegalStateError when a claim is open or bodyBytes is out of range
   */
  claim(bodyBytes: number): number {
    if (this.#claimedBytes !== NO_CLAIM) throw new IllegalStateError('claim while another claim is open');
    if (!(bodyBytes >>> 0 === bodyBytes && bodyBytes <= this.maxBodyBytes)) this.#refuseBody(bodyBytes);
    const bytes = frameBytes(bodyBytes);
    const offset = this.#tail & this.#mask;
    const padBytes = bytes > this.capacity - offset ? this.capacity - offset : 0;
    if (!this.#isFree(padBytes + bytes)) return -1;
    this.#padBytes = padBytes;
    this.#claimedBytes = bodyBytes;
    return DATA_OFFSET + FRAME_HEADER_BYTES + (padBytes === 0 ? offset : 0);
  }

  /**
   * Makes the body of the open claim `bodyBytes` long without moving it, if the room after it is free and contiguous.
   * May exceed maxBodyBytes. @returns whether it did; if not, the claim is as before.
   */
  extend(bodyBytes: number): boolean {
    if (this.#claimedBytes === NO_CLAIM) throw new IllegalStateError('extend without a claim');
    if (!(bodyBytes <= this.capacity)) return false;
    const bytes = frameBytes(bodyBytes);
    const offset = (this.#tail + this.#padBytes) & this.#mask;
    if (offset + bytes > this.capacity || !this.#isFree(this.#padBytes + bytes)) return false;
    this.#claimedBytes = bodyBytes;
    return true;
  }

  /**
   * Publishes the open claim with its first `bodyBytes` bytes.
   * @param requestId uint32 @param detail int32
   * @throws IllegalStateError without a claim, for more bytes than claimed, or for an unknown kind or flag; the claim stays open
   */
  commit(kind: number, flags: number, requestId: number, detail: number, bodyBytes: number): void {
    // Also refuses a commit without a claim, which has -1 bytes.
    if (!(bodyBytes >= 0 && bodyBytes <= this.#claimedBytes)) this.#refuseCommit(bodyBytes);
    if (isFrameKind[kind] !== 1 || (flags & ~KNOWN_FLAGS) !== 0) refuseKind(kind, flags);
    const i32 = this.i32;
    let position = this.#tail;
    // Plain stores: nothing at or after the tail is read by the other thread, and the store of the tail orders them.
    if (this.#padBytes !== 0) position = this.#pad(position);
    const word = (DATA_OFFSET + (position & this.#mask)) >>> 2;
    i32[word + FRAME_LENGTH_WORD] = FRAME_HEADER_BYTES + bodyBytes;
    i32[word + FRAME_KIND_WORD] = kind | (flags << FLAGS_SHIFT);
    i32[word + FRAME_REQUEST_ID_WORD] = requestId;
    i32[word + FRAME_DETAIL_WORD] = detail;
    position = (position + frameBytes(bodyBytes)) | 0;
    this.#tail = position;
    this.#claimedBytes = NO_CLAIM;
    // Publishes PAD, header and body at once: a consumer that sees this tail sees them.
    Atomics.store(i32, TAIL_WORD, position);
  }

  /** @returns the position after the PAD. */
  #pad(position: number): number {
    const word = (DATA_OFFSET + (position & this.#mask)) >>> 2;
    this.i32[word + FRAME_LENGTH_WORD] = this.#padBytes;
    this.i32[word + FRAME_KIND_WORD] = PAD;
    return position + this.#padBytes;
  }

  /** Drops the open claim, if any: nothing of it was visible. */
  abandon(): void {
    this.#claimedBytes = NO_CLAIM;
  }

  /** Bytes from the tail to the end of a frame with this body, PAD included. */
  #bytesFor(bodyBytes: number): number {
    if (!(bodyBytes >>> 0 === bodyBytes && bodyBytes <= this.maxBodyBytes)) this.#refuseBody(bodyBytes);
    const bytes = frameBytes(bodyBytes);
    const toEnd = this.capacity - (this.#tail & this.#mask);
    return bytes > toEnd ? toEnd + bytes : bytes;
  }

  #refuseBody(bodyBytes: number): never {
    throw new IllegalStateError(`frame body of ${bodyBytes} bytes, must be an integer from 0 to ${this.maxBodyBytes}`);
  }

  #isFree(bytes: number): boolean {
    if (bytes <= this.capacity - ((this.#tail - this.#cachedHead) | 0)) return true;
    this.#refreshHead();
    return bytes <= this.capacity - ((this.#tail - this.#cachedHead) | 0);
  }

  #refreshHead(): void {
    // Atomic: orders the consumer's last reads of released frames before this thread overwrites them.
    const head = Atomics.load(this.i32, HEAD_WORD);
    const used = (this.#tail - head) | 0;
    const usedBefore = (this.#tail - this.#cachedHead) | 0;
    if (used < 0 || used > usedBefore || (head & 7) !== 0) {
      this.#corrupt(
        `head is ${used} bytes behind tail ${this.#tail >>> 0}, expected 0 to ${usedBefore}, a multiple of 8`,
      );
    }
    this.#cachedHead = head;
  }

  #refuseCommit(bodyBytes: number): never {
    if (this.#claimedBytes === NO_CLAIM) throw new IllegalStateError('commit without a claim');
    throw new IllegalStateError(`commit of ${bodyBytes} bytes, ${this.#claimedBytes} were claimed`);
  }

  #corrupt(what: string): never {
    throw new RingCorruptError(`ring of ${this.capacity} bytes, producer: ${what}`);
  }
}

/** The reading end: look at frame after frame, then release them together. */
export class RingConsumer {
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly capacity: number;
  /** The current frame: valid after `next` returned true, until `release`. */
  kind = PAD;
  flags = 0;
  /** uint32. */
  requestId = 0;
  /** int32. */
  detail = 0;
  /** Byte offset of the body in the views, a multiple of 8. */
  bodyOffset = DATA_OFFSET;
  bodyBytes = 0;
  readonly #mask: number;
  /** Head as published; this thread is its only writer. */
  #head: number;
  /** End of the current frame. */
  #position: number;
  /** Where the current frame begins, with the PAD before it. */
  #start: number;
  /** Tail as last read: up to there the producer's cache line is not touched. */
  #cachedTail: number;
  /** Greatest fill so far, bytes; this thread is its only writer. */
  #highWater: number;

  constructor(ring: RingMemory) {
    this.i32 = ring.i32;
    this.u8 = ring.u8;
    this.capacity = ring.capacity;
    this.#mask = ring.capacity - 1;
    // Atomic: another thread may have read here before this one took over.
    this.#head = Atomics.load(ring.i32, HEAD_WORD);
    this.#position = this.#head;
    this.#start = this.#head;
    this.#cachedTail = this.#head;
    this.#highWater = Atomics.load(ring.i32, HIGH_WATER_WORD);
    if ((this.#head & 7) !== 0) this.#corrupt(`head is ${this.#head >>> 0}, expected a multiple of 8`);
    this.#refreshTail();
  }

  /** uint32 position up to which frames are released. */
  get position(): number {
    return this.#head >>> 0;
  }

  /** Bytes of the frames that were read and not released. */
  get unreleasedBytes(): number {
    return (this.#position - this.#head) | 0;
  }

  /** Whether `next` would return false now; reads the producer's position afresh. */
  isEmpty(): boolean {
    return this.#position === this.#cachedTail && !this.#refreshTail();
  }

  /**
   * Goes to the next frame, without releasing the ones before. @returns false when there is none.
   * @throws RingCorruptError when shared memory holds what no producer writes; then the position is as before
   */
  next(): boolean {
    let position = this.#position;
    // Equality will do: both are frame boundaries.
    if (position === this.#cachedTail && !this.#refreshTail()) return false;
    const i32 = this.i32;
    let available = (this.#cachedTail - position) | 0;
    let offset = position & this.#mask;
    let word = (DATA_OFFSET + offset) >>> 2;
    // Each word is read once: what was checked is what is used.
    let kindWord = i32[word + FRAME_KIND_WORD]!;
    if (kindWord === PAD) {
      const padBytes = i32[word + FRAME_LENGTH_WORD]!;
      // A pad is committed together with the frame behind it, so another frame follows.
      if (padBytes !== this.capacity - offset || padBytes >= available) this.#corruptPad(padBytes, offset, available);
      position += padBytes;
      available -= padBytes;
      offset = 0;
      word = DATA_OFFSET >>> 2;
      kindWord = i32[word + FRAME_KIND_WORD]!;
    }
    const length = i32[word + FRAME_LENGTH_WORD]!;
    const kind = kindWord & KIND_MASK;
    const flags = kindWord >> FLAGS_SHIFT;
    if (length < FRAME_HEADER_BYTES || length > available || length > this.capacity - offset) {
      this.#corruptLength(length, offset, available);
    }
    if (isFrameKind[kind] !== 1 || (flags & ~KNOWN_FLAGS) !== 0) {
      this.#corrupt(`kind word is ${kindWord} at offset ${offset}, expected a known kind and flags`);
    }
    this.kind = kind;
    this.flags = flags;
    this.requestId = i32[word + FRAME_REQUEST_ID_WORD]! >>> 0;
    this.detail = i32[word + FRAME_DETAIL_WORD]!;
    this.bodyOffset = DATA_OFFSET + offset + FRAME_HEADER_BYTES;
    this.bodyBytes = length - FRAME_HEADER_BYTES;
    this.#start = this.#position;
    // Tail and end of data are multiples of 8, so rounding up passes neither.
    this.#position = (position + ((length + 7) & ~7)) | 0;
    return true;
  }

  /** Gives back everything up to the end of the current frame; its body must not be read after. */
  release(): void {
    this.#releaseTo(this.#position);
  }

  /** Gives back the frames before the current one, which stays as it is. */
  releaseBefore(): void {
    this.#releaseTo(this.#start);
  }

  #releaseTo(position: number): void {
    if (this.#head === position) return;
    this.#head = position;
    // Publishes the room, after all reads of it: a producer that sees this head may overwrite what is before it.
    Atomics.store(this.i32, HEAD_WORD, position);
  }

  /** @returns whether there is anything after the current frame. */
  #refreshTail(): boolean {
    // Atomic: makes the frames before this tail visible.
    const tail = Atomics.load(this.i32, TAIL_WORD);
    const used = (tail - this.#head) | 0;
    const usedBefore = (this.#cachedTail - this.#head) | 0;
    if (used < usedBefore || used > this.capacity || (tail & 7) !== 0) {
      this.#corrupt(
        `tail is ${used} bytes ahead of head ${this.#head >>> 0}, expected ${usedBefore} to ${this.capacity}, a multiple of 8`,
      );
    }
    this.#cachedTail = tail;
    if (used > this.#highWater) {
      this.#highWater = used;
      // Atomic: the other thread reads it when it likes.
      Atomics.store(this.i32, HIGH_WATER_WORD, used);
    }
    return tail !== this.#position;
  }

  #corruptPad(bytes: number, offset: number, available: number): never {
    this.#corrupt(
      `pad of ${bytes} bytes at offset ${offset} with ${available} bytes published, expected ${this.capacity - offset} and more published`,
    );
  }

  #corruptLength(length: number, offset: number, available: number): never {
    const limit = Math.min(available, this.capacity - offset);
    this.#corrupt(`frame length is ${length} at offset ${offset}, expected ${FRAME_HEADER_BYTES} to ${limit}`);
  }

  #corrupt(what: string): never {
    throw new RingCorruptError(`ring of ${this.capacity} bytes, consumer at ${this.#position >>> 0}: ${what}`);
  }
}

function refuseKind(kind: number, flags: number): never {
  throw new IllegalStateError(`commit of frame kind ${kind} with flags ${flags}, which do not exist`);
}

function frameBytes(bodyBytes: number): number {
  return (FRAME_HEADER_BYTES + 7 + bodyBytes) & ~7;
}
