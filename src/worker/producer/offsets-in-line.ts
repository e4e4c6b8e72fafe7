// Owns the offsets that are to become a part of the open transaction, in the order in which they were given. Network thread. Must not send
// them: transactions.ts does.

import { KafkaTimeoutError } from '../../common/errors/errors.ts';
import type { TransactionOffsets } from '../../common/transaction-offsets.ts';
import type { OnDone } from './transaction-waiters.ts';

export interface PendingOffsets extends TransactionOffsets {
  /** ms on the monotonic clock. */
  readonly deadline: number;
  readonly onDone: OnDone;
  /** Whether the group was added to the transaction (old protocol). */
  isAdded: boolean;
}

export class OffsetsInLine {
  #pending: PendingOffsets[] = [];

  get first(): PendingOffsets | undefined {
    return this.#pending[0];
  }

  /** The time at which the first ones have waited too long, in ms on the monotonic clock. */
  get deadline(): number {
    return this.first?.deadline ?? Number.POSITIVE_INFINITY;
  }

  add(offsets: TransactionOffsets, onDone: OnDone, deadline: number): void {
    this.#pending.push({ ...offsets, onDone, isAdded: false, deadline });
  }

  hasGroup(groupId: string): boolean {
    return this.#pending.some(({ group }) => group.groupId === groupId);
  }

  /** They were committed. They may have failed meanwhile, with their transaction. */
  done(pending: PendingOffsets): void {
    if (!this.#pending.includes(pending)) return;
    this.#pending = this.#pending.filter((each) => each !== pending);
    pending.onDone(null);
  }

  failAll(error: Error): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const { onDone } of pending) onDone(error);
  }
}

export function offsetsTimeout(maxBlockMs: number, unreachable: Error | null): KafkaTimeoutError {
  const text = `the offsets were not added to the transaction within ${maxBlockMs} ms (maxBlockMs)`;
  return new KafkaTimeoutError(text, { cause: unreachable ?? undefined });
}
