// Owns every word offset of a ring and of a doorbell, and makes and opens their memory. Runs on every thread.
// Must not move a position: ring-buffer.ts, link-writer.ts and link-reader.ts do.

import { IllegalStateError, RingCorruptError } from '../common/errors/errors.ts';
import { frameHeaderBytes } from '../common/ring-sizes.ts';

/*
 * A ring is one SharedArrayBuffer. Numbers are byte offsets; each line of the header is 128 bytes, two cache lines,
 * because processors fetch lines in pairs and the two threads must not take each other's line away.
 *
 *       0  +-----------+-----------+------------------------------------+
 *          | MAGIC     | CAPACITY  |  written once, by createRing       |
 *     128  +-----------+-----------+-----------+-----------+------------+
 *          | TAIL      | SPILLED   | WAITING   | RECLAIMED | by producer|
 *     256  +-----------+-----------+-----------+-----------+------------+
 *          | HEAD      | RETURNED  | HIGHWATER |  by the consumer       |
 *     384  +-----------+-----------+------------------------------------+
 *          | data: CAPACITY bytes, a power of two                       |
 *          +------------------------------------------------------------+
 *
 * TAIL and HEAD are uint32 byte positions that only grow and wrap at 2^32; `position & (CAPACITY - 1)` is the offset in
 * the data. HEAD == TAIL: empty. TAIL - HEAD (modulo 2^32) never exceeds CAPACITY.
 * SPILLED counts the bytes of all bodies that left through the link's port, RETURNED those the reader is done with;
 * both are uint32 and wrap, and their difference is what the spill budget limits. WAITING is 1 while the writer wants a
 * notify when something is released, 0 otherwise: a reader that keeps up wakes nobody. RECLAIMED counts, as uint32, the
 * bytes of bodies' memory that came back to the writer for reuse. HIGHWATER is the greatest fill that the reader has met, in
 * bytes: the ring only fills between two of its looks, so that is the greatest fill there was. Nothing depends on it.
 *
 *          HEAD                         TAIL
 *   -------+----------+---------+-------+------------------------+-----
 *    free  | frame    | frame   | frame |  open claim, invisible |  free
 *   -------+----------+---------+-------+------------------------+-----
 *
 * A frame, from an offset that is a multiple of 8; the body is contiguous:
 *
 *       0        4           8           12       16            length
 *       +--------+-----------+-----------+--------+-------------+- - - +
 *       | length | kind word | requestId | detail | body        | to 8 |
 *       +--------+-----------+-----------+--------+-------------+- - - +
 *
 * length counts header and body, without the bytes that fill up to a multiple of 8. The kind word is
 * kind | flags << 8, its upper half 0. requestId is uint32, detail int32.
 *
 * A PAD fills the end of the data when the next frame does not fit there. It has two words only, since the end may be
 * 8 bytes away, and its length reaches exactly to the end:
 *
 *       +--------+---------------+- - - - -+
 *       | length | kind word = 0 |         |
 *       +--------+---------------+- - - - -+
 */

export const MAGIC_WORD = 0;
export const CAPACITY_WORD = 1;
export const TAIL_WORD = 128 >>> 2;
export const SPILLED_WORD = TAIL_WORD + 1;
export const WAITING_WORD = TAIL_WORD + 2;
export const RECLAIMED_WORD = TAIL_WORD + 3;
export const HEAD_WORD = 256 >>> 2;
export const RETURNED_WORD = HEAD_WORD + 1;
export const HIGH_WATER_WORD = HEAD_WORD + 2;
export const DATA_OFFSET = 384;

export const FRAME_LENGTH_WORD = 0;
export const FRAME_KIND_WORD = 1;
export const FRAME_REQUEST_ID_WORD = 2;
export const FRAME_DETAIL_WORD = 3;
export const FRAME_HEADER_BYTES = frameHeaderBytes;
export const KIND_MASK = 0xff;
export const FLAGS_SHIFT = 8;

/** An empty ring always takes a frame of up to half its capacity: 32 bytes would hold header-only frames, 64 hold some body. */
export const MIN_RING_BYTES = 64;
/** Distances between positions stay positive int32, which V8 keeps out of the heap. */
export const MAX_RING_BYTES = 2 ** 30;

/** "RING" in ASCII: tells a ring from any other SharedArrayBuffer handed over by mistake. */
const MAGIC = 0x52494e47;

/** One thread's views of a ring. Offsets that producer and consumer hand out count from the start of the buffer. */
export interface RingMemory {
  readonly buffer: SharedArrayBuffer;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  /** Bytes of the data area. */
  readonly capacity: number;
}

