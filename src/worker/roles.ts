// Owns the list of roles (producers, consumers, administration calls) that the poll loop calls in every round. Network thread.

import { thrownError } from '../common/thrown.ts';
import type { Role } from './client/role.ts';

export class Roles {
  readonly #requests: { poll(): void; readonly sentCount: number };
  /** In the order in which they are called: who has sent a request goes behind the others. */
  readonly #roles = new Set<Role>();
  readonly #onFailed: (error: Error) => void;

  /**
   * @param requests what roles send with; it is polled in every round too, and counts what they send
   * @param onFailed is told of a role that threw
   */
  constructor(requests: { poll(): void; readonly sentCount: number }, onFailed: (error: Error) => void = () => {}) {
    this.#requests = requests;
    this.#onFailed = onFailed;
  }

  get isEmpty(): boolean {
    return this.#roles.size === 0;
  }

  add(role: Role): void {
    this.#roles.add(role);
  }

  delete(role: Role): void {
    this.#roles.delete(role);
  }

  /** Whether a role has work that did not come from a socket. */
  hasWork(): boolean {
    for (const role of this.#roles) if (role.hasWork?.() === true) return true;
    return false;
  }

  /**
   * Calls `poll` of each role. Places on a connection that become free are taken in this order, so a role that sends without end, which
   * is then the last, cannot keep the others from them.
   */
  poll(now: number): void {
    const requests = this.#requests;
    requests.poll();
    const senders: Role[] = [];
    for (const role of this.#roles) {
      const { sentCount } = requests;
      try {
        role.poll(now);
      } catch (error) {
        this.#failed(role, thrownError(error), now);
      }
      if (requests.sentCount !== sentCount) senders.push(role);
    }
    for (const role of senders) if (this.#roles.delete(role)) this.#roles.add(role);
  }

  /** The thread did nothing for so many ms. */
  wasLate(lateMs: number, now: number): void {
    for (const role of this.#roles) role.wasLate?.(lateMs, now);
  }

  /** A fault, or memory that cannot be had, ends one role and not the thread, which belongs to others too. */
  #failed(role: Role, error: Error, now: number): void {
    this.#roles.delete(role);
    this.#onFailed(error);
    role.fail?.(error, now);
  }

  /** For how long the thread may doze instead of sleep, in ms. 0: it must not doze. */
  get dozeMs(): number {
    let dozeMs = 0;
    for (const role of this.#roles) dozeMs = Math.max(dozeMs, role.dozeMs ?? 0);
    return dozeMs;
  }

  /** The earliest time at which a role must be called even if nothing happens, in ms on the monotonic clock. Infinity for never. */
  nextDeadline(now: number): number {
    let deadline = Number.POSITIVE_INFINITY;
    for (const role of this.#roles) deadline = Math.min(deadline, role.nextDeadline(now));
    return deadline;
  }
}
