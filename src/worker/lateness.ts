// Owns whether a round may judge deadlines. A thread that was stopped, or busy for long in one place, finds that deadlines have passed while it
// read nothing: what would have met them may lie in the sockets. Network thread. Must not read a clock.
//
// Whoever is late by less also reads before it judges (poll-loop.ts), but only the roles whose own deadlines have passed wait for that. Who
// is late by more reads once more, because much may have come, and others get the time back that this thread has lost.
//
// The sockets are read between two turns. The pass over them that is under way when a round finds this out may have begun before the thread
// was busy, and then it brings nothing that has arrived since. So the second turn judges.

import { inTimeMs } from '../common/clock.ts';

const turnsToRead = 2;
/** For as long, in ms, a thread may be late without any consequence for limits of others. */
export const tolerableMs = 1000;

export class Lateness {
  #roundAt = Number.NEGATIVE_INFINITY;
  #deadline = Number.POSITIVE_INFINITY;
  #turnsLeft = 0;

  /** Whether everything was read that had arrived when the last deadline passed. */
  get mayJudge(): boolean {
    return this.#turnsLeft === 0;
  }

  /** A round begins. Returns for how many ms, at least, a deadline has passed and nothing was read; 0 for less than matters. */
  roundBegins(now: number, isTurn: boolean): number {
    const lateMs = now - Math.max(this.#deadline, this.#roundAt);
    const isLate = lateMs > inTimeMs;
    this.#roundAt = now;
    // A thread that is late in each round judges nevertheless.
    if (this.#turnsLeft > 0) this.#turnsLeft -= isTurn ? 1 : 0;
    else if (isLate) this.#turnsLeft = turnsToRead;
    return isLate ? lateMs : 0;
  }

  /** @param deadline when the next round is due, ms on the monotonic clock */
  roundEnded(deadline: number): void {
    this.#deadline = deadline;
  }
}
