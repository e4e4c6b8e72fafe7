// Owns the records of a producer that are not settled: the open, waiting and sent batches of every partition, their memory, and when
// a batch is ready to be sent. Network thread. Must not send, and must not decide what an answer means.

import type { ProducerConfig } from '../../common/config/producer-options.ts';
import { RecordTooLargeError } from '../../common/errors/errors.ts';
import { replaceAt } from '../../common/lists.ts';
import { LINGER_WHILE_BUSY, type TrackKind } from '../../common/record-tracking.ts';
import { BATCH_HEADER_BYTES } from '../../protocol/wire/records/record-batch.ts';
import type { ClusterView } from '../client/cluster-view.ts';
import { BatchMemory } from './batch-memory.ts';
import type { BatchPacker } from './batch-packer.ts';
import { splitBatch } from './batch-split.ts';
import { FlushWaiter } from './flush-waiter.ts';
import type { PartitionState } from './partition-state.ts';
import { type BatchRecord, maxRecordHeadBytes, ProducerBatch } from './producer-batch.ts';
import type { BatchOutcome, RecordOwner } from './record-owner.ts';
import { TopicState } from './topic-state.ts';

/** One record on its way into a batch; read during the call only. */
export interface AppendedRecord extends BatchRecord {
  readonly owner: RecordOwner;
  readonly topic: TopicState;
  readonly kind: TrackKind;
  readonly trackId: number;
  /** In ms, or one of the two values above. */
  readonly lingerMs: number;
  /** Since when it is known to wait, in ms on the monotonic clock: the time limit of its delivery counts from then. */
  readonly waitsSince: number;
}

/** While records are added, the compressed size is only an estimate. The batch may become larger by this factor. */
const ratioMargin = 1.05;
/** A batch that will be compressed collects at most this many times `batchSizeBytes`, however well the topic compresses. */
const maxCompressedGain = 8;
/**
 * A batch that waits behind another one may become this many times as large as `batchSizeBytes`. A few large batches cost a broker
 * much less than many small ones (bench/peers/produce.ts).
 */
const maxBacklogGain = 8;
/**
 * When each partition could not have so many batches of the full size, memory is scarce: a batch then begins small and grows. Otherwise
 * batches that are nearly empty would keep all memory, and each record would find memory for a new batch only when one is settled
 * (bench/macro/spread.ts).
 */
const ampleBatches = 4;

export class Accumulator {
  readonly memory: BatchMemory;
  /** Partitions with batches that are not settled. */
  readonly listed: PartitionState[] = [];
  /** There was no memory for a record: all batches may be sent. */
  isStarved = false;
  /** All batches are sent at once, because the producer is closing. */
  isHurried = false;
  /** All batches are sent at once, because a transaction is completing. */
  isCompleting = false;
  /** How many batches are not settled. */
  batchCount = 0;
  /** Counters of settled batches and records, failed records, retries and splits. */
  readonly stats = { batches: 0, batchBytes: 0, records: 0, failedRecords: 0, retries: 0, splits: 0 };
  readonly #config: ProducerConfig;
  readonly #cluster: ClusterView;
  readonly #random: () => number;
  readonly #packer: BatchPacker;
  readonly #isCompressed: boolean;
  readonly #maxRequestSizeBytes: number;
  /** Called once when there is memory again after a record found none. */
  readonly #onRoom: () => void;
  readonly #topics = new Map<string, TopicState>();
  #flushes = 0;

  constructor(
    config: ProducerConfig,
    memoryBytes: number,
    packer: BatchPacker,
    cluster: ClusterView,
    random: () => number,
    onRoom: () => void,
  ) {
    this.#config = config;
    this.#onRoom = onRoom;
    this.#packer = packer;
    this.#maxRequestSizeBytes = config.maxRequestSizeBytes;
    this.#isCompressed = config.compressionType !== 'none';
    this.#cluster = cluster;
    this.#random = random;
    this.memory = new BatchMemory(memoryBytes, config.batchSizeBytes);
  }

  topic(name: string): TopicState {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = new TopicState(name, this.#config, this.#cluster, this.#random);
      this.#topics.set(name, topic);
    }
    return topic;
  }

  topics(): Iterable<TopicState> {
    return this.#topics.values();
  }

