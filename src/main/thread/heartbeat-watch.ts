// Owns the decision that the network thread is stuck: it makes no turn although its doorbell is rung repeatedly. Application thread.
// Must not read a clock.

/**
 * The thread is stuck after so many looks in a row without a turn. A time span is not used: after this thread, the process or the
 * machine was stopped for a while, much time has passed and nothing is wrong.
 */
const looksPerLimit = 4;

export class HeartbeatWatch {
  /** ms between two looks. */
  readonly intervalMs: number;
  readonly #turns: () => number;
  readonly #ring: () => void;
  #lastLookAt = Number.NEGATIVE_INFINITY;
  #lastTurns = -1;
  #looksInVain = 0;

  /**
   * @param limitMs the thread is stuck after so many ms without a turn
   * @param turns   returns how many turns the network thread has made
   * @param ring    asks the network thread for a turn; a thread that sleeps makes none by itself
   */
  constructor(limitMs: number, turns: () => number, ring: () => void) {
    this.intervalMs = Math.max(1, Math.ceil(limitMs / looksPerLimit));
    this.#turns = turns;
    this.#ring = ring;
  }

  /** Looks, unless it did so less than `intervalMs` ago. @returns whether the thread is stuck */
  look(nowMs: number): boolean {
    if (nowMs - this.#lastLookAt < this.intervalMs) return false;
    this.#lastLookAt = nowMs;
    const turns = this.#turns();
    this.#looksInVain = turns === this.#lastTurns ? this.#looksInVain + 1 : 0;
    this.#lastTurns = turns;
    if (this.#looksInVain >= looksPerLimit) return true;
    this.#ring();
    return false;
  }

  /** Must be called after a time without looks, when nothing was under way. */
  reset(): void {
    this.#lastTurns = -1;
    this.#looksInVain = 0;
  }
}
