// Owns the records that cannot go into a batch yet: their topic or partition is not known, for at most `maxBlockMs`, or it is known since
// then and there is no memory for a batch. Network thread. They keep their order. Must not delay records of other topics, and must not look
// at each record in each turn: there may be tens of thousands.

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
/** Records that have left are taken out of the list when they are so many, and half of it. */
const minDropped = 1024;

/** A record with the fields that are needed to choose its partition. */
export interface UnplacedRecord extends AppendedRecord {
  /** -1: the record names no partition. */
  readonly partition: number;
  /** -1: no key. */
  readonly keyFrom: number;
  readonly keyTo: number;
}

/** Whether metadata has the record's topic and, if it names one, its partition. */
export function isKnown({ topic, partition }: Pick<UnplacedRecord, 'topic' | 'partition'>): boolean {
  const { partitionCount } = topic;
  return partitionCount > 0 && partition < partitionCount;
}

/** Records that came between two flushes. */
interface Wave {
  /** How many of its records wait here. */
  waiting: number;
  /** Called when none of them and of those before waits any more. */
  readonly listeners: ((now: number) => void)[];
}

class StagedRecord implements UnplacedRecord {
  readonly wave: Wave;
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
  /** Until metadata comes, `deadline` limits its wait. After that it waits for memory. */
  waitsSince = Number.POSITIVE_INFINITY;

  constructor(record: UnplacedRecord, deadline: number, wave: Wave) {
    this.wave = wave;
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
  /** Records that wait for metadata. Of one topic all are later than those of the other list. */
  #unknown: StagedRecord[] = [];
  /** Records that wait for memory, from `#next` on. */
  #known: StagedRecord[] = [];
  #next = 0;
  /** How many records of each topic and partition wait; -1 for those that name no partition. */
  readonly #counts = new Map<TopicState, Map<number, number>>();
  /** How many records of each topic wait for metadata. */
  readonly #unknownOf = new Map<TopicState, number>();
  /** The bytes that are counted for the records of each thread. */
  readonly #bytesOf = new Map<RecordOwner, number>();
  /** Oldest first. The last one is that of the records to come. */
  #waves: Wave[] = [newWave()];
  /** The metadata with which the records were last tried. */
  #triedWith = -1;

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
    return this.#unknown.length === 0 && this.#known.length === 0;
  }

  /** The time at which the first record has waited too long for metadata. */
  get nextDeadline(): number {
    return this.#unknown[0]?.deadline ?? Number.POSITIVE_INFINITY;
  }

  /** Whether records wait here for memory. */
  get isShort(): boolean {
    return this.#known.length > 0;
  }

  /** Whether records of this thread wait here for memory. Later ones need not be copied then: there is no memory for them either. */
  isShortFor(owner: RecordOwner): boolean {
    return this.isShort && this.#bytesOf.has(owner);
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
    const staged = new StagedRecord(record, now + this.#maxBlockMs, this.#waves.at(-1)!);
    if (!this.#memory.reserve(staged.countedBytes, staged.owner)) return false;
    if (!this.isWaiting(record.topic)) {
      this.#triedWith = -1;
      this.#cluster.requestUpdate();
    }
    staged.wave.waiting++;
    this.#noteBytes(staged, 1);
    this.#count(staged);
    if (isKnown(staged) && !this.#unknownOf.has(staged.topic)) {
      staged.waitsSince = Math.min(now, record.waitsSince);
      this.#known.push(staged);
    } else {
      this.#keepUnknown(staged);
    }
    return true;
  }

  #keepUnknown(record: StagedRecord): void {
    this.#unknown.push(record);
    this.#unknownOf.set(record.topic, (this.#unknownOf.get(record.topic) ?? 0) + 1);
  }

  #count({ topic, partition }: StagedRecord): void {
    const counts = this.#counts.get(topic) ?? new Map<number, number>();
    this.#counts.set(topic, counts);
    counts.set(partition, (counts.get(partition) ?? 0) + 1);
  }

