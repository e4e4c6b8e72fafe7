// Owns the records that wait for metadata: their topic is not known, or their partition is not known. Network thread. They wait at
// most `maxBlockMs` and keep their order. Must not delay records of other topics.

import { CopyMemory } from '../../common/copy-bytes.ts';
import { errorFor, TopicMetadataTimeoutError } from '../../common/errors/errors.ts';
import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import type { TrackKind } from '../../common/record-tracking.ts';
import { anyone } from '../client/broker-requests.ts';
import type { ClusterView } from '../client/cluster-view.ts';
import type { RoleHost } from '../client/role.ts';
import type { AppendedRecord } from './accumulator.ts';
import type { BatchMemory } from './batch-memory.ts';
import { outcomeOf } from './outcomes.ts';
import { type RecordOwner, RecordRuns } from './record-owner.ts';
import type { TopicState } from './topic-state.ts';

/** Errors of a topic that no waiting helps against. */
const finalErrors: ReadonlySet<number> = new Set([
  errorCodes.INVALID_TOPIC_EXCEPTION,
  errorCodes.TOPIC_AUTHORIZATION_FAILED,
]);
/** The bytes that are counted for a record in addition to its own. */
const overheadBytes = 400;

/** A record with the fields that are needed to choose its partition. */
export interface UnplacedRecord extends AppendedRecord {
  /** -1: the record names no partition. */
  readonly partition: number;
  /** -1: no key. */
  readonly keyFrom: number;
  readonly keyTo: number;
}

class StagedRecord implements UnplacedRecord {
  readonly owner: RecordOwner;
  readonly topic: TopicState;
  readonly kind: TrackKind;
  readonly trackId: number;
  readonly timestampMs: number;
  readonly lingerMs: number;
  readonly memory: CopyMemory;
  readonly from = 0;
  readonly to: number;
  readonly partition: number;
  readonly keyFrom: number;
  readonly keyTo: number;
  readonly deadline: number;
  /** Until metadata comes, `deadline` limits its wait. */
  waitsSince = Number.POSITIVE_INFINITY;

  constructor(record: UnplacedRecord, deadline: number) {
    this.owner = record.owner;
    this.topic = record.topic;
    this.kind = record.kind;
    this.trackId = record.trackId;
    this.timestampMs = record.timestampMs;
    this.lingerMs = record.lingerMs;
    this.memory = new CopyMemory(record.memory.bytes.slice(record.from, record.to));
    this.to = record.to - record.from;
    this.partition = record.partition;
    this.keyFrom = record.keyFrom < 0 ? -1 : record.keyFrom - record.from;
    this.keyTo = record.keyTo - record.from;
    this.deadline = deadline;
  }

  get countedBytes(): number {
    return this.to + overheadBytes;
  }
}

export class Staging {
  readonly #cluster: ClusterView;
  readonly #requests: RoleHost['requests'];
  readonly #memory: BatchMemory;
  readonly #maxBlockMs: number;
  /** Called when records failed because metadata did not come. */
  readonly #onFailed: (topic: string, error: Error, now: number) => void;
  #records: StagedRecord[] = [];
  /** How many records of each topic and partition wait; -1 for those that name no partition. */
  readonly #counts = new Map<TopicState, Map<number, number>>();
  #onEmpty: ((now: number) => void)[] = [];
  /** The metadata with which the records were last tried. */
  #triedWith = -1;
  /** Whether records could not be placed for want of memory. */
  #isShort = false;

  constructor(
    { cluster, requests }: Pick<RoleHost, 'cluster' | 'requests'>,
    memory: BatchMemory,
    maxBlockMs: number,
    onFailed: (topic: string, error: Error, now: number) => void,
  ) {
    this.#onFailed = onFailed;
    this.#cluster = cluster;
    this.#requests = requests;
    this.#memory = memory;
    this.#maxBlockMs = maxBlockMs;
  }

  get isEmpty(): boolean {
    return this.#records.length === 0;
  }

  /** The time at which the first record has waited too long. */
  get nextDeadline(): number {
    return this.#records[0]?.deadline ?? Number.POSITIVE_INFINITY;
  }

  /** Whether records of the topic wait here. */
  isWaiting(topic: TopicState): boolean {
    return this.#counts.has(topic);
  }

  /** Whether an earlier record waits here that may go to the same partition: then this one must wait, too. */
  mustWait({ topic, partition }: UnplacedRecord): boolean {
    const counts = this.#counts.get(topic);
    if (counts === undefined) return false;
    if (counts.has(-1)) return true;
    if (partition >= 0) return counts.has(partition);
    // A record that waits for a partition that does not exist meets none that is placed now.
    for (const waiting of counts.keys()) if (waiting < topic.partitionCount) return true;
    return false;
  }