  /** The size of the largest record that can ever be accepted, from the length of its key on. */
  get maxBodyBytes(): number {
    return Math.min(this.#maxRequestSizeBytes, this.memory.largestBytes) - maxRecordHeadBytes - BATCH_HEADER_BYTES;
  }

  /** The error if a record of this size can never be accepted. Null if it can. */
  whyTooLarge(bodyBytes: number): RecordTooLargeError | null {
    if (bodyBytes <= this.maxBodyBytes) return null;
    const bytes = bodyBytes + maxRecordHeadBytes + BATCH_HEADER_BYTES;
    const { maxRequestSizeBytes } = this.#config;
    if (bytes > maxRequestSizeBytes) {
      return new RecordTooLargeError(
        `the record takes up to ${bytes} bytes, maxRequestSizeBytes is ${maxRequestSizeBytes}`,
      );
    }
    const text = `the record takes up to ${bytes} bytes, all batches together may take ${this.memory.maxBytes} (bufferMemoryBytes)`;
    return new RecordTooLargeError(text);
  }

  /** Adds a record to the partition's open batch, or opens one. @returns false when there is no memory for another batch */
  append(record: AppendedRecord, partition: PartitionState, now: number): boolean {
    const { queue } = partition;
    let batch = queue.length > 0 ? queue[queue.length - 1]! : null;
    if (batch === null || batch.isFull || !this.#put(batch, record)) {
      if (batch !== null) this.#fill(batch);
      batch = this.#open(partition, record, now);
      if (batch === null) {
        this.isStarved = true;
        return false;
      }
      this.addTo(batch, record);
    }
    const { lingerMs } = record;
    if (lingerMs >= 0) batch.lingerUntil = Math.min(batch.lingerUntil, now + lingerMs);
    else if (lingerMs === LINGER_WHILE_BUSY) batch.isAwaited = true;
    return true;
  }

  #put(batch: ProducerBatch, record: AppendedRecord): boolean {
    return this.addTo(batch, record) || (this.#enlarge(batch, record.to - record.from) && this.addTo(batch, record));
  }

  /** Adds a record to a batch that is not full, with the memory that it has. @returns false when that is not enough */
  addTo(batch: ProducerBatch, record: AppendedRecord): boolean {
    if (!batch.append(record)) return false;
    batch.track(record.owner, record.kind, record.trackId);
    if (this.#expectedBytes(batch) >= batch.targetBytes) this.#fill(batch);
    return true;
  }

  /** Gives the batch twice the memory, if it may have that and there is some. */
  #enlarge(batch: ProducerBatch, bodyBytes: number): boolean {
    const { length } = batch.memory!;
    if (length >= batch.capacityBytes) return false;
    const wanted = Math.max(2 * length, batch.end + maxRecordHeadBytes + bodyBytes);
    const larger = this.memory.takeSmall(Math.min(wanted, batch.capacityBytes), batch.holder);
    if (larger === null) return false;
    this.memory.give(batch.moveTo(larger), batch.holder);
    return true;
  }

  /** Whether no batch of the partition is partly full. */
  isQueueFull(partition: PartitionState): boolean {
    const { queue } = partition;
    return queue.length === 0 || queue[queue.length - 1]!.isFull;
  }

  /**
   * The time at which the first batch of the partition's queue is ready. A time up to `now` means that it is ready. Infinity means that
   * only an event can make it ready.
   * @param leaderEpoch the epoch of the leader that is known now
   */
  readyAt(partition: PartitionState, leaderEpoch: number, now: number): number {
    const batch = partition.queue[0];
    if (batch === undefined || batch.readers > 0 || batch.isPacking) return Number.POSITIVE_INFINITY;
    if (batch.attempts > 0) {
      const isNewLeader = batch.leaderEpoch >= 0 && leaderEpoch > batch.leaderEpoch;
      return isNewLeader ? now : batch.retryAt;
    }
    if (batch.isFull || partition.queue.length > 1) return now;
    if (this.isStarved || this.isHurried || this.isCompleting || this.#flushes > 0) return now;
    if (batch.isAwaited && partition.sent.length === 0) return now;
    return batch.lingerUntil;
  }

  /** Whether the first batch of the partition's queue can be closed and sent. If it cannot, its compression outside has begun. */
  isHeadPacked(partition: PartitionState): boolean {
    return !this.#packer.begin(partition.queue[0]!);
  }

  /** Takes the first batch out of the queue and closes it. The caller numbers, seals and sends it. */
  takeHead(partition: PartitionState): ProducerBatch {
    const batch = partition.queue.shift()!;
    batch.isQueued = false;
    this.#packer.close(batch);
    return batch;
  }

  /** Settles the records of the batch. Its memory is given back when no socket reads it any more. */
  settle(batch: ProducerBatch, outcome: BatchOutcome, now: number): void {
    if (batch.isSettled) return;
    batch.isSettled = true;
    const { partition } = batch;
    if (batch.isQueued) partition.removeQueued(batch);
    partition.removeSent(batch);
    this.batchCount--;
    if (outcome.error === null) {
      this.stats.batches++;
      this.stats.batchBytes += batch.end;
      this.stats.records += batch.count;
    } else {
      this.stats.failedRecords += batch.count;
    }
    batch.runs.settle(outcome);
    for (const waiter of batch.waiters) waiter.done(now);
    this.release(batch);
  }

  /** Gives the memory of a batch back if the batch is settled and answered and no socket reads it. */
  release(batch: ProducerBatch): void {
    if (!batch.isSettled || batch.requests > 0 || batch.readers > 0 || batch.memory === null) return;
    const { memory, holder } = batch;
    batch.memory = null;
    this.memory.give(memory, holder);
    this.madeRoom();
  }

  /** There is more memory than before. A record that found none may be waiting for it. */
  madeRoom(): void {
    if (!this.isStarved) return;
    this.isStarved = false;
    this.#onRoom();
  }

  /** Replaces a batch that is too large for the broker by smaller ones, at the same place. */
  split(batch: ProducerBatch): void {
    const { partition } = batch;
    const targetBytes =
      batch.splits === 0 ? this.#config.batchSizeBytes : Math.max(batch.maxRecordBytes, batch.end >>> 1);
    const parts = splitBatch(batch, targetBytes, (bytes) => this.memory.takeBeyond(bytes));
    partition.topic.observeCompression(1);
    partition.topic.mayGrow = false;
    this.stats.splits++;
    const at = partition.sent.indexOf(batch);
    if (at >= 0) replaceAt(partition.sent, at, parts);
    for (const part of parts) {
      for (const waiter of batch.waiters) {
        waiter.add();
        part.waiters.push(waiter);
      }
      this.batchCount++;
    }
    // Each part goes behind the older batches in the queue.
    for (const part of parts) partition.requeue(part);
    batch.isSettled = true;
    this.batchCount--;
    for (const waiter of batch.waiters) waiter.done(Number.NaN);
    this.release(batch);
  }

  /** Sends everything that is here now without delay. `onDone` is called when all of it is settled, which may be at once. */
  flush(onDone: (now: number) => void, now: number): void {
    this.#flushes++;
    const waiter = new FlushWaiter((at) => {
      this.#flushes--;
      onDone(at);
    });
    waiter.add();
    for (const partition of this.listed) {
      for (const batch of partition.sent) this.#await(batch, waiter);
      for (const batch of partition.queue) if (!partition.sent.includes(batch)) this.#await(batch, waiter);
    }
    waiter.done(now);
  }

  /** A new list of all batches that are not settled. Sent batches come before waiting ones. */
  unsettled(): ProducerBatch[] {
    return this.listed.flatMap(({ sent, queue }) => [...sent, ...queue.filter((batch) => !sent.includes(batch))]);
  }

  /** Removes partitions without batches from the list. */
  tidy(): void {
    const { listed } = this;
    let kept = 0;
    for (const partition of listed) {
      if (partition.isIdle) partition.isListed = false;
      else listed[kept++] = partition;
    }
    listed.length = kept;
  }

  /** No more records are appended. What needs time before it can be sent begins now. */
  #fill(batch: ProducerBatch): void {
    batch.isFull = true;
    this.#packer.begin(batch);
  }

  #await(batch: ProducerBatch, waiter: FlushWaiter): void {
    batch.waiters.push(waiter);
    waiter.add();
  }

