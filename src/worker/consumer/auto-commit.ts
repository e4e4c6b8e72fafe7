// Owns automatic commits of what the application has done: on a timer, and before partitions are released. Network thread.

import type { ConsumerConfig } from '../../common/config/consumer-config.ts';
import type { OffsetToCommit } from './commit-job.ts';
import type { GroupOffsets } from './group-offsets.ts';
import type { Partition } from './partition.ts';

export interface AutoCommitSettings {
  readonly isOn: boolean;
  readonly everyMs: number;
  readonly timeoutMs: number;
}

export function autoCommitSettings({ commit, commitEveryMs, defaultApiTimeoutMs }: ConsumerConfig): AutoCommitSettings {
  return { isOn: commit === 'processed', everyMs: commitEveryMs, timeoutMs: defaultApiTimeoutMs };
}

export class AutoCommit {
  readonly #offsets: GroupOffsets | null;
  readonly #settings: AutoCommitSettings;
  readonly #onFailed: (error: Error) => void;
  #lastAt: number | null = null;
  #isBusy = false;

  constructor(offsets: GroupOffsets | null, settings: AutoCommitSettings, onFailed: (error: Error) => void) {
    this.#offsets = offsets;
    this.#settings = settings;
    this.#onFailed = onFailed;
  }

  poll(partitions: readonly Partition[], now: number): void {
    if (!this.#settings.isOn || this.#isBusy) return;
    if (!partitions.some(isUncommitted)) return;
    // The interval begins when there is something to commit, so that an idle consumer has no timer.
    this.#lastAt ??= now;
    if (now < this.#lastAt + this.#settings.everyMs) return;
    this.#isBusy = true;
    this.commit(partitions, now + this.#settings.timeoutMs, (error) => this.#ended(error), now);
  }

  nextDeadline(partitions: readonly Partition[], now: number): number {
    if (!this.#settings.isOn || this.#isBusy || !partitions.some(isUncommitted)) return Number.POSITIVE_INFINITY;
    return Math.max(now, (this.#lastAt ?? now) + this.#settings.everyMs);
  }

  /**
   * Commits what is done before partitions are released. If there is nothing to commit, or the application commits by itself, it only waits
   * for those commits of theirs that are under way.
   */
  beforeRelease(partitions: readonly Partition[], deadline: number, done: (now: number) => void, now: number): void {
    const offsets = this.#offsets;
    if (this.#settings.isOn && partitions.some(isUncommitted))
      this.commit(
        partitions,
        deadline,
        (error, at) => {
          if (error !== null) this.#onFailed(error);
          done(at);
        },
        now,
      );
    else if (offsets === null || !partitions.some(({ key }) => offsets.isCommitting(key))) done(now);
    else offsets.afterCommits(deadline, done, now);
  }

  /** Commits what is done and not committed yet, in every mode. `done` is told the keys of what it has committed. */
  commit(
    partitions: readonly Partition[],
    deadline: number,
    done: (error: Error | null, now: number, committed: ReadonlySet<string>) => void,
    now: number,
  ): void {
    const open = partitions.filter(isUncommitted);
    if (this.#offsets === null || open.length === 0) {
      done(null, now, new Set());
      return;
    }
    const byKey = new Map(open.map((partition) => [partition.key, { partition, position: partition.donePosition }]));
    const offsets: OffsetToCommit[] = open.map(({ topic, index, donePosition: { offset, leaderEpoch } }) => ({
      topic,
      index,
      offset,
      leaderEpoch,
      metadata: '',
    }));
    this.#offsets.commit(
      offsets,
      deadline,
      ({ error, committed }, at) => {
        for (const key of committed) {
          const { partition, position } = byKey.get(key)!;
          partition.committed = position;
        }
        done(error, at, committed);
      },
      now,
    );
  }

  #ended(error: Error | null): void {
    this.#isBusy = false;
    this.#lastAt = null;
    if (error !== null) this.#onFailed(error);
  }
}

/** Whether the position to commit differs from the committed offset. The first position counts too, so that a restart begins there. */
export function isUncommitted({ donePosition, committed }: Partition): boolean {
  return donePosition.offset >= 0n && donePosition.offset !== committed?.offset;
}
