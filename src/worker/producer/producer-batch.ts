// Owns one batch of records of one partition. Records are written one by one in wire format v2, straight into its memory. Before it is
// sent, it is sealed with header and checksum. It is sealed again when it is sent again with other numbers. Network thread. Must not
// decide when it is sent, and must not take or give back its memory: the accumulator does.

import { crc32c } from '../../codec/crc32c.ts';
import { CopyMemory, copyBytes } from '../../common/copy-bytes.ts';
import { highHalf } from '../../common/numbers.ts';
import type { TrackKind } from '../../common/record-tracking.ts';
import { ATTRIBUTE_TRANSACTIONAL } from '../../protocol/flat/records/records-slot.ts';
import { putLength, putWide, sizeOfDelta, sizeOfLength } from '../../protocol/flat/varints.ts';
import { BATCH_CRC_FROM, BATCH_HEADER_BYTES } from '../../protocol/wire/records/record-batch.ts';
import { writeInt16, writeInt32, writeInt64 } from '../../protocol/wire/records/record-bytes.ts';
import type { FlushWaiter } from './flush-waiter.ts';
import type { PartitionState } from './partition-state.ts';
import { type RecordOwner, RecordRuns } from './record-owner.ts';

/** The largest size of a record without its body: length, attributes, two deltas. */
export const maxRecordHeadBytes = 5 + 1 + 10 + 5;
export const noSequence = -1;

/** A codec and its level, for `compress`. */
export interface BatchCompression {
  readonly codec: number;
  readonly level: number;
}

/** The bytes and the time of a record. They are read from an object, because a time as an argument is garbage for each record. */
export interface BatchRecord {
  /** An integer, in ms since the epoch. */
  readonly timestampMs: number;
  /** `[from, to)` of its bytes is the record in wire format, from the length of its key on. */
  readonly memory: CopyMemory;
  readonly from: number;
  readonly to: number;
}

export class ProducerBatch {
  readonly partition: PartitionState;
  readonly createdAt: number;
  readonly runs = new RecordRuns();
  /** Null after it was given back. */
  memory: Buffer | null;
  /** In whose share of the memory it counts: the owner of its first record. Null for a part of a batch that was split. */
  holder: RecordOwner | null = null;
  /** How many bytes of the memory are used: header and records. */
  end = BATCH_HEADER_BYTES;
  count = 0;
  /** The size of the largest record, without the batch's header. */
  maxRecordBytes = 0;
  /** The size at which the batch is full. It is set when the batch is opened. */
  targetBytes = 0;
  /** Its memory may be replaced by larger memory up to this size. */
  capacityBytes = 0;
  /** The size of header and records before compression. */
  uncompressedBytes = BATCH_HEADER_BYTES;
  /** No more records are appended. */
  isFull = false;
  /** The records are complete, and compressed if they are to be compressed. */
  isClosed = false;
  /** It is being compressed outside of this thread, or waits for that. */
  isPacking = false;
  /** It could not be compressed outside. */
  isPackedHere = false;
  isSettled = false;
  /** The time at which it is sent even if it is not full, in ms on the monotonic clock. */
  lingerUntil: number;
  /** The application waits for one of its records, so it is sent when no request of its partition is under way. */
  isAwaited = false;
  attempts = 0;
  /** It must not be sent before this time, in ms on the monotonic clock. */
  retryAt = 0;
  /** The leader epoch at the last send. -1 for unknown. */
  leaderEpoch = -1;
  isQueued = true;
  /** How many requests with this batch are not answered. */
  requests = 0;
  /** How many sockets may still read its memory. */
  readers = 0;
  producerIdLow = -1;
  producerIdHigh = -1;
  producerEpoch = -1;
  baseSequence = noSequence;
  /** It was sent, and no answer has said that it was not written. */
  maybeWritten = false;
  /** Its numbers have changed since the last send. */
  isRenumbered = false;
  /** How often it was split. Each split makes smaller batches than the one before. */
  splits = 0;
  readonly waiters: FlushWaiter[] = [];
  #target: CopyMemory;
  #baseTimestamp = 0;
  #maxTimestamp = 0;
  /** The time for which the three numbers below are. NaN: none. */
  #timed = Number.NaN;
  #deltaLow = 0;
  #deltaHigh = 0;
  #deltaBytes = 1;
  #codec = 0;
  #isSealed = false;

  constructor(partition: PartitionState, memory: Buffer, createdAt: number, lingerUntil: number) {
    this.partition = partition;
    this.memory = memory;
    this.#target = new CopyMemory(memory);
    this.createdAt = createdAt;
    this.lingerUntil = lingerUntil;
  }

  get baseTimestamp(): number {
    return this.#baseTimestamp;
  }

  get maxTimestamp(): number {
    return this.#maxTimestamp;
  }

  /** The number of the codec of its records. 0 for none. */
  get codec(): number {
    return this.#codec;
  }

