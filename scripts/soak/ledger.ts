// Owns what was written and what was read in a soak: numbers that count up in each partition. What is lost, doubled in the log or
// out of order is found as it is read, with memory that does not grow. Main thread.

/** Numbers behind the newest that are still remembered with their offsets: more than are ever in flight. */
const window = 65_536;

interface Lane {
  /** Numbers that were acknowledged and not read yet. */
  acknowledged: Set<number>;
  /** The number that was read last of all that have this place, and its offset. */
  readonly numbers: Float64Array;
  readonly offsets: Float64Array;
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
      numbers: new Float64Array(window).fill(-1),
      offsets: new Float64Array(window),
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
    if (lane.numbers[n % window] !== n) lane.acknowledged.add(n);
  }

  read(partition: number, n: number, offset: number): void {
    const lane = this.#lanes[partition]!;
    const place = n % window;
    this.readCount++;
    lane.acknowledged.delete(n);
    if (lane.numbers[place] === n) {
      if (lane.offsets[place] === offset) this.redelivered++;
      else this.doubled++;
    } else if (n < lane.newest) {
      this.reordered++;
      this.firstReordered ??= `${partition}: ${n} at offset ${offset}, after ${lane.newest} at ${lane.newestOffset}`;
    }
    if (n > lane.newest) lane.newestOffset = offset;
    lane.newest = Math.max(lane.newest, n);
    lane.numbers[place] = n;
    lane.offsets[place] = offset;
  }

  /** Acknowledged and not read so far. */
  get missing(): number {
    return this.#lanes.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
  }

  /** By partition. */
  get missingOf(): number[] {
    return this.#lanes.map(({ acknowledged }) => acknowledged.size);
  }

  /** A set that was large keeps memory. */
  trim(): void {
    for (const lane of this.#lanes) if (lane.acknowledged.size === 0) lane.acknowledged = new Set();
  }
}
