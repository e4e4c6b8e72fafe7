// Owns what was written and what was read in a soak: numbers that count up in each partition. What is lost, doubled in the log or
// out of order is found as it is read, with memory that does not grow. Main thread.

/** Numbers behind the newest that are still remembered with their offsets: more than are ever in flight. */
const window = 20_000;

interface Lane {
  /** Numbers that were acknowledged and not read yet. */
  readonly acknowledged: Set<number>;
  /** Offset of the numbers read last. */
  readonly offsets: Map<number, number>;
  newest: number;
  newestOffset: number;
}

export class Ledger {
  readonly #lanes: Lane[];
  #acknowledgedCount = 0;
  readCount = 0;
  /** Read again at the same offset: a batch that was not committed in time. */
  redelivered = 0;
  doubled = 0;
  reordered = 0;
  /** Where: a larger offset means that the log has them so, a smaller one that they were read so. */
  firstReordered: string | null = null;

  constructor(partitions: number) {
    this.#lanes = Array.from({ length: partitions }, () => ({
      acknowledged: new Set(),
      offsets: new Map(),
      newest: -1,
      newestOffset: -1,
    }));
  }

  get acknowledged(): number {
    return this.#acknowledgedCount;
  }

  acknowledge(partition: number, n: number): void {
    this.#acknowledgedCount++;
    const lane = this.#lanes[partition]!;
    if (!lane.offsets.has(n)) lane.acknowledged.add(n);
  }

  read(partition: number, n: number, offset: number): void {
    const lane = this.#lanes[partition]!;
    this.readCount++;
    lane.acknowledged.delete(n);
    const before = lane.offsets.get(n);
    if (before === offset) this.redelivered++;
    else if (before !== undefined) this.doubled++;
    else if (n < lane.newest) {
      this.reordered++;
      this.firstReordered ??= `${partition}: ${n} at offset ${offset}, after ${lane.newest} at ${lane.newestOffset}`;
    }
    if (n > lane.newest) lane.newestOffset = offset;
    lane.newest = Math.max(lane.newest, n);
    lane.offsets.set(n, offset);
    if (lane.offsets.size > window) lane.offsets.delete(lane.offsets.keys().next().value!);
  }

  /** Acknowledged and not read so far. */
  get missing(): number {
    return this.#lanes.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
  }
}
