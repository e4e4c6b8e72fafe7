// Owns the calls that wait for a step of a transaction, each with a time limit. Network thread.

import { KafkaTimeoutError } from '../../common/errors/errors.ts';
import { type TransactionName, unnamed } from './transaction-names.ts';

export type OnDone = (error: Error | null) => void;

interface Waiter {
  readonly onDone: OnDone;
  /** The transaction that it is about. */
  readonly name: TransactionName;
  readonly deadline: number;
}

export class Waiters {
  readonly #what: string;
  readonly #maxBlockMs: number;
  #waiters: Waiter[] = [];

  /** @param what the name of the step, for messages */
  constructor(what: string, maxBlockMs: number) {
    this.#what = what;
    this.#maxBlockMs = maxBlockMs;
  }

  /** The time at which the first call has waited too long, in ms on the monotonic clock. */
  get nextDeadline(): number {
    return this.#waiters[0]?.deadline ?? Number.POSITIVE_INFINITY;
  }

  add(onDone: OnDone, now: number, name = unnamed): void {
    this.#waiters.push({ onDone, name, deadline: now + this.#maxBlockMs });
  }

  /** The first call, which waits no longer. The caller ends it. Undefined: none waits. */
  takeFirst(): Pick<Waiter, 'onDone' | 'name'> | undefined {
    return this.#waiters.shift();
  }

  /** Fails the calls of a thread that has left. */
  failOf(owner: object, error: Error): void {
    const left = this.#waiters.filter(({ name }) => name.owner === owner);
    this.#waiters = this.#waiters.filter(({ name }) => name.owner !== owner);
    for (const { onDone } of left) onDone(error);
  }

  doneAll(error: Error | null): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { onDone } of waiters) onDone(error);
  }

  /**
   * Fails the calls that have waited too long. The step itself goes on.
   * @param unreachable why no broker can be asked, null if one can
   */
  expire(unreachable: () => Error | null, now: number): void {
    while (this.#waiters.length > 0 && this.#waiters[0]!.deadline <= now) {
      const text = `the ${this.#what} of the transaction did not end within ${this.#maxBlockMs} ms (maxBlockMs); it goes on, so make the same call again to wait for it`;
      const details = { cause: unreachable() ?? undefined, maybeWritten: this.#what === 'commit' };
      this.#waiters.shift()!.onDone(new KafkaTimeoutError(text, details));
    }
  }
}
