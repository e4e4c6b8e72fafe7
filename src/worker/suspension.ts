// Owns the notice that the machine was suspended: its wall clock went on while the monotonic clock stood still. Network
// thread. Must not read a clock. The wall clock may also be set, so no more may hang on this than idle connections.

/** A peer keeps a connection that was silent for less. */
const minPauseMs = 30_000;

export class Suspension {
  #aheadMs: number;

  constructor(now: number, wallNow: number) {
    this.#aheadMs = wallNow - now;
  }

  /** ms that the machine stood still since the last call; 0 for less than half a minute. */
  pauseMs(now: number, wallNow: number): number {
    const aheadMs = wallNow - now;
    const pauseMs = aheadMs - this.#aheadMs;
    this.#aheadMs = aheadMs;
    return pauseMs >= minPauseMs ? pauseMs : 0;
  }
}
