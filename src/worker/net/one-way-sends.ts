// Owns the account of requests without response (Produce with acks 0) that have not left the process: how many bytes they hold,
// how long they may wait, and whom to tell when the socket has them. Network thread. Nothing else limits them, because the
// limit of requests in flight does not count them.

/** Waits for one request. Exactly one of its functions is called, once. */
export interface OneWaySend {
  /** The socket has the request. Nobody can tell whether the broker gets it. */
  onHandedOver(now: number): void;
  onFailure(error: Error, now: number): void;
}

export class OneWaySends {
  readonly #waiting = new Set<OneWaySend>();
  #queuedBytes = 0;
  #queuedDeadline = Number.POSITIVE_INFINITY;
  /** Bytes that the socket has, but that have not left the process as far as we know. */
  #handedBytes = 0;
  #handedDeadline = Number.POSITIVE_INFINITY;

  get unwrittenBytes(): number {
    return this.#queuedBytes + this.#handedBytes;
  }

  /** The time at which the first of them has waited too long, in ms on the monotonic clock. Infinity when there are none. */
  get deadline(): number {
    return Math.min(this.#queuedDeadline, this.#handedDeadline);
  }

  /** Adds a request that the socket does not have yet. */
  expect(send: OneWaySend): void {
    this.#waiting.add(send);
  }

  /** Removes a request that will not be written. Returns false when it was settled before. */
  drop(send: OneWaySend): boolean {
    return this.#waiting.delete(send);
  }

  /** The socket has the request: tells its waiter. */
  settle(send: OneWaySend, now: number): void {
    if (this.#waiting.delete(send)) send.onHandedOver(now);
  }

  /** Removes and returns the requests that the socket never got, oldest first. The caller ends the connection and must fail them. */
  takeWaiting(): OneWaySend[] {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }

  add(byteCount: number, deadline: number): void {
    this.#queuedBytes += byteCount;
    this.#queuedDeadline = Math.min(this.#queuedDeadline, deadline);
  }

  /** Moves every deadline by the time for which this side did not write. */
  extendDeadlines(byMs: number): void {
    this.#queuedDeadline += byMs;
    this.#handedDeadline += byMs;
  }

  /** The socket got everything that was queued. @param isHeldBack the socket keeps it in its buffer for now */
  handedOver(isHeldBack: boolean): void {
    this.#handedBytes += this.#queuedBytes;
    this.#handedDeadline = this.deadline;
    this.#queuedBytes = 0;
    this.#queuedDeadline = Number.POSITIVE_INFINITY;
    if (!isHeldBack) this.drained();
  }

  /** Everything in the socket's buffer has left the process. */
  drained(): void {
    this.#handedBytes = 0;
    this.#handedDeadline = Number.POSITIVE_INFINITY;
  }
}
