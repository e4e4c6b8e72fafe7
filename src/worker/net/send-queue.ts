// Owns the requests of one connection that are not with its socket yet, in the order they were sent. Network thread.

/** A place kept for a request that is being encoded elsewhere. */
export class ReservedSend {
  bytes: Uint8Array | null = null;
  isDropped = false;
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  fill(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.#onChange();
  }

  /** The request will not be sent; what stands behind it may go. */
  drop(): void {
    this.isDropped = true;
    this.#onChange();
  }
}

export class SendQueue {
  #entries: (Uint8Array | ReservedSend)[] = [];

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  push(bytes: Uint8Array): void {
    this.#entries.push(bytes);
  }

  reserve(onChange: () => void): ReservedSend {
    const place = new ReservedSend(onChange);
    this.#entries.push(place);
    return place;
  }

  /** Removes and returns what may be written now: everything up to the first place that is still kept free. */
  take(): Uint8Array[] {
    const ready: Uint8Array[] = [];
    let taken = 0;
    for (const entry of this.#entries) {
      const bytes = entry instanceof ReservedSend ? entry.bytes : entry;
      if (bytes === null && !(entry as ReservedSend).isDropped) break;
      if (bytes !== null) ready.push(bytes);
      taken++;
    }
    this.#entries = taken === this.#entries.length ? [] : this.#entries.slice(taken);
    return ready;
  }

  /** Takes over what another queue holds, behind what is here. */
  append(other: SendQueue): void {
    // Not push: so many arguments as may wait are too many for the stack.
    this.#entries = this.#entries.length === 0 ? other.#entries : this.#entries.concat(other.#entries);
    other.clear();
  }

  clear(): void {
    this.#entries = [];
  }
}
