// Owns the list of roles (producers, consumers, administration calls) that the poll loop calls in every round, and the end of one that
// throws. Network thread. Must not let a role's fault reach whoever calls it here: the thread belongs to others too.

import { thrownError } from '../common/thrown.ts';
import type { Role } from './client/role.ts';

/** What roles send with. */
interface RoleRequests {
  /** Called in every round. */
  poll(): void;
  /** How many requests they have sent. */
  readonly sentCount: number;
  wake(): void;
}

const never = Number.POSITIVE_INFINITY;

export class Roles {
  readonly #requests: RoleRequests;
  /**
   * In the order in which they are called: who has sent a request goes behind the others. With the deadline of each; never for one that
   * wants to be called at once.
   */
  readonly #roles = new Map<Role, number>();
  /** Those that have thrown, and what. They are not called any more, and end in the next round. */
  readonly #faulty = new Map<Role, Error>();
  readonly #onFailed: (error: Error) => void;
  #isHeldBack = false;
  /** That of the last round. */
  #readUpTo = Number.NEGATIVE_INFINITY;

  /** @param onFailed is told of a role that threw */
  constructor(requests: RoleRequests, onFailed: (error: Error) => void = () => {}) {
    this.#requests = requests;
    this.#onFailed = onFailed;
  }

  get isEmpty(): boolean {
    return this.#roles.size === 0 && this.#faulty.size === 0;
  }

  /** Whether a role was not called in the last round, because its deadline had passed and not all was read that had come before. */
  get isHeldBack(): boolean {
    return this.#isHeldBack && this.#roles.size > 0;
  }

  add(role: Role): void {
    this.#roles.set(role, never);
  }

  delete(role: Role): void {
    this.#roles.delete(role);
    this.#faulty.delete(role);
  }

  /**
   * The role has thrown, wherever it was called. It is not called any more, and ends in the next round, in which nobody is in the middle of
   * a call of it.
   */
  failed(role: Role, error: unknown): void {
    if (!this.#roles.delete(role)) return;
    this.#faulty.set(role, thrownError(error));
    this.#requests.wake();
  }

  /** Whether a role has work that did not come from a socket. */
  hasWork(): boolean {
    for (const role of this.#roles.keys()) {
      try {
        if (role.hasWork?.() === true) return true;
      } catch (error) {
        this.failed(role, error);
      }
    }
    return this.#faulty.size > 0;
  }

  /**
   * Calls `poll` of each role, but not of one whose deadline has passed while something that had come before it may be unread: that might
   * have met the deadline. Places on a connection that become free are taken in this order, so a role that sends without end, which is
   * then the last, cannot keep the others from them.
   * @param readUpTo everything that had come at that time was read, ms on the monotonic clock
   */
  poll(now: number, readUpTo = now): void {
    const requests = this.#requests;
    requests.poll();
    this.#endFaulty(now);
    this.#isHeldBack = false;
    this.#readUpTo = readUpTo;
    const senders: Role[] = [];
    for (const [role, deadline] of this.#roles) {
      if (deadline <= now && deadline > readUpTo) {
        this.#isHeldBack = true;
        continue;
      }
      const { sentCount } = requests;
      try {
        role.poll(now);
      } catch (error) {
        this.failed(role, error);
      }
      if (requests.sentCount !== sentCount) senders.push(role);
    }
    for (const role of senders) {
      const deadline = this.#roles.get(role);
      if (deadline !== undefined && this.#roles.delete(role)) this.#roles.set(role, deadline);
    }
    this.#endFaulty(now);
  }

  /** The thread did nothing for so many ms. */
  wasLate(lateMs: number, now: number): void {
    for (const role of this.#roles.keys()) {
      try {
        role.wasLate?.(lateMs, now);
      } catch (error) {
        this.failed(role, error);
      }
    }
  }

  /** A fault, or memory that cannot be had, ends one role and not the thread, which belongs to others too. */
  #endFaulty(now: number): void {
    for (const [role, error] of this.#faulty) {
      this.#faulty.delete(role);
      this.#onFailed(error);
      try {
        role.fail?.(error, now);
      } catch (another) {
        this.#onFailed(thrownError(another));
      }
    }
  }

  /** For how long the thread may doze instead of sleep, in ms. 0: it must not doze. */
  get dozeMs(): number {
    let dozeMs = 0;
    for (const role of this.#roles.keys()) {
      try {
        dozeMs = Math.max(dozeMs, role.dozeMs ?? 0);
      } catch (error) {
        this.failed(role, error);
      }
    }
    return dozeMs;
  }

  /** The earliest time at which a role must be called even if nothing happens, in ms on the monotonic clock. Infinity for never. */
  nextDeadline(now: number): number {
    let earliest = never;
    for (const [role, before] of this.#roles) {
      try {
        const deadline = role.nextDeadline(now);
        if (deadline < earliest) earliest = deadline;
        // One that is due although it was called with this `now` is no limit that anything could meet.
        const isHeldBack = before <= now && before > this.#readUpTo;
        const limit = deadline <= now && !isHeldBack ? never : deadline;
        if (limit !== before) this.#roles.set(role, limit);
      } catch (error) {
        this.failed(role, error);
      }
    }
    return this.#faulty.size > 0 ? now : earliest;
  }
}
