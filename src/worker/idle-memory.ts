// Owns the moments at which memory that was kept for reuse, and not reused, is let go. Otherwise a client would keep for ever what its
// greatest load has taken. Network thread. Must not know who keeps it.

import type { Reused } from '../common/kept-memory.ts';

/** What nobody has needed for so long goes: after the last use it takes this time once or twice. */
export const trimEveryMs = 10_000;

export class IdleMemory {
  readonly #all: readonly Reused[];
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(all: readonly Reused[]) {
    this.#all = all;
  }

  poll(now: number): void {
    if (now < this.#dueAt) return;
    this.#dueAt = Number.POSITIVE_INFINITY;
    for (const each of this.#all) if (each.isKeeping) each.trim();
  }

  /** When `poll` must be called; Infinity while nothing is kept. */
  nextDeadline(now: number): number {
    if (this.#dueAt === Number.POSITIVE_INFINITY && this.#isKeeping) this.#dueAt = now + trimEveryMs;
    return this.#dueAt;
  }

  get #isKeeping(): boolean {
    for (const { isKeeping } of this.#all) if (isKeeping) return true;
    return false;
  }
}
