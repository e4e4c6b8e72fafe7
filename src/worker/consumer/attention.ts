// Owns the checks whether the application still asks for records, and whether partitions still make progress. Network thread.

import type { ConsumerConfig } from '../../common/config/consumer-config.ts';
import type { Application } from './handed-batch.ts';
import type { Partition } from './partition.ts';

export interface AttentionListener {
  onBlocked(sinceMs: number, now: number): void;
  /** The application asks for records again. */
  onActive(now: number): void;
  onStalled(partition: Partition, cause: string): void;
}

export class Attention {
  readonly #config: ConsumerConfig;
  readonly #listener: AttentionListener;
  /** Nobody counts as having been silent since before this time. */
  #activeAt: number;
  #isBlocked = false;

  constructor(config: ConsumerConfig, listener: AttentionListener, now: number) {
    this.#config = config;
    this.#listener = listener;
    this.#activeAt = now;
  }

  poll(applications: readonly Application[], partitions: readonly Partition[], now: number): void {
    const lastAskedAt = this.#lastAskedAt(applications, now);
    const isBlocked = lastAskedAt + this.#config.maxPollIntervalMs <= now;
    if (isBlocked !== this.#isBlocked) {
      this.#isBlocked = isBlocked;
      if (isBlocked) this.#listener.onBlocked(now - lastAskedAt, now);
      else this.#listener.onActive(now);
    }
    for (const partition of partitions) this.#watch(partition, now);
  }

  /** The thread stood still for so many ms, and brokers and applications may not have got to it either. */
  wasLate(applications: readonly Application[], partitions: readonly Partition[], lateMs: number, now: number): void {
    this.#activeAt = Math.min(now, this.#lastAskedAt(applications, now) + lateMs);
    for (const partition of partitions) partition.movedAt = Math.min(now, partition.movedAt + lateMs);
  }

  nextDeadline(applications: readonly Application[], partitions: readonly Partition[], now: number): number {
    let deadline = this.#isBlocked
      ? Number.POSITIVE_INFINITY
      : this.#lastAskedAt(applications, now) + this.#config.maxPollIntervalMs;
    for (const partition of partitions)
      if (!partition.isStalled && !waitsForGood(partition))
        deadline = Math.min(deadline, partition.movedAt + this.#config.stalledMs);
    return Math.max(deadline, now + 1);
  }

  /** The last time at which any thread asked for records. A thread that waits for records asks all the time. */
  #lastAskedAt(applications: readonly Application[], now: number): number {
    let lastAt = this.#activeAt;
    for (const application of applications) {
      if (application.isWaiting) return now;
      lastAt = Math.max(lastAt, application.lastAskedAt(now) ?? lastAt);
    }
    return lastAt;
  }

  #watch(partition: Partition, now: number): void {
    if (waitsForGood(partition)) {
      partition.movedAt = now;
      partition.isStalled = false;
    } else if (now - partition.movedAt >= this.#config.stalledMs && !partition.isStalled) {
      partition.isStalled = true;
      this.#listener.onStalled(partition, causeOf(partition));
    } else if (partition.movedAt === now) {
      partition.isStalled = false;
    }
  }
}

/** Whether there is a good reason for no progress: the partition is paused, has failed, or the application has unfinished records. */
function waitsForGood(partition: Partition): boolean {
  const { isPaused, isReleasing, state, handed, hasRecords, isFetchInFlight } = partition;
  return isPaused || isReleasing || state === 'failed' || handed.length > 0 || hasRecords || isFetchInFlight;
}

function causeOf({ state, failures, error }: Partition): string {
  if (error !== null) return error.message;
  const tries = failures === 0 ? '' : `, ${failures} failures in a row`;
  switch (state) {
    case 'initializing':
      return `its committed offset is not known yet${tries}`;
    case 'reset':
      return `the offset to begin at is not known yet${tries}`;
    case 'validating':
      return `its log was not compared with the new leader's log yet${tries}`;
    default:
      return `no broker answers its fetches${tries}`;
  }
}
