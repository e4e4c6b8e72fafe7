// Owns those who wait for a step of a transaction, each for a bounded time. Network thread.

import { KafkaTimeoutError } from '../../common/errors/errors.ts';

export type OnDone = (error: Error | null) => void;

interface Waiter {
  readonly onDone: OnDone;
  readonly deadline: number;
}

export class Waiters {
  readonly #what: string;
  readonly #maxBlockMs: number;
  #waiters: Waiter[] = [];

  /** @param what is waited for, in words */
  constructor(what: string, maxBlockMs: number) {
    this.#what = what;
    this.#maxBlockMs = maxBlockMs;
  }

  get isEmpty(): boolean {
    return this.#waiters.length === 0;
  }

  /** When the first has waited long enough, ms on the monotonic clock. */
  get nextDeadline(): number {
    return this.#waiters[0]?.deadline ?? Number.POSITIVE_INFINITY;
  }

  add(onDone: OnDone, now: number): void {
    this.#waiters.push({ onDone, deadline: now + this.#maxBlockMs });
  }

  /** Ends the wait of whoever came first. */
  doneFirst(): void {
    this.#waiters.shift()?.onDone(null);
  }

  doneAll(error: Error | null): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { onDone } of waiters) onDone(error);
  }

  /** What is waited for goes on; whoever waited too long is told. */
  expire(now: number): void {
    while (this.#waiters.length > 0 && this.#waiters[0]!.deadline <= now) {
      const text = `the ${this.#what} of the transaction did not end within ${this.#maxBlockMs} ms (maxBlockMs); the same call waits on`;
      this.#waiters.shift()!.onDone(new KafkaTimeoutError(text));
    }
  }
}
