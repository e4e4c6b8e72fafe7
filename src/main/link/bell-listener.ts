// Owns the listening to this thread's doorbell: what has come is taken whenever the bell rings. Application thread. Must not block.

import type { Doorbell } from '../../ring/doorbell.ts';

export class BellListener {
  readonly #doorbell: Doorbell;
  readonly #hasWork: () => boolean;
  readonly #take: () => void;
  #isClosed = false;
  #awaitedBell: Promise<void> | null = null;
  readonly #listenAgain = (): void => this.listen();
  readonly #onBell = (): void => {
    this.#take();
    // The code that awaits a Future continues before this thread arms its doorbell. The doorbell is armed in the same turn of the event
    // loop: one more turn would cost a fifth of this thread's time for an awaited request (bench/macro/round-trip.ts).
    process.nextTick(this.#listenAgain);
  };

  /**
   * @param hasWork whether there is something to take
   * @param take    takes what has come; called between other callbacks, must not throw
   */
  constructor(doorbell: Doorbell, hasWork: () => boolean, take: () => void) {
    this.#doorbell = doorbell;
    this.#hasWork = hasWork;
    this.#take = take;
  }

  /** From now on, takes what comes whenever the doorbell rings. */
  listen(): void {
    if (this.#isClosed) return;
    const bell = this.#doorbell.sleep(this.#hasWork);
    if (bell === null) {
      setImmediate(this.#onBell);
    } else if (bell !== this.#awaitedBell) {
      // The doorbell returns the same promise while it is armed.
      this.#awaitedBell = bell;
      bell.then(this.#onBell);
    }
  }

  close(): void {
    this.#isClosed = true;
  }
}
