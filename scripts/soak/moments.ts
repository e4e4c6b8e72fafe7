// Owns what a soak looked at from time to time, in memory that is taken once: the watch must not be the growth that it looks for. Main
// thread.

/** What is looked at, in the order of the picture. */
export const series = {
  rssMiB: 'RSS of the process, MiB',
  heapMiB: 'heap of the main thread, MiB',
  arrayBuffersMiB: 'buffers of the main thread, MiB',
  open: 'requests open: accepted - succeeded - failed',
  missing: 'records acknowledged and not read yet',
  broken: 'rules broken: lost, doubled, reordered, untyped errors',
} as const;

export type SeriesName = keyof typeof series;

const names = Object.keys(series) as SeriesName[];

export class Moments {
  readonly #columns: ReadonlyMap<SeriesName, Float64Array>;
  readonly #seconds: Float64Array;
  #length = 0;

  constructor(capacity: number) {
    this.#seconds = new Float64Array(capacity);
    this.#columns = new Map(names.map((name) => [name, new Float64Array(capacity)]));
  }

  get length(): number {
    return this.#length;
  }

  /** Beyond the capacity nothing is kept. */
  push(seconds: number, values: Readonly<Record<SeriesName, number>>): void {
    if (this.#length === this.#seconds.length) return;
    this.#seconds[this.#length] = seconds;
    for (const name of names) this.#columns.get(name)![this.#length] = values[name];
    this.#length++;
  }

  get seconds(): number[] {
    return [...this.#seconds.subarray(0, this.#length)];
  }

  values(name: SeriesName): number[] {
    return [...this.#columns.get(name)!.subarray(0, this.#length)];
  }
}
