// Owns the turns of administration calls: what they wait for, and when each wait is over. Network thread. Must not know what a
// call asks for. Calls are rare, so each is an async function; what it waits for is judged in the role's turn, by its `now`.

import { Cancelled, KafkaTimeoutError } from '../../common/errors/errors.ts';
import type { Role, RoleHost } from '../client/role.ts';

interface Wait {
  /** ms on the monotonic clock. */
  readonly deadline: number;
  /** When to look again although nothing happened; Infinity: an event will tell. */
  lookAt(now: number): number;
  isOver(now: number): boolean;
  resolve(isOver: boolean): void;
  reject(error: Error): void;
}

export class AdminRole implements Role {
  readonly host: RoleHost;
  /** Of the newest turn. Calls begin between two turns, so it may be a little behind. */
  now: number;
  #waits: Wait[] = [];
  #closedBy: Error | null = null;

  constructor(host: RoleHost, now: number) {
    this.host = host;
    this.now = now;
  }

  poll(now: number): void {
    this.now = now;
    if (this.#waits.length === 0) return;
    const waits = this.#waits;
    this.#waits = [];
    for (const wait of waits) {
      if (wait.isOver(now)) wait.resolve(true);
      else if (now >= wait.deadline) wait.resolve(false);
      else this.#waits.push(wait);
    }
  }

  nextDeadline(now: number): number {
    let deadline = Number.POSITIVE_INFINITY;
    for (const wait of this.#waits) deadline = Math.min(deadline, wait.deadline, wait.lookAt(now));
    return deadline;
  }

  /**
   * Waits until `isOver(now)` is true, looked at once a turn.
   * @param deadline ms on the monotonic clock
   * @param lookAt   when to look again although nothing happened
   * @returns false when the deadline came first
   */
  until(isOver: (now: number) => boolean, deadline: number, lookAt: (now: number) => number = never): Promise<boolean> {
    if (this.#closedBy !== null) return Promise.reject(this.#closedBy);
    return new Promise((resolve, reject) => {
      this.#waits.push({ isOver, deadline, lookAt, resolve, reject });
      this.host.wake();
    });
  }

  /** Throws Cancelled after `close`. */
  checkOpen(): void {
    if (this.#closedBy !== null) throw this.#closedBy;
  }

  /** Every call that waits fails. */
  close(error: Error = new Cancelled('the client was closed')): void {
    this.#closedBy ??= error;
    const waits = this.#waits;
    this.#waits = [];
    for (const wait of waits) wait.reject(error);
  }
}

function never(): number {
  return Number.POSITIVE_INFINITY;
}

/** The error of a call whose time is over. */
export function callTimedOut(
  name: string,
  timeoutMs: number,
  attempts: number,
  cause: Error | null,
): KafkaTimeoutError {
  const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  const last = cause === null ? '' : `; the last one ended with: ${cause.message}`;
  return new KafkaTimeoutError(`${name} did not finish within ${timeoutMs} ms (timeoutMs), after ${tries}${last}`, {
    ...(cause !== null && { cause }),
  });
}
