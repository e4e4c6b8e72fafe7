// Owns the assigned partitions and their release in order: stop handing out, wait for handed-out batches, commit what is done, tell
// the application. Network thread.

import type { TopicPartition } from '../../common/config/consumer-config.ts';
import type { ConsumerEvent } from '../../common/consumer-calls.ts';
import type { Dealer } from './dealer.ts';
import { keyOf, Partition } from './partition.ts';

interface Release {
  readonly partitions: readonly Partition[];
  readonly deadline: number;
  /** Until this time handed-out batches are waited for. The rest of the time is for the commit. */
  waitUntil: number;
  readonly done: (now: number) => void;
  isCommitting: boolean;
}

export interface PartitionSetParts {
  readonly dealer: Dealer;
  readonly whenRevoked: 'wait' | 'drop';
  /** Commits what is done of these partitions, if the commit mode wants that. `done` is called once, at the latest at the deadline. */
  readonly commitDone: (
    partitions: readonly Partition[],
    deadline: number,
    done: (now: number) => void,
    now: number,
  ) => void;
  readonly tell: (event: ConsumerEvent) => void;
  readonly onChange: () => void;
}

/** The part of the time until the deadline that is kept for the commit. */
const commitShare = 0.25;
const maxCommitMs = 5000;

export class PartitionSet {
  readonly #parts: PartitionSetParts;
  readonly #byKey = new Map<string, Partition>();
  #list: readonly Partition[] = [];
  #releases: Release[] = [];

  constructor(parts: PartitionSetParts) {
    this.#parts = parts;
  }

  get all(): readonly Partition[] {
    return this.#list;
  }

  get(topic: string, index: number): Partition | undefined {
    return this.#byKey.get(keyOf(topic, index));
  }

  byKey(key: string): Partition | null {
    return this.#byKey.get(key) ?? null;
  }

  asTopicPartitions(): TopicPartition[] {
    return this.#list.map(named);
  }

  take(wanted: readonly TopicPartition[], now: number): Partition[] {
    const added: Partition[] = [];
    for (const { topic, partition: index } of wanted) {
      if (this.#byKey.has(keyOf(topic, index))) continue;
      const partition = new Partition(topic, index);
      partition.movedAt = now;
      this.#byKey.set(partition.key, partition);
      added.push(partition);
    }
    this.#changed();
    if (added.length > 0) this.#parts.tell({ type: 'assigned', partitions: added.map(named) });
    return added;
  }

  release(wanted: readonly TopicPartition[], deadline: number, done: (now: number) => void, now: number): void {
    const partitions = this.#known(wanted);
    for (const partition of partitions) {
      partition.collectDone();
      partition.isReleasing = true;
      if (this.#parts.whenRevoked === 'drop') partition.giveUp();
      else partition.withdraw();
    }
    const waitUntil = deadline - commitTimeMs(deadline - now);
    this.#releases.push({ partitions, deadline, waitUntil, done, isCommitting: false });
    this.poll(now);
  }

  /**
   * Takes these partitions, and gives others up at once. What is done is committed, until the deadline at most. What is being released
   * begins anew: otherwise the end of its release would take it away.
   */
  replace(wanted: readonly TopicPartition[], deadline: number, now: number): void {
    const keys = new Set(wanted.map(({ topic, partition }) => keyOf(topic, partition)));
    const gone = this.#list.filter(({ key, isReleasing }) => isReleasing || !keys.has(key));
    if (gone.length > 0) {
      for (const partition of gone) partition.giveUp();
      this.#parts.commitDone(gone, deadline, () => {}, now);
      this.#remove(gone);
      this.#parts.tell({ type: 'revoked', partitions: gone.map(named) });
    }
    this.take(wanted, now);
  }

  /** Gives the partitions up at once. Nothing is committed. */
  lose(wanted: readonly TopicPartition[]): void {
    const partitions = this.#known(wanted);
    if (partitions.length === 0) return;
    this.#remove(partitions);
    this.#parts.tell({ type: 'lost', partitions: partitions.map(named) });
  }

  /** Ends all waits for batches: handed-out batches are given up. */
  hurry(now: number): void {
    for (const release of this.#releases) release.waitUntil = Math.min(release.waitUntil, now);
    this.poll(now);
  }

  poll(now: number): void {
    for (const release of [...this.#releases]) {
      if (release.isCommitting) continue;
      const { deadline, waitUntil } = release;
      // What was lost in the meantime belongs to others, whose commits an older offset would undo.
      const partitions = release.partitions.filter((partition) => this.#isHeld(partition));
      for (const partition of partitions) partition.collectDone();
      const isOut = partitions.some((partition) => partition.handed.length > 0);
      if (isOut && now < waitUntil) continue;
      for (const partition of partitions) partition.giveUp();
      release.isCommitting = true;
      this.#parts.commitDone(partitions, deadline, (at) => this.#released(release, at), now);
    }
  }

  /** Whether a release waits for handed-out batches. */
  get isReleaseWaiting(): boolean {
    return this.#releases.some(({ isCommitting }) => !isCommitting);
  }

  nextDeadline(now: number): number {
    let deadline = Number.POSITIVE_INFINITY;
    for (const release of this.#releases)
      if (!release.isCommitting) deadline = Math.min(deadline, Math.max(now, release.waitUntil));
    return deadline;
  }

  #released(release: Release, now: number): void {
    this.#releases = this.#releases.filter((other) => other !== release);
    // Some partitions may have been lost in the meantime. The application was told of those already.
    const partitions = release.partitions.filter((partition) => this.#isHeld(partition));
    this.#remove(partitions);
    if (partitions.length > 0) this.#parts.tell({ type: 'revoked', partitions: partitions.map(named) });
    release.done(now);
  }

  #remove(partitions: readonly Partition[]): void {
    for (const partition of partitions) {
      partition.isReleasing = true;
      partition.giveUp();
      partition.unraise();
      this.#byKey.delete(partition.key);
      this.#parts.dealer.forget(partition);
    }
    this.#changed();
  }

  #isHeld(partition: Partition): boolean {
    return this.#byKey.get(partition.key) === partition;
  }

  #known(wanted: readonly TopicPartition[]): Partition[] {
    return wanted.map(({ topic, partition }) => this.get(topic, partition)).filter((one) => one !== undefined);
  }

  #changed(): void {
    this.#list = [...this.#byKey.values()];
    this.#parts.onChange();
  }
}

function named({ topic, index }: Partition): TopicPartition {
  return { topic, partition: index };
}

function commitTimeMs(leftMs: number): number {
  return Math.min(maxCommitMs, Math.max(0, leftMs * commitShare));
}
