// Owns the wait for a number of batches: those that existed at a flush, or those of a transaction. Network thread.

export class FlushWaiter {
  #remaining = 0;
  readonly #onDone: (now: number) => void;

  constructor(onDone: (now: number) => void) {
    this.#onDone = onDone;
  }

  /** Adds one batch to wait for. */
  add(): void {
    this.#remaining++;
  }

  /** One batch is settled. The last one ends the wait. */
  done(now: number): void {
    this.#remaining--;
    if (this.#remaining === 0) this.#onDone(now);
  }
}