  #open(partition: PartitionState, record: AppendedRecord, now: number): ProducerBatch | null {
    const { owner, from, to } = record;
    const recordBytes = BATCH_HEADER_BYTES + maxRecordHeadBytes + to - from;
    let targetBytes = this.#targetBytes(partition);
    let capacityBytes = this.#capacity(partition.topic, targetBytes);
    let memory = this.#memoryFor(capacityBytes, recordBytes, owner);
    if (memory === null && targetBytes > this.#config.batchSizeBytes) {
      targetBytes = this.#config.batchSizeBytes;
      capacityBytes = this.#capacity(partition.topic, targetBytes);
      memory = this.#memoryFor(capacityBytes, recordBytes, owner);
    }
    if (memory === null) return null;
    const createdAt = Math.min(now, record.waitsSince);
    const batch = new ProducerBatch(partition, memory, createdAt, now + this.#config.lingerMs);
    batch.holder = owner;
    batch.targetBytes = targetBytes;
    batch.capacityBytes = capacityBytes;
    partition.queue.push(batch);
    this.batchCount++;
    if (!partition.isListed) {
      partition.isListed = true;
      this.listed.push(partition);
    }
    return batch;
  }

  #memoryFor(capacityBytes: number, recordBytes: number, owner: RecordOwner): Buffer | null {
    const isScarce = (this.listed.length + 1) * capacityBytes * ampleBatches > this.memory.maxBytes;
    return isScarce
      ? this.memory.takeSmall(recordBytes, owner)
      : this.memory.take(Math.max(capacityBytes, recordBytes), owner);
  }

  /** The size at which a new batch of the partition is full: twice the size of the batch that waits before it. */
  #targetBytes({ queue, topic }: PartitionState): number {
    const { batchSizeBytes, maxRequestSizeBytes } = this.#config;
    const ahead = queue[queue.length - 1];
    if (ahead === undefined || ahead.attempts > 0 || !topic.mayGrow) return batchSizeBytes;
    const limit = Math.max(batchSizeBytes, Math.min(batchSizeBytes * maxBacklogGain, maxRequestSizeBytes >>> 1));
    return Math.min(ahead.targetBytes * 2, limit);
  }

  /** The memory for a batch of that size. With compression it is more than the batch needs at the end. */
  #capacity(topic: TopicState, batchSizeBytes: number): number {
    if (!this.#isCompressed) return batchSizeBytes;
    const gain = 2 ** Math.floor(Math.log2(1 / Math.max(topic.compressionRatio, 1 / maxCompressedGain)));
    return batchSizeBytes * Math.max(gain, 1);
  }

  #expectedBytes(batch: ProducerBatch): number {
    if (!this.#isCompressed) return batch.end;
    return batch.end * batch.partition.topic.compressionRatio * ratioMargin;
  }
}
