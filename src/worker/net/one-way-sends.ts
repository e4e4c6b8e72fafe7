// Owns the account of requests without response (Produce with acks 0) that their peer has not taken yet: how many bytes
// they hold, until when they may wait, and who is to be told of those that are not with the socket yet. Network thread. Nothing
// else bounds them: they are never in flight.

/** Whoever waits for one of them; told once, of one or the other. */
export interface OneWaySend {
  /** The socket has it. What becomes of it after that nobody can tell. */
  onHandedOver(now: number): void;
  onFailure(error: Error, now: number): void;
}

export class OneWaySends {
  readonly #waiting = new Set<OneWaySend>();
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

  /** It has not been handed over yet. */
  expect(send: OneWaySend): void {
    this.#waiting.add(send);
  }

  /** It will not be handed over; false when that is settled already. */
  drop(send: OneWaySend): boolean {
    return this.#waiting.delete(send);
  }

  /** The socket has it. */
  settle(send: OneWaySend, now: number): void {
    if (this.#waiting.delete(send)) send.onHandedOver(now);
  }

  /** Those that were never handed over, oldest first, for whoever ends the connection to fail. */
  takeWaiting(): OneWaySend[] {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
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
