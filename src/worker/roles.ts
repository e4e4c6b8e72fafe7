// Owns the list of roles (producers, consumers) that the poll loop gives a turn. Network thread.

import type { Role } from './client/role.ts';

export class Roles {
  readonly #requests: { poll(): void };
  readonly #roles = new Set<Role>();

  /** @param requests by which roles send; it has something to do in each round too */
  constructor(requests: { poll(): void }) {
    this.#requests = requests;
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

  /** Whether a role has something to do that came another way than by a socket. */
  hasWork(): boolean {
    for (const role of this.#roles) if (role.hasWork?.() === true) return true;
    return false;
  }

  /** One turn for each. */
  poll(now: number): void {
    this.#requests.poll();
    for (const role of this.#roles) role.poll(now);
  }

  /** For how long the thread may doze instead of sleep, ms; 0: it must not. */
  get dozeMs(): number {
    let dozeMs = 0;
    for (const role of this.#roles) dozeMs = Math.max(dozeMs, role.dozeMs ?? 0);
    return dozeMs;
  }

  /** When the first of them wants its turn although nothing happens, ms on the monotonic clock; Infinity for never. */
  nextDeadline(now: number): number {
    let deadline = Number.POSITIVE_INFINITY;
    for (const role of this.#roles) deadline = Math.min(deadline, role.nextDeadline(now));
    return deadline;
  }
}