  get hasSequence(): boolean {
    return this.baseSequence !== noSequence;
  }

  get lastSequence(): number {
    return addSequence(this.baseSequence, this.count - 1);
  }

  /** The bytes to send. They are valid while the batch is sealed and has its memory. */
  get bytes(): Buffer {
    return this.memory!.subarray(0, this.end);
  }

  /** Adds a record. @returns false when it does not fit; the batch is then unchanged */
  append(record: BatchRecord): boolean {
    const out = this.memory!;
    const { count } = this;
    const { from, to, timestampMs } = record;
    // Most records have the time of the one before.
    if (timestampMs !== this.#timed) this.#time(timestampMs);
    const size = 1 + this.#deltaBytes + sizeOfLength(count) + to - from;
    const recordBytes = sizeOfLength(size) + size;
    let at = this.end;
    if (at + recordBytes > out.length) return false;
    at = putLength(out, at, size);
    out[at++] = 0;
    at = this.#putDelta(out, at);
    at = putLength(out, at, count);
    at = copyBytes(this.#target, at, record.memory, from, to);
    if (timestampMs > this.#maxTimestamp || count === 0) this.#maxTimestamp = timestampMs;
    this.count = count + 1;
    this.end = at;
    this.uncompressedBytes = at;
    if (recordBytes > this.maxRecordBytes) this.maxRecordBytes = recordBytes;
    return true;
  }

  /** Takes over the time of the next record. It is the base of an empty batch. */
  #time(timestampMs: number): void {
    this.#timed = timestampMs;
    if (this.count === 0) this.#baseTimestamp = timestampMs;
    const delta = timestampMs - this.#baseTimestamp;
    this.#deltaLow = delta | 0;
    this.#deltaHigh = highHalf(delta);
    this.#deltaBytes = sizeOfDelta(this.#deltaLow, this.#deltaHigh);
  }

  #putDelta(out: Uint8Array, at: number): number {
    const low = this.#deltaLow;
    if (this.#deltaBytes > 1) return putWide(out, at, low, this.#deltaHigh);
    out[at] = (low << 1) ^ (low >> 31);
    return at + 1;
  }

  /** Goes on in larger memory. @returns the memory that it had */
  moveTo(larger: Buffer): Buffer {
    const { memory, end } = this;
    larger.set(memory!.subarray(0, end));
    this.memory = larger;
    this.#target = new CopyMemory(larger);
    return memory!;
  }

  /** Notes the owner of the last appended record. */
  track(owner: RecordOwner, kind: TrackKind, trackId: number): void {
    this.runs.add(owner, kind, trackId);
  }

  /** Closes the batch, with its records as they are, or with `packed` in their place if that is smaller. */
  close(codec: number, packed: Uint8Array | null): void {
    if (this.isClosed) return;
    this.isFull = true;
    this.isClosed = true;
    if (packed === null || packed.length >= this.end - BATCH_HEADER_BYTES) return;
    this.memory!.set(packed, BATCH_HEADER_BYTES);
    this.end = BATCH_HEADER_BYTES + packed.length;
    this.#codec = codec;
  }

  /** Sets these numbers. `seal` writes them into the bytes. */
  number(producerIdLow: number, producerIdHigh: number, producerEpoch: number, baseSequence: number): void {
    this.producerIdLow = producerIdLow;
    this.producerIdHigh = producerIdHigh;
    this.producerEpoch = producerEpoch;
    this.baseSequence = baseSequence;
    this.#isSealed = false;
  }

  /** Writes header and checksum. The batch must be closed, and no socket may be reading it. */
  seal(isTransactional: boolean): void {
    this.isRenumbered = false;
    if (this.#isSealed) return;
    this.#isSealed = true;
    const out = this.memory!;
    writeInt64(out, 0, 0, 0);
    writeInt32(out, 8, this.end - 12);
    writeInt32(out, 12, -1);
    out[16] = 2;
    writeInt16(out, 21, this.#codec | (isTransactional ? ATTRIBUTE_TRANSACTIONAL : 0));
    writeInt32(out, 23, this.count - 1);
    writeTime(out, 27, this.#baseTimestamp);
    writeTime(out, 35, this.#maxTimestamp);
    writeInt64(out, 43, this.producerIdLow, this.producerIdHigh);
    writeInt16(out, 51, this.producerEpoch);
    writeInt32(out, 53, this.baseSequence);
    writeInt32(out, 57, this.count);
    writeInt32(out, 17, crc32c(out, BATCH_CRC_FROM, this.end));
  }
}

/** The sequence `count` records after `sequence`. 0 follows 2147483647. */
export function addSequence(sequence: number, count: number): number {
  return (sequence + count) % 2147483648;
}

function writeTime(out: Uint8Array, at: number, timeMs: number): void {
  writeInt64(out, at, timeMs | 0, highHalf(timeMs));
}
