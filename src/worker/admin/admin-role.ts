// Owns the waits of administration calls. Network thread. Must not know what a call does. Calls are rare, so each is an async
// function. The role checks in each round, with its `now`, which waits are over.

import { Cancelled, KafkaTimeoutError } from '../../common/errors/errors.ts';
import { thrownError } from '../../common/thrown.ts';
import type { Role, RoleHost } from '../client/role.ts';

interface Wait {
  /** ms on the monotonic clock. */
  readonly deadline: number;
  /** The time at which to check again even if nothing happens. Infinity: an event will come. */
  lookAt(now: number): number;
  isOver(now: number): boolean;
  resolve(isOver: boolean): void;
  reject(error: Error): void;
}

export class AdminRole implements Role {
  readonly host: RoleHost;
  /** The time of the last round. Calls begin between two rounds, so it may be a little behind. */
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
      try {
        if (wait.isOver(now)) wait.resolve(true);
        else if (now >= wait.deadline) wait.resolve(false);
        else this.#waits.push(wait);
      } catch (error) {
        // Other calls, also of other threads, have nothing to do with it.
        wait.reject(thrownError(error));
      }
    }
  }

  fail(error: Error): void {
    this.close(error);
  }

  nextDeadline(now: number): number {
    let deadline = Number.POSITIVE_INFINITY;
    for (const wait of this.#waits) {
      try {
        deadline = Math.min(deadline, wait.deadline, wait.lookAt(now));
      } catch (error) {
        this.#waits = this.#waits.filter((other) => other !== wait);
        wait.reject(thrownError(error));
      }
    }
    return deadline;
  }

  /**
   * Waits until `isOver(now)` is true. It is checked once in each round.
   * @param deadline ms on the monotonic clock
   * @param lookAt   returns the time at which to check again even if nothing happens
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

  /** Fails all waiting calls. */
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
