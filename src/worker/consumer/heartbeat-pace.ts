// Owns when a member of KIP-848 sends its next heartbeat: at the interval that the coordinator has named, at once, or after a wait.
// Network thread. Must not send, and must not decide what an answer means.

import { RetryWait } from './backoff.ts';
import { HeartbeatTimes } from './heartbeat-times.ts';

const firstIntervalMs = 5000;
/** A coordinator that asks for a longer one would forget its members between two heartbeats. */
const maxIntervalMs = 60_000;

export class HeartbeatPace {
  readonly times = new HeartbeatTimes();
  readonly #wait: RetryWait;
  #isInFlight = false;
  #sentAt = Number.NEGATIVE_INFINITY;
  #intervalMs = firstIntervalMs;
  /** The last heartbeat must be repeated. */
  #isAgain = false;

  constructor(retryBackoffMs: number, random: () => number) {
    this.#wait = new RetryWait(retryBackoffMs, random);
  }

  sent(now: number): void {
    this.#isInFlight = true;
    this.#isAgain = false;
    this.#sentAt = now;
    this.times.sent(now);
  }

  /** The heartbeat was answered, or has failed. */
  ended(): void {
    this.#isInFlight = false;
  }

  /** @param intervalMs as the answer says; 0 or less: it says nothing */
  accepted(intervalMs: number, now: number): void {
    if (intervalMs > 0) this.#intervalMs = Math.min(intervalMs, maxIntervalMs);
    this.#wait.succeeded();
    this.times.accepted(now);
  }

  /** The last heartbeat must be repeated, as soon as there is a coordinator. */
  again(): void {
    this.#isAgain = true;
  }

  /** The next heartbeat comes after a wait, which grows with each failure. */
  backOff(now: number): void {
    this.#wait.failed(now);
  }

  notBefore(at: number): void {
    this.#wait.notBefore(at);
  }

  /** @param isUrgent whether there is something to say before the interval is over */
  isDue(isUrgent: boolean, now: number): boolean {
    if (this.#isInFlight || now < this.#wait.until) return false;
    return isUrgent || this.#isAgain || now >= this.#sentAt + this.#intervalMs;
  }

  /** If a heartbeat is due already, it waits for an event, and that event starts a round: then Infinity. */
  nextDeadline(isUrgent: boolean, now: number): number {
    if (this.#isInFlight) return Number.POSITIVE_INFINITY;
    const dueAt = isUrgent || this.#isAgain ? now : this.#sentAt + this.#intervalMs;
    const deadline = Math.max(dueAt, this.#wait.until);
    return deadline > now ? deadline : Number.POSITIVE_INFINITY;
  }
}
