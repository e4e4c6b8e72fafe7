// Owns what a soak looked at from time to time, in memory that is taken once: the watch must not be the growth that it looks for. Main
// thread.

/** What is looked at every few seconds, in the order of the picture. */
export const watched = {
  open: 'requests open: accepted - succeeded - failed',
  classicLag: 'records acknowledged and not read by the group classic',
  consumerLag: 'records acknowledged and not read by the group consumer',
  broken: 'rules broken: lost, doubled, reordered, untyped errors',
} as const;

/** What is measured when nothing is under way. */
export const rested = {
  rssMiB: 'at rest: RSS of the process, MiB',
  heapMiB: 'at rest: heap of the main thread, MiB',
  networkHeapMiB: 'at rest: heap of the network thread, MiB',
  codeMiB: 'at rest: of both heaps compiled code, MiB',
  externalMiB: 'at rest: buffers and shared memory of both, MiB',
  keptMiB: 'at rest: of these kept for reuse, MiB',
  receiveMiB: 'at rest: of these what open connections receive into, MiB',
  usedMiB: 'at rest: heaps and buffers of both, without what is kept for reuse, MiB',
  dataMiB: 'at rest: the same without compiled code and what connections receive into, MiB',
  catchUpSeconds: 'seconds until both groups had read everything',
} as const;

export class Moments<Name extends string> {
  readonly titles: Readonly<Record<Name, string>>;
  readonly names: readonly Name[];
  readonly #columns: ReadonlyMap<Name, Float64Array>;
  readonly #seconds: Float64Array;
  #length = 0;

  constructor(titles: Readonly<Record<Name, string>>, capacity: number) {
    this.titles = titles;
    this.names = Object.keys(titles) as Name[];
    this.#seconds = new Float64Array(capacity);
    this.#columns = new Map(this.names.map((name) => [name, new Float64Array(capacity)]));
  }

  get length(): number {
    return this.#length;
  }

  /** Beyond the capacity nothing is kept. */
  push(seconds: number, values: Readonly<Record<Name, number>>): void {
    if (this.#length === this.#seconds.length) return;
    this.#seconds[this.#length] = seconds;
    for (const name of this.names) this.#columns.get(name)![this.#length] = values[name];
    this.#length++;
  }

  get seconds(): number[] {
    return [...this.#seconds.subarray(0, this.#length)];
  }

  values(name: Name): number[] {
    return [...this.#columns.get(name)!.subarray(0, this.#length)];
  }
}