  #noteBytes({ owner, countedBytes }: StagedRecord, sign: 1 | -1): void {
    const bytes = (this.#bytesOf.get(owner) ?? 0) + sign * countedBytes;
    if (bytes > 0) this.#bytesOf.set(owner, bytes);
    else this.#bytesOf.delete(owner);
  }

  /** The record waits here no longer. Its memory is not released. */
  #left(record: StagedRecord): void {
    const { topic, partition } = record;
    record.wave.waiting--;
    this.#noteBytes(record, -1);
    const counts = this.#counts.get(topic)!;
    const count = counts.get(partition)! - 1;
    if (count > 0) counts.set(partition, count);
    else if (counts.size > 1) counts.delete(partition);
    else this.#counts.delete(topic);
  }

  /** Calls `listener` once when no record waits here any more that waits here now. Later ones may come without end. */
  onceLeft(listener: (now: number) => void): void {
    const last = this.#waves.at(-1)!;
    last.listeners.push(listener);
    this.#waves.push(newWave());
  }

  /**
   * Places the records whose metadata has come. Fails records that have waited too long or whose topic has a final error.
   * @param place puts the record into a batch; it returns false when there is no memory for it now
   */
  poll(place: (record: UnplacedRecord) => boolean, now: number): void {
    if (this.isEmpty) return;
    const { updateId } = this.#cluster;
    const failed: [StagedRecord, Error][] = [];
    // The memory of all records is released at once: they may fill it, and a batch needs memory before the first record can leave.
    for (const [owner, bytes] of this.#bytesOf) this.#memory.unreserve(bytes, owner);
    if (updateId !== this.#triedWith || now >= this.nextDeadline) this.#sort(failed, now);
    this.#triedWith = updateId;
    this.#placeKnown(place);
    for (const [owner, bytes] of this.#bytesOf) this.#memory.reserveBeyond(bytes, owner);
    for (const [record, error] of failed) {
      this.#onFailed(record.topic.name, error, now);
      this.#fail(record, error);
    }
    if (this.#unknown.length > 0) this.#cluster.requestUpdate();
    this.#tellLeft(now);
  }

  /** Looks anew at each record: what it waits for, and whether it has waited too long. */
  #sort(failed: [StagedRecord, Error][], now: number): void {
    for (const record of this.#takeAll()) {
      if (isKnown(record)) {
        record.waitsSince = Math.min(record.waitsSince, now);
        this.#known.push(record);
        continue;
      }
      const error = this.#whyNever(record, record.topic.partitionCount, now);
      if (error === null) {
        this.#keepUnknown(record);
      } else {
        this.#left(record);
        failed.push([record, error]);
      }
    }
  }

  /** The records in their order. The lists are empty after that. */
  #takeAll(): StagedRecord[] {
    const all = [...this.#known.slice(this.#next), ...this.#unknown];
    this.#known = [];
    this.#next = 0;
    this.#unknown = [];
    this.#unknownOf.clear();
    return all;
  }

  #placeKnown(place: (record: UnplacedRecord) => boolean): void {
    const known = this.#known;
    while (this.#next < known.length && place(known[this.#next]!)) this.#left(known[this.#next++]!);
    if (this.#next === known.length) {
      this.#known = [];
      this.#next = 0;
    } else if (this.#next >= minDropped && this.#next * 2 >= known.length) {
      known.splice(0, this.#next);
      this.#next = 0;
    }
  }

  /** Fails all waiting records. */
  failAll(errorOf: (record: UnplacedRecord) => Error, now: number): void {
    for (const record of this.#takeAll()) {
      this.#left(record);
      this.#memory.unreserve(record.countedBytes, record.owner);
      this.#fail(record, errorOf(record));
    }
    this.#tellLeft(now);
  }

  #tellLeft(now: number): void {
    while (this.#waves.length > 1 && this.#waves[0]!.waiting === 0) {
      const { listeners } = this.#waves.shift()!;
      for (const listener of listeners) listener(now);
    }
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

function newWave(): Wave {
  return { waiting: 0, listeners: [] };
}
