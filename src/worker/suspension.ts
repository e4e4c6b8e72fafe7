// Owns the detection of a suspended machine: its wall clock went on while the monotonic clock stood still. Network thread. Must
// not read a clock. Somebody may also have set the wall clock, so the only consequence may be the end of idle connections.

/** Shorter pauses are ignored: peers keep connections that are silent for less than this. */
const minPauseMs = 30_000;

export class Suspension {
  #aheadMs: number;

  constructor(now: number, wallNow: number) {
    this.#aheadMs = wallNow - now;
  }

  /** For how many ms the machine was suspended since the last call. 0 for less than half a minute. */
  pauseMs(now: number, wallNow: number): number {
    const aheadMs = wallNow - now;
    const pauseMs = aheadMs - this.#aheadMs;
    this.#aheadMs = aheadMs;
    return pauseMs >= minPauseMs ? pauseMs : 0;
  }
}
