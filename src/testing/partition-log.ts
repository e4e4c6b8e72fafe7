// Owns the records of one partition: unchanged batches in memory segments, with an index by offset, and what follows from them:
// producers, transactions, leader epochs. Runs in the broker's thread. It must not decode records, and must not copy them for
// reads: reads are slices.

import { buildMarker } from './batch-builder.ts';
import { type BatchBounds, checkBatches, stampBatch, stampLogAppendTime } from './batches.ts';
import { type EpochEnd, LeaderEpochs } from './leader-epochs.ts';
import { ProducerStates } from './producer-states.ts';

/** One batch of the index. */
export interface IndexedBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly magic: number;
  readonly maxTimestamp: number;
  readonly bytes: Buffer;
}

/** An aborted transaction, in the form that read-committed clients get. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Of its marker. */
  readonly lastOffset: number;
}

export interface LogRead {
  /** Joined they are the records field. */
  readonly slices: readonly Buffer[];
  readonly bytes: number;
  /** The offset after the last record of the last batch of which at least a part is there. */
  readonly endOffset: number;
}

interface Segment {
  readonly memory: Buffer;
  /** Position of its first byte in the whole log. */
  readonly start: number;
  used: number;
}

const nothing: LogRead = { slices: [], bytes: 0, endOffset: -1 };
const minSegmentBytes = 4 * 1024;
const maxSegmentBytes = 4 * 1024 * 1024;

export class PartitionLog {
  #startOffset: number;
  #endOffset: number;
  #highestMagic = -1;
  readonly #segments: Segment[] = [];
  #byteEnd = 0;
  // Parallel arrays, since logs of benchmarks have millions of batches.
  readonly #baseOffsets: number[] = [];
  readonly #lastOffsets: number[] = [];
  readonly #positions: number[] = [];
  readonly #maxTimestamps: number[] = [];
  readonly #waiters = new Set<() => void>();
  readonly #epochs = new LeaderEpochs();
  #aborted: AbortedTransaction[] = [];
  /** The time of a batch that retention removed. Brokers answer with it until something newer is there. */
  #maxTimestampGone = { timestamp: -1, offset: -1 };
  readonly producers = new ProducerStates();

  constructor(startOffset = 0) {
    this.#startOffset = startOffset;
    this.#endOffset = startOffset;
  }

  /** Of the first record that can still be fetched. */
  get startOffset(): number {
    return this.#startOffset;
  }

  /** Of the next record; also the high watermark, for all replicas are one. */
  get endOffset(): number {
    return this.#endOffset;
  }

