// Owns the wait for a number of batches: those that existed when somebody asked for a flush, or that belong to a transaction.
// Network thread.

export class FlushWaiter {
  #remaining = 0;
  readonly #onDone: (now: number) => void;

  constructor(onDone: (now: number) => void) {
    this.#onDone = onDone;
  }

  get isDone(): boolean {
    return this.#remaining === 0;
  }

  /** One thing more to wait for. */
  add(): void {
    this.#remaining++;
  }

  /** One thing is over; the last one ends the wait. */
  done(now: number): void {
    this.#remaining--;
    if (this.#remaining === 0) this.#onDone(now);
  }
}
