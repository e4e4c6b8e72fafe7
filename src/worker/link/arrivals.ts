// Owns the times at which the records of a link were there, while there is no memory to take them: the time limit of a delivery counts
// from then, not from the moment at which a record is taken at last. Network thread. Must not read the link.

/** So many steps divide the time limit: a record may be given up later by one of them. */
const steps = 32;

export class Arrivals {
  readonly #stepMs: number;
  /** All frames up to that uint32 position were there at that time, in ms on the monotonic clock. Both grow. */
  readonly #seen: { position: number; readonly at: number }[] = [];

  constructor(deliveryTimeoutMs: number) {
    this.#stepMs = deliveryTimeoutMs / steps;
  }

  get isEmpty(): boolean {
    return this.#seen.length === 0;
  }

  /** The frames up to this position are there, and cannot be taken now. */
  note(position: number, now: number): void {
    const last = this.#seen.at(-1);
    if (last?.at === now) last.position = position;
    const isNew = last === undefined || (last.position !== position && now - last.at >= this.#stepMs);
    // More would be left than a time limit has steps only if frames came and none was taken for longer than that.
    if (isNew && this.#seen.length <= 2 * steps) this.#seen.push({ position, at: now });
  }

  /** When the frame that ends at this position was there at the latest. Frames must be asked about in their order. */
  timeOf(position: number, now: number): number {
    while (this.#seen.length > 0 && ((this.#seen[0]!.position - position) | 0) < 0) this.#seen.shift();
    return this.#seen[0]?.at ?? now;
  }
}
