// Owns a binary heap: the entry of the lowest rank is found at once, and adding and taking cost log n. Every thread.

export class MinHeap<T> {
  readonly #rankOf: (entry: T) => number;
  readonly #entries: T[] = [];

  /** @param rankOf the rank of an entry; it must not change while the entry is in the heap */
  constructor(rankOf: (entry: T) => number) {
    this.#rankOf = rankOf;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The entry of the lowest rank. */
  get least(): T | undefined {
    return this.#entries[0];
  }

  add(entry: T): void {
    const entries = this.#entries;
    let at = entries.length;
    const rank = this.#rankOf(entry);
    entries.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#rankOf(entries[parent]!) <= rank) break;
      entries[at] = entries[parent]!;
      at = parent;
    }
    entries[at] = entry;
  }

  /** Removes and returns `least`. */
  take(): T | undefined {
    const entries = this.#entries;
    const least = entries[0];
    const last = entries.pop();
    if (last === undefined || entries.length === 0) return least;
    const rank = this.#rankOf(last);
    let at = 0;
    for (let child = 1; child < entries.length; child = 2 * at + 1) {
      if (child + 1 < entries.length && this.#rankOf(entries[child + 1]!) < this.#rankOf(entries[child]!)) child++;
      if (this.#rankOf(entries[child]!) >= rank) break;
      entries[at] = entries[child]!;
      at = child;
    }
    entries[at] = last;
    return least;
  }
}
