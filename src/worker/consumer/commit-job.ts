// Owns one commit that was asked for: which offsets are left of it, which of them may still be committed, how it has gone so far. Network
// thread. Must not send: group-offsets.ts does.

import { CommitFailedError } from '../../common/errors/errors.ts';
import type { LogPlace } from './log-questions.ts';
import { keyOf, type Position } from './partition.ts';

export interface OffsetToCommit extends LogPlace, Position {
  readonly metadata: string | null;
}

export interface CommitOutcome {
  /** Null when every partition was committed. */
  readonly error: Error | null;
  /** The keys of the committed partitions. */
  readonly committed: ReadonlySet<string>;
}

/** Stands for the time in which the member owns a partition without a break; null while it does not. */
export type Tenure = (key: string) => object | null;

export class CommitJob {
  readonly begunAt: number;
  readonly deadline: number;
  readonly done: (outcome: CommitOutcome, now: number) => void;
  readonly open: Map<string, OffsetToCommit>;
  readonly committed = new Set<string>();
  /** An error after which no other try is made. */
  error: Error | null = null;
  /** The retriable error of the last try. */
  retryError: Error | null = null;
  failures = 0;
  /** The epoch that the broker called stale. The next try waits for another epoch. */
  staleEpoch: number | null = null;
  readonly #tenure: Tenure;
  /** The partitions that the member owned when the commit was asked for. */
  readonly #owned = new Map<string, object>();

  /** @param isMember whether the partitions that are owned now are so as those of a member, which can lose them to another one */
  constructor(
    offsets: readonly OffsetToCommit[],
    limits: { readonly begunAt: number; readonly deadline: number },
    done: CommitJob['done'],
    tenure: Tenure,
    isMember: boolean,
  ) {
    this.open = new Map(offsets.map((offset) => [keyOf(offset.topic, offset.index), offset]));
    this.begunAt = limits.begunAt;
    this.deadline = limits.deadline;
    this.done = done;
    this.#tenure = tenure;
    for (const key of isMember ? this.open.keys() : []) {
      const owned = tenure(key);
      if (owned !== null) this.#owned.set(key, owned);
    }
  }

  /** Whether the member owns the partition, without a break since the commit was asked for. */
  holds(key: string): boolean {
    const tenure = this.#tenure(key);
    return tenure !== null && tenure === (this.#owned.get(key) ?? tenure);
  }

  /** Whether an offset of the partition is still to be committed. */
  wants(key: string): boolean {
    return this.open.has(key) && (!this.#owned.has(key) || this.holds(key));
  }

  /**
   * Of a partition that the member has lost in the meantime, its new owner may have committed more. Brokers would take an older offset, too,
   * also from a member that has got the partition again.
   */
  dropLost(): void {
    for (const key of this.#owned.keys())
      if (!this.holds(key) && this.open.delete(key)) this.error ??= new CommitFailedError(notOwned(key));
  }
}

export function notOwned(key: string): string {
  return `offset of ${key} not committed: this member does not own the partition any more`;
}
