// Owns one batch of records of one partition: written record by record in wire format v2, straight into its memory, sealed with
// header and checksum when it is sent, and sealed anew when it is sent again under other numbers. Network thread. Must not decide
// when it is sent; where its memory comes from and goes to is the accumulator's business.

import { crc32c } from '../../codec/crc32c.ts';
import { compress } from '../../codec/index.ts';
import type { TrackKind } from '../../common/record-tracking.ts';
import { ATTRIBUTE_TRANSACTIONAL } from '../../protocol/flat/records/records-slot.ts';
import { putSigned, putWide, sizeOfDelta, sizeOfLength } from '../../protocol/flat/records/varints.ts';
import { BATCH_CRC_FROM, BATCH_HEADER_BYTES } from '../../protocol/wire/records/record-batch.ts';
import { writeInt16, writeInt32, writeInt64 } from '../../protocol/wire/records/record-bytes.ts';
import type { FlushWaiter } from './flush-waiter.ts';
import type { PartitionState } from './partition-state.ts';
import { type RecordOwner, RecordRuns } from './record-owner.ts';

/** Up to this many bytes a loop beats a call into native code, which needs a slice. */
const shortBytes = 48;
const two32 = 4294967296;

/** Bytes of a record besides its body, at most: length, attributes, two deltas. */
export const maxRecordHeadBytes = 5 + 1 + 10 + 5;
export const noSequence = -1;

/** A codec and its level, as `compress` takes them. */
export interface BatchCompression {
  readonly codec: number;
  readonly level: number;
}

export class ProducerBatch {
  readonly partition: PartitionState;
  readonly createdAt: number;
  readonly runs = new RecordRuns();
  /** Null once it was given back. */
  memory: Buffer | null;
  /** Bytes used in memory: header and records. */
  end = BATCH_HEADER_BYTES;
  count = 0;
  /** The largest of its records, without a batch's header. */
  maxRecordBytes = 0;
  /** Size at which it is full, set when it is opened. */
  targetBytes = 0;
  /** Records of it are written as they are until here; afterwards only the sum is of use. */
  uncompressedBytes = BATCH_HEADER_BYTES;
  /** Nothing more is appended to it. */
  isFull = false;
  /** Its records are as they will be sent. */
  isClosed = false;
  isSettled = false;
  /** When it goes out though it is not full; ms on the monotonic clock. */
  lingerUntil: number;
  /** Somebody waits for one of its records: it goes out as soon as nothing of its partition is on its way. */
  isAwaited = false;
  attempts = 0;
  /** Not before; ms on the monotonic clock. */
  retryAt = 0;
  /** Leader epoch that it was sent under last; -1 unknown. */
  leaderEpoch = -1;
  isQueued = true;
  /** Requests that carry it and are not answered. */
  requests = 0;
  /** Sockets that may still read its memory. */
  readers = 0;
  producerIdLow = -1;
  producerIdHigh = -1;
  producerEpoch = -1;
  baseSequence = noSequence;
  /** It was sent, and no answer said that it was not written. */
  maybeWritten = false;
  /** Its numbers are other ones than those it was sent under last. */
  isRenumbered = false;
  /** A second split makes smaller batches than the first. */
  splits = 0;
  readonly waiters: FlushWaiter[] = [];
  #baseTimestamp = 0;
  #maxTimestamp = 0;
  #codec = 0;
  #isSealed = false;

  constructor(partition: PartitionState, memory: Buffer, createdAt: number, lingerUntil: number) {
    this.partition = partition;
    this.memory = memory;
    this.createdAt = createdAt;
    this.lingerUntil = lingerUntil;
  }

  get baseTimestamp(): number {
    return this.#baseTimestamp;
  }

  get maxTimestamp(): number {
    return this.#maxTimestamp;
  }

  /** Number of the codec its records are compressed with; 0 for none. */
  get codec(): number {
    return this.#codec;
  }

  get hasSequence(): boolean {
    return this.baseSequence !== noSequence;
  }

  get lastSequence(): number {
    return addSequence(this.baseSequence, this.count - 1);
  }

  /** What goes over the wire; valid while it is sealed and has its memory. */
  get bytes(): Buffer {
    return this.memory!.subarray(0, this.end);
  }

  /**
   * Adds a record.
   * @param source      holds, at `[from, to)`, the record from its key's length on, in wire format
   * @param timestampMs integer
   * @returns false when it does not fit; the batch is as before
   */
  append(source: Uint8Array, from: number, to: number, timestampMs: number): boolean {
    const out = this.memory!;
    const isFirst = this.count === 0;
    const delta = isFirst ? 0 : timestampMs - this.#baseTimestamp;
    const isNarrow = (delta | 0) === delta;
    const deltaHigh = isNarrow ? delta >> 31 : Math.floor(delta / two32);
    const deltaBytes = sizeOfDelta(delta | 0, deltaHigh);
    const bodyBytes = to - from;
    const size = 1 + deltaBytes + sizeOfLength(this.count) + bodyBytes;
    const recordBytes = sizeOfLength(size) + size;
    let at = this.end;
    if (at + recordBytes > out.length) return false;
    at = putSigned(out, at, size);
    out[at++] = 0;
    at = isNarrow ? putSigned(out, at, delta) : putWide(out, at, delta | 0, deltaHigh);
    at = putSigned(out, at, this.count);
    if (bodyBytes <= shortBytes) {
      for (let i = from; i < to; i++) out[at++] = source[i]!;
    } else {
      out.set(source.subarray(from, to), at);
      at += bodyBytes;
    }
    if (isFirst) this.#baseTimestamp = timestampMs;
    if (isFirst || timestampMs > this.#maxTimestamp) this.#maxTimestamp = timestampMs;
    this.count++;
    this.end = at;
    this.uncompressedBytes = at;
    if (recordBytes > this.maxRecordBytes) this.maxRecordBytes = recordBytes;
    return true;
  }

  /** Notes whose record was appended last. */
  track(owner: RecordOwner, kind: TrackKind, trackId: number): void {
    this.runs.add(owner, kind, trackId);
  }

  /** Ends the appending, and compresses unless that makes it larger. Throws: UnsupportedCodecError. */
  close({ codec, level }: BatchCompression): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (codec === 0) return;
    const memory = this.memory!;
    const packed = compress(codec, level, memory, BATCH_HEADER_BYTES, this.end);
    if (packed.length >= this.end - BATCH_HEADER_BYTES) return;
    memory.set(packed, BATCH_HEADER_BYTES);
    this.end = BATCH_HEADER_BYTES + packed.length;
    this.#codec = codec;
  }

  /** Takes these numbers; they reach the bytes when it is sealed next. */
  number(producerIdLow: number, producerIdHigh: number, producerEpoch: number, baseSequence: number): void {
    this.producerIdLow = producerIdLow;
    this.producerIdHigh = producerIdHigh;
    this.producerEpoch = producerEpoch;
    this.baseSequence = baseSequence;
    this.#isSealed = false;
  }

  /** Writes header and checksum; the batch must be closed, and no socket may be reading it. */
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

/** The sequence `count` records after `sequence`: 2147483647 is followed by 0. */
export function addSequence(sequence: number, count: number): number {
  return (sequence + count) % 2147483648;
}

function writeTime(out: Uint8Array, at: number, timeMs: number): void {
  writeInt64(out, at, timeMs | 0, Math.floor(timeMs / two32));
}
