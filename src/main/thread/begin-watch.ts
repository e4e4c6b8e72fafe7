// Owns the decision that a network thread has waited too long for its modules. Application thread. Must not read a clock.

/** Between two looks the thread can have waited for hardly more than the time between them, unless the process was stopped meanwhile. */
const tolerance = 2;

export class BeginWatch {
  readonly #mostMs: number;
  #leftMs: number;
  #lastIdleMs = 0;

  /**
   * @param limitMs for so long the thread may wait
   * @param everyMs the time between two looks
   */
  constructor(limitMs: number, everyMs: number) {
    this.#leftMs = limitMs;
    this.#mostMs = tolerance * everyMs;
  }

  /** @param idleMs for how long its event loop had nothing to do since its start. @returns whether that was too long */
  look(idleMs: number): boolean {
    this.#leftMs -= Math.min(idleMs - this.#lastIdleMs, this.#mostMs);
    this.#lastIdleMs = idleMs;
    return this.#leftMs <= 0;
  }
}