/**
 * Makes an empty ring.
 * @param capacityBytes a power of two from 64 to 2^30
 * @param startPosition uint32, a multiple of 8: where both positions start; other than 0 only in tests of the wrap
 * @throws IllegalStateError for any other number
 */
export function createRing(capacityBytes: number, startPosition = 0): SharedArrayBuffer {
  if (!isRingCapacity(capacityBytes)) {
    throw new IllegalStateError(
      `ring capacity is ${capacityBytes} bytes, must be a power of two from ${MIN_RING_BYTES} to ${MAX_RING_BYTES}`,
    );
  }
  if (startPosition >>> 0 !== startPosition || startPosition % 8 !== 0) {
    throw new IllegalStateError(`ring start position is ${startPosition}, must be a uint32 multiple of 8`);
  }
  const buffer = new SharedArrayBuffer(DATA_OFFSET + capacityBytes);
  const i32 = new Int32Array(buffer);
  // Plain stores: no other thread has the buffer yet, and handing it over orders them.
  i32[CAPACITY_WORD] = capacityBytes;
  i32[TAIL_WORD] = startPosition;
  i32[HEAD_WORD] = startPosition;
  i32[MAGIC_WORD] = MAGIC;
  return buffer;
}

/**
 * Views of a ring that createRing made, in this or another thread.
 * @throws RingCorruptError when the buffer is no ring
 */
export function openRing(buffer: SharedArrayBuffer): RingMemory {
  if (buffer.byteLength < DATA_OFFSET + MIN_RING_BYTES) {
    throw new RingCorruptError(`ring of ${buffer.byteLength} bytes, expected at least ${DATA_OFFSET + MIN_RING_BYTES}`);
  }
  const i32 = new Int32Array(buffer);
  if (i32[MAGIC_WORD] !== MAGIC) {
    throw new RingCorruptError(`ring magic is ${i32[MAGIC_WORD]}, expected ${MAGIC}`);
  }
  const capacity = i32[CAPACITY_WORD]!;
  if (!isRingCapacity(capacity) || buffer.byteLength !== DATA_OFFSET + capacity) {
    throw new RingCorruptError(
      `ring capacity is ${capacity} in a buffer of ${buffer.byteLength} bytes, expected ${buffer.byteLength - DATA_OFFSET}`,
    );
  }
  return { buffer, i32, u8: new Uint8Array(buffer), capacity };
}

/** Whether a ring may have this many bytes of data: a power of two from 64 to 2^30. */
export function isRingCapacity(bytes: number): boolean {
  return bytes >= MIN_RING_BYTES && bytes <= MAX_RING_BYTES && Number.isInteger(bytes) && (bytes & (bytes - 1)) === 0;
}

/** Flag of a frame whose body is two words about an ArrayBuffer that went through the link's port. Never leaves link-reader.ts and
 * link-writer.ts. */
export const FLAG_SPILLED = 1;
/** Every flag bit that exists. */
export const KNOWN_FLAGS = FLAG_SPILLED;

/*
 * A spilled body is moved as an ArrayBuffer; its frame holds two words about it. The body's message is posted before its
 * frame is committed and picked up when the reader comes to that frame, so both queues have the same order.
 *
 *       +------------+-------------+
 *       | usedBytes  | bufferBytes |   body of a frame with FLAG_SPILLED
 *       +------------+-------------+
 *
 * usedBytes: length of the message; bufferBytes: of the whole ArrayBuffer, a multiple of 8. The budget counts bufferBytes.
 */
export const SPILLED_USED_WORD = 0;
export const SPILLED_BUFFER_WORD = 1;
export const SPILLED_BODY_BYTES = 8;

/*
 * A doorbell is one SharedArrayBuffer, alone on its lines. Both words are exceptions from the rule of one writer:
 *
 *       0  +-----------+-----------+------------------------------------+
 *          | SEQ       | ASLEEP    |                                    |
 *     128  +-----------+-----------+------------------------------------+
 *
 * ASLEEP: its owner sets 1 (it sleeps) or 2 (it dozes), a notifier sets 0. SEQ: a notifier that found ASLEEP set adds 1.
 */

export const SEQ_WORD = 0;
export const ASLEEP_WORD = 1;
/** States of a doorbell's owner. */
export const AWAKE = 0;
export const ASLEEP = 1;
export const DOZING = 2;
export const DOORBELL_BYTES = 128;
