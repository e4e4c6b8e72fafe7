// Owns the limit of the bytes of requests that sockets have not taken, over all connections. Network thread. Without it a client with many
// brokers that do not read could hold the largest request as often as all of them together may have in flight.

/** What a connection holds for its socket. */
export interface Sending {
  /** Bytes that are queued, or that the socket has and could not write. */
  readonly unsentBytes: number;
}

export class SendMemory {
  readonly maxBytes: number;
  readonly #channels: Iterable<Sending>;
  /** Not less than `usedBytes`. It is counted anew only when it is too high: requests are many, and few wait. */
  #atMost = 0;

  constructor(maxBytes: number, channels: Iterable<Sending>) {
    this.maxBytes = maxBytes;
    this.#channels = channels;
  }

  get usedBytes(): number {
    let bytes = 0;
    for (const { unsentBytes } of this.#channels) bytes += unsentBytes;
    return bytes;
  }

  /** Whether a request of so many bytes may be queued: it counts from now on. A single larger one may. */
  takes(byteCount: number): boolean {
    if (this.#atMost + byteCount > this.maxBytes) this.#atMost = this.usedBytes;
    if (this.#atMost > 0 && this.#atMost + byteCount > this.maxBytes) return false;
    this.#atMost += byteCount;
    return true;
  }
}