  /** Keeps a copy of the record. @returns false when there is no memory for it */
  add(record: UnplacedRecord, now: number): boolean {
    const staged = new StagedRecord(record, now + this.#maxBlockMs);
    if (!this.#memory.reserve(staged.countedBytes, staged.owner)) return false;
    if (!this.isWaiting(record.topic)) {
      this.#triedWith = -1;
      this.#cluster.requestUpdate();
    }
    this.#records.push(staged);
    this.#count(staged);
    return true;
  }

  #count({ topic, partition }: StagedRecord): void {
    const counts = this.#counts.get(topic) ?? new Map<number, number>();
    this.#counts.set(topic, counts);
    counts.set(partition, (counts.get(partition) ?? 0) + 1);
  }

  #replace(records: StagedRecord[]): void {
    this.#records = records;
    this.#counts.clear();
    for (const record of records) this.#count(record);
  }

  /** Calls `listener` once when nothing waits here. */
  onEmpty(listener: (now: number) => void): void {
    this.#onEmpty.push(listener);
  }

  /**
   * Places the records whose metadata has come. Fails records that have waited too long or whose topic has a final error.
   * @param place puts the record into a batch; it returns false when there is no memory for it now
   */
  poll(place: (record: UnplacedRecord) => boolean, now: number): void {
    if (this.isEmpty) return;
    const { updateId } = this.#cluster;
    if (updateId === this.#triedWith && !this.#isShort && now < this.nextDeadline) {
      this.#cluster.requestUpdate();
      return;
    }
    this.#triedWith = updateId;
    const left: StagedRecord[] = [];
    const failed: [StagedRecord, Error][] = [];
    let isFull = false;
    // The memory of all records is released at once: they may fill it, and a batch needs memory before the first record can leave.
    for (const record of this.#records) this.#memory.unreserve(record.countedBytes, record.owner);
    for (const record of this.#records) {
      const count = record.topic.partitionCount;
      const isKnown = count > 0 && record.partition < count;
      if (!isFull && isKnown) {
        if (place(record)) continue;
        isFull = true;
      }
      if (isKnown) record.waitsSince = Math.min(record.waitsSince, now);
      const error = isKnown ? null : this.#whyNever(record, count, now);
      if (error === null) left.push(record);
      else failed.push([record, error]);
    }
    this.#isShort = isFull;
    for (const record of left) this.#memory.reserveBeyond(record.countedBytes, record.owner);
    this.#replace(left);
    for (const [record, error] of failed) {
      this.#onFailed(record.topic.name, error, now);
      this.#fail(record, error);
    }
    if (left.length > 0 && !isFull) this.#cluster.requestUpdate();
    if (this.#records.length === 0) this.#tellEmpty(now);
  }

  /** Fails all waiting records. */
  failAll(errorOf: (record: UnplacedRecord) => Error, now: number): void {
    const records = this.#records;
    this.#replace([]);
    for (const record of records) {
      this.#memory.unreserve(record.countedBytes, record.owner);
      this.#fail(record, errorOf(record));
    }
    this.#tellEmpty(now);
  }

  #tellEmpty(now: number): void {
    const listeners = this.#onEmpty;
    this.#onEmpty = [];
    for (const listener of listeners) listener(now);
  }

  #whyNever(record: StagedRecord, count: number, now: number): Error | null {
    const { topic, partition } = record;
    const code = this.#cluster.topicError(topic.name) ?? 0;
    const details = { topic: topic.name, ...(partition >= 0 && { partition }), maybeWritten: false };
    if (finalErrors.has(code)) return errorFor(code, details);
    if (now < record.deadline) return null;
    // Without metadata the brokers' word on the topic is missing, or old: the reason is why no broker can be asked.
    const cause = this.#requests.lastError(anyone) ?? errorFor(code, { topic: topic.name }) ?? undefined;
    const text =
      count === 0
        ? `topic '${topic.name}' is not present in metadata after ${this.#maxBlockMs} ms (maxBlockMs)${cause === undefined ? '' : `: ${cause.message}`}`
        : `partition ${partition} of topic '${topic.name}' is not present in metadata after ${this.#maxBlockMs} ms (maxBlockMs); the topic has ${count} partitions`;
    return new TopicMetadataTimeoutError(text, { ...details, cause });
  }

  #fail(record: StagedRecord, error: Error): void {
    const runs = new RecordRuns();
    runs.add(record.owner, record.kind, record.trackId);
    runs.settle(outcomeOf(record.topic.name, record.partition, error));
  }
}