  /** The first record that an abort could still remove. Read-committed clients see records before it. */
  get lastStableOffset(): number {
    return Math.min(this.producers.firstOpenOffset(), this.#endOffset);
  }

  get batchCount(): number {
    return this.#baseOffsets.length;
  }

  /** The newest format in the log, -1 when it is empty. Older clients cannot read newer formats. */
  get highestMagic(): number {
    return this.#highestMagic;
  }

  /**
   * Copies checked batches to the end and gives them offsets.
   * @param logAppendTime  -1 to keep the producer's times
   * @returns the first offset
   */
  append(bytes: Buffer, batches: readonly BatchBounds[], leaderEpoch: number, logAppendTime = -1): number {
    const first = this.#endOffset;
    this.#epochs.begin(leaderEpoch, first);
    for (const batch of batches) {
      if (batch.producerId >= 0 && !batch.isControl) this.producers.appended(batch, this.#endOffset);
      this.#appendOne(bytes, batch, leaderEpoch, logAppendTime);
    }
    for (const wake of [...this.#waiters]) wake();
    return first;
  }

  /** Ends a producer's transaction with a control batch. */
  appendMarker(producerId: number, producerEpoch: number, isCommit: boolean, leaderEpoch: number): void {
    const bytes = buildMarker(producerId, producerEpoch, isCommit);
    const checked = checkBatches(bytes, { maxBatchBytes: bytes.length, produceVersion: 9 });
    if (!('batches' in checked)) throw new Error(`a marker is refused with ${checked.errorCode}`);
    const lastOffset = this.#endOffset;
    const firstOffset = this.producers.marked(producerId, producerEpoch);
    if (!isCommit && firstOffset >= 0) this.#aborted.push({ producerId, firstOffset, lastOffset });
    this.append(bytes, checked.batches, leaderEpoch);
  }

  /** A leader of that epoch begins here. */
  beginEpoch(leaderEpoch: number): void {
    this.#epochs.begin(leaderEpoch, this.#endOffset);
  }

  /** Where the records of an epoch end. */
  epochEnd(leaderEpoch: number): EpochEnd {
    return this.#epochs.endOf(leaderEpoch, this.#endOffset);
  }

  /** The leader epoch of the record at `offset`, -1 when it is not known. */
  epochAt(offset: number): number {
    return this.#epochs.at(offset);
  }

  /** Those with records at or after `offset` and before `end`. */
  abortedBetween(offset: number, end: number): AbortedTransaction[] {
    return this.#aborted.filter(({ firstOffset, lastOffset }) => lastOffset >= offset && firstOffset < end);
  }

  /** Calls `wake` after each append until the returned function is called. */
  onAppend(wake: () => void): () => void {
    this.#waiters.add(wake);
    return () => this.#waiters.delete(wake);
  }

  /**
   * What a fetch at `offset` gets: from the batch with that offset on, cut at `maxBytes`.
   * @param atLeastOne  the first batch comes whole even if it is larger; otherwise nothing comes unless it fits
   * @param mayCutFirst  as before Fetch version 3: it comes cut when it does not fit
   * @param below  batches from that offset on are left out
   */
  read(
    offset: number,
    maxBytes: number,
    atLeastOne: boolean,
    mayCutFirst: boolean,
    below = Number.POSITIVE_INFINITY,
  ): LogRead {
    const index = this.#indexOf(offset);
    if (index === -1 || this.#baseOffsets[index]! >= below) return nothing;
    const start = this.#positions[index]!;
    const end = below >= this.#endOffset ? this.#byteEnd : this.#positions[this.#indexOf(below)]!;
    const firstBytes = (this.#positions[index + 1] ?? this.#byteEnd) - start;
    let limit = maxBytes;
    if (firstBytes > maxBytes && !mayCutFirst) {
      if (!atLeastOne) return nothing;
      limit = firstBytes;
    }
    const cut = Math.min(start + Math.max(limit, 0), end);
    const bytes = cut - start;
    return { slices: this.#slices(start, cut), bytes, endOffset: this.#lastOffsets[this.#indexAt(cut - 1)]! + 1 };
  }

  /** Bytes that a fetch at `offset` could get at most. */
  bytesFrom(offset: number): number {
    const index = this.#indexOf(offset);
    return index === -1 ? 0 : this.#byteEnd - this.#positions[index]!;
  }

  /** The first batch with a record at or after that time; its records are not looked at. Null when all are older. */
  firstBatchSince(timestamp: number): IndexedBatch | null {
    const index = this.#maxTimestamps.findIndex((maxTimestamp) => maxTimestamp >= timestamp);
    return index === -1 ? null : this.#batch(index);
  }

  /** The batch with the highest time, the first of them; null when the log is empty. */
  batchWithMaxTimestamp(): IndexedBatch | null {
    let best = -1;
    for (let i = 0; i < this.#maxTimestamps.length; i++) {
      if (best === -1 || this.#maxTimestamps[i]! > this.#maxTimestamps[best]!) best = i;
    }
    return best === -1 ? null : this.#batch(best);
  }

  /** Offset and time of a record that had the highest time and is gone, when nothing left is as new; else null. */
  get maxTimestampGone(): { readonly timestamp: number; readonly offset: number } | null {
    const gone = this.#maxTimestampGone;
    const newest = this.batchWithMaxTimestamp()?.maxTimestamp ?? -1;
    return gone.offset >= 0 && gone.timestamp >= newest ? gone : null;
  }

  /** All that is stored, in one copy. */
  contents(): Buffer {
    return Buffer.concat(this.#slices(this.#positions[0] ?? this.#byteEnd, this.#byteEnd));
  }

  /** Makes `offset` the first offset that can be fetched, as retention and DeleteRecords do. Batches below it are removed. */
  truncateBefore(offset: number): void {
    if (offset < this.#startOffset || offset > this.#endOffset) {
      throw new RangeError(`offset ${offset} outside of ${this.#startOffset} to ${this.#endOffset}`);
    }
    this.#startOffset = offset;
    const kept = this.#indexOf(offset);
    const gone = kept === -1 ? this.#baseOffsets.length : kept;
    for (let i = 0; i < gone; i++) {
      if (this.#maxTimestamps[i]! > this.#maxTimestampGone.timestamp) {
        this.#maxTimestampGone = { timestamp: this.#maxTimestamps[i]!, offset: this.#lastOffsets[i]! };
      }
    }
    for (const list of [this.#baseOffsets, this.#lastOffsets, this.#positions, this.#maxTimestamps])
      list.splice(0, gone);
    const firstByte = this.#positions[0] ?? this.#byteEnd;
    while (this.#segments.length > 0 && this.#segments[0]!.start + this.#segments[0]!.used <= firstByte) {
      this.#segments.shift();
    }
  }

  /**
   * Removes everything from `offset` on, as an unclean election does. A batch that crosses it is removed as a whole. The state of
   * producers is read again from the rest.
   */
  truncateTo(offset: number): void {
    if (offset < this.#startOffset || offset > this.#endOffset) {
      throw new RangeError(`offset ${offset} outside of ${this.#startOffset} to ${this.#endOffset}`);
    }
    const kept: Buffer[] = [];
    for (let i = 0; i < this.#baseOffsets.length && this.#lastOffsets[i]! < offset; i++)
      kept.push(this.#batch(i).bytes);
    const firstOffset = this.#baseOffsets[0] ?? this.#endOffset;
    for (const list of [this.#baseOffsets, this.#lastOffsets, this.#positions, this.#maxTimestamps, this.#segments])
      list.length = 0;
    this.#byteEnd = 0;
    this.#endOffset = kept.length === 0 ? Math.min(firstOffset, offset) : firstOffset;
    this.producers.clear();
    for (const bytes of kept) this.#restore(bytes);
    this.#aborted = this.#aborted.filter(({ lastOffset }) => lastOffset < this.#endOffset);
    this.#epochs.truncateTo(this.#endOffset);
    for (const wake of [...this.#waiters]) wake();
  }

  /** A batch that was stored before. */
  #restore(bytes: Buffer): void {
    const produceVersion = bytes[16] === 2 ? 9 : 2;
    const checked = checkBatches(bytes, { maxBatchBytes: bytes.length, produceVersion, mayHaveGaps: true });
    if (!('batches' in checked)) throw new Error(`a stored batch is refused with ${checked.errorCode}`);
    const leaderEpoch = bytes[16] === 2 ? bytes.readInt32BE(12) : 0;
    for (const batch of checked.batches) {
      if (batch.isControl) this.producers.marked(batch.producerId, batch.producerEpoch);
      else if (batch.producerId >= 0) this.producers.appended(batch, this.#endOffset);
      this.#appendOne(bytes, batch, leaderEpoch, -1);
    }
  }

  #appendOne(source: Buffer, batch: BatchBounds, leaderEpoch: number, logAppendTime: number): void {
    const bytes = batch.end - batch.start;
    const segment = this.#segmentWithRoom(bytes);
    const at = segment.used;
    source.copy(segment.memory, at, batch.start, batch.end);
    stampBatch(
      segment.memory,
      at,
      batch.magic,
      this.#endOffset + (batch.magic === 2 ? 0 : batch.offsets - 1),
      leaderEpoch,
    );
    let maxTimestamp = batch.maxTimestamp;
    if (logAppendTime >= 0 && batch.magic === 2) {
      stampLogAppendTime(segment.memory, at, at + bytes, logAppendTime);
      maxTimestamp = logAppendTime;
    }
    this.#baseOffsets.push(this.#endOffset);
    this.#endOffset += batch.offsets;
    this.#lastOffsets.push(this.#endOffset - 1);
    this.#positions.push(this.#byteEnd);
    this.#maxTimestamps.push(maxTimestamp);
    this.#highestMagic = Math.max(this.#highestMagic, batch.magic);
    segment.used += bytes;
    this.#byteEnd += bytes;
  }

  #segmentWithRoom(bytes: number): Segment {
    const last = this.#segments.at(-1);
    if (last !== undefined && last.memory.length - last.used >= bytes) return last;
    const wanted = Math.min(last === undefined ? minSegmentBytes : last.memory.length * 2, maxSegmentBytes);
    const segment = { memory: Buffer.allocUnsafeSlow(Math.max(wanted, bytes)), start: this.#byteEnd, used: 0 };
    this.#segments.push(segment);
    return segment;
  }

  /** Of the first batch that ends at or after `offset`; -1 for none. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#lastOffsets.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#lastOffsets[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low === this.#lastOffsets.length ? -1 : low;
  }

  /** Of the batch that has the byte at `position`, which is not before the first. */
  #indexAt(position: number): number {
    let low = 0;
    let high = this.#positions.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#positions[middle]! <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #batch(index: number): IndexedBatch {
    const start = this.#positions[index]!;
    const bytes = Buffer.concat(this.#slices(start, this.#positions[index + 1] ?? this.#byteEnd));
    return {
      baseOffset: this.#baseOffsets[index]!,
      lastOffset: this.#lastOffsets[index]!,
      magic: bytes[16]!,
      maxTimestamp: this.#maxTimestamps[index]!,
      bytes,
    };
  }

  #slices(start: number, end: number): Buffer[] {
    const slices: Buffer[] = [];
    if (start >= end) return slices;
    for (let i = this.#segmentAt(start); i < this.#segments.length; i++) {
      const segment = this.#segments[i]!;
      if (segment.start >= end) break;
      const from = Math.max(start - segment.start, 0);
      slices.push(segment.memory.subarray(from, Math.min(end - segment.start, segment.used)));
    }
    return slices;
  }

  #segmentAt(position: number): number {
    let low = 0;
    let high = this.#segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#segments[middle]!.start <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
