// Owns the account of requests without response (Produce with acks 0) that their peer has not taken yet: how many bytes
// they hold, and until when they may wait. Network thread. Nothing else bounds them: they are never in flight.

export class OneWaySends {
  #queuedBytes = 0;
  #queuedDeadline = Number.POSITIVE_INFINITY;
  /** With the socket, which has not said that they left. */
  #handedBytes = 0;
  #handedDeadline = Number.POSITIVE_INFINITY;

  get unwrittenBytes(): number {
    return this.#queuedBytes + this.#handedBytes;
  }

  /** When the first of them has waited too long, ms on the monotonic clock; Infinity without any. */
  get deadline(): number {
    return Math.min(this.#queuedDeadline, this.#handedDeadline);
  }

  add(byteCount: number, deadline: number): void {
    this.#queuedBytes += byteCount;
    this.#queuedDeadline = Math.min(this.#queuedDeadline, deadline);
  }

  /** Everything queued went to the socket, which holds it back or not. */
  handedOver(isHeldBack: boolean): void {
    this.#handedBytes += this.#queuedBytes;
    this.#handedDeadline = this.deadline;
    this.#queuedBytes = 0;
    this.#queuedDeadline = Number.POSITIVE_INFINITY;
    if (!isHeldBack) this.drained();
  }

  /** Everything the socket held has left. */
  drained(): void {
    this.#handedBytes = 0;
    this.#handedDeadline = Number.POSITIVE_INFINITY;
  }
}
