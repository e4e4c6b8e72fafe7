// Owns the choice of partitions for records without a key, for one topic: all go to one partition until about a batch is full,
// then to another (KIP-794). Network thread. Must not look at queues or leaders itself: the topic tells.

/** Partitions that may be chosen, and for each how many batches wait there. */
export interface PartitionLoad {
  readonly partitions: readonly number[];
  readonly lengths: readonly number[];
}

/** The topic as far as the choice needs it. */
export interface StickyTopic {
  readonly partitionCount: number;
  /** Null: all partitions with a leader are alike. */
  load(): PartitionLoad | null;
  withLeader(): readonly number[];
}

export class StickyPartitioner {
  readonly #stepBytes: number;
  readonly #random: () => number;
  /** -1: none is chosen. */
  #current = -1;
  /** Appended to the current partition since it was chosen. */
  #bytes = 0;

  /**
   * @param stepBytes bytes after which another partition is chosen
   * @param random    from 0 up to, but not including, 1
   */
  constructor(stepBytes: number, random: () => number) {
    this.#stepBytes = stepBytes;
    this.#random = random;
  }

  /** Where the next record without a key goes. The topic must have partitions. */
  choose(topic: StickyTopic): number {
    if (this.#current < 0 || this.#current >= topic.partitionCount) this.#next(topic);
    return this.#current;
  }

  /**
   * Something was appended to a partition.
   * @param isQueueFull whether the partition's queue has no batch that is only partly full: then nothing small stays behind
   */
  appended(topic: StickyTopic, partition: number, byteCount: number, isQueueFull: boolean): void {
    if (partition !== this.#current) return;
    this.#bytes += byteCount;
    const limit = isQueueFull ? this.#stepBytes : 2 * this.#stepBytes;
    if (this.#bytes >= limit) this.#next(topic);
  }

  #next(topic: StickyTopic): void {
    this.#bytes = 0;
    this.#current = this.#byLoad(topic) ?? this.#uniform(topic);
  }

  /** The shorter its queue, the likelier a partition is chosen; undefined where load tells nothing. */
  #byLoad(topic: StickyTopic): number | undefined {
    const load = topic.load();
    if (load === null) return undefined;
    const { partitions, lengths } = load;
    if (partitions.length === 0 || topic.partitionCount < 2) return undefined;
    const isComplete = partitions.length === topic.partitionCount;
    if (isComplete && lengths.every((length) => length === lengths[0])) return undefined;
    const weightOfLongest = Math.max(...lengths) + 1;
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
