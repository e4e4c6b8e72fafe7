// Owns the choice of partitions for records of one topic without a key: all go to one partition until about a batch is full, then to
// another one (KIP-794). Network thread. Must not look at queues or leaders: the topic gives it their load.

import { greatest } from '../../common/lists.ts';

/** The partitions that may be chosen, and how many batches wait for each. */
export interface PartitionLoad {
  readonly partitions: readonly number[];
  readonly lengths: readonly number[];
}

/** The part of the topic's state that the choice needs. */
export interface StickyTopic {
  readonly partitionCount: number;
  /** Null: all partitions with a leader have the same chance. */
  load(): PartitionLoad | null;
  withLeader(): readonly number[];
}

export class StickyPartitioner {
  readonly #stepBytes: number;
  readonly #random: () => number;
  /** -1: no partition is chosen. */
  #current = -1;
  /** How many bytes were appended to the current partition since it was chosen. */
  #bytes = 0;

  /**
   * @param stepBytes after so many bytes another partition is chosen
   * @param random    from 0 up to, but not including, 1
   */
  constructor(stepBytes: number, random: () => number) {
    this.#stepBytes = stepBytes;
    this.#random = random;
  }

  /** The partition of the next record without a key. The topic must have partitions. */
  choose(topic: StickyTopic): number {
    if (this.#current < 0 || this.#current >= topic.partitionCount) this.#next(topic);
    return this.#current;
  }

  /**
   * Records were appended to a partition.
   * @param isQueueFull whether the partition's queue has no partly full batch; then no small batch is left behind by a change
   * @returns whether the next record may get another partition
   */
  appended(topic: StickyTopic, partition: number, byteCount: number, isQueueFull: boolean): boolean {
    if (partition !== this.#current) return true;
    this.#bytes += byteCount;
    if (this.#bytes < (isQueueFull ? this.#stepBytes : 2 * this.#stepBytes)) return false;
    this.#next(topic);
    return true;
  }

  #next(topic: StickyTopic): void {
    this.#bytes = 0;
    this.#current = this.#byLoad(topic) ?? this.#uniform(topic);
  }

  /** A partition with a shorter queue is chosen with a higher probability. Undefined if the load cannot decide. */
  #byLoad(topic: StickyTopic): number | undefined {
    const load = topic.load();
    if (load === null) return undefined;
    const { partitions, lengths } = load;
    if (partitions.length === 0 || topic.partitionCount < 2) return undefined;
    const isComplete = partitions.length === topic.partitionCount;
    if (isComplete && lengths.every((length) => length === lengths[0])) return undefined;
    const weightOfLongest = greatest(lengths) + 1;
    const sum = lengths.reduce((total, length) => total + weightOfLongest - length, 0);
    let drawn = Math.floor(this.#random() * sum);
    for (let i = 0; i < partitions.length; i++) {
      drawn -= weightOfLongest - lengths[i]!;
      if (drawn < 0) return partitions[i];
    }
    return partitions[partitions.length - 1];
  }

  #uniform(topic: StickyTopic): number {
    const candidates = topic.withLeader();
    const drawn = this.#random();
    if (candidates.length === 0) return Math.floor(drawn * topic.partitionCount);
    return candidates[Math.floor(drawn * candidates.length)]!;
  }
}
