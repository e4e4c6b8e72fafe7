// Owns the judgement that the network thread is stuck: it makes no turn though its doorbell is rung again and again.
// Application thread. Must not read a clock.

/**
 * So many looks in a row, not a span of time: after this thread, the process or the whole machine stood still, much time has
 * passed and nothing is wrong.
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
   * @param limitMs without a turn that mean it is stuck
   * @param turns   of the network thread so far
   * @param ring    asks the network thread for a turn, which one that sleeps has no other reason to make
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

  /** Nobody looked for a while, since nothing was under way. */
  reset(): void {
    this.#lastTurns = -1;
    this.#looksInVain = 0;
  }
}
