// Owns the snapshot of a consumer's state that applications read, and when it is written. Network thread.

import type { ConsumerConfig } from '../../common/config/consumer-config.ts';
import type { ConsumerSnapshot } from '../../common/consumer-calls.ts';
import { KafkaClientError } from '../../common/errors/errors.ts';
import type { Group } from './group.ts';
import type { Partition } from './partition.ts';

const everyMs = 5;
/** So many partitions make the time between two snapshots longer by `everyMs`. */
const partitionsPerPause = 100;

/**
 * When a snapshot is written. Positions and offsets change with every batch, each snapshot costs time for every partition, and
 * applications read it rarely: so those wait for the next one that is due. The member's identity and the partitions cannot wait.
 */
export class Snapshots {
  readonly #make: () => ConsumerSnapshot;
  readonly #write: (snapshot: ConsumerSnapshot) => void;
  #isDue = true;
  #isNews = false;
  #dueFrom = Number.NEGATIVE_INFINITY;

  constructor(make: () => ConsumerSnapshot, write: (snapshot: ConsumerSnapshot) => void) {
    this.#make = make;
    this.#write = write;
  }

  /** Something has changed that can wait. */
  changed(): void {
    this.#isDue = true;
  }

  /** The member's identity, the partitions or the end of the consumer: what is told or handed out after this call belongs to it. */
  news(): void {
    this.#isDue = true;
    this.#isNews = true;
  }

  /** To be called before something is told or handed out that belongs to the news. */
  writeNews(): void {
    if (this.#isNews) this.write();
  }

  poll(now: number): void {
    if (!this.#isDue || now < this.#dueFrom) return;
    const { partitions } = this.write();
    this.#dueFrom = now + everyMs * (1 + partitions.length / partitionsPerPause);
  }

  nextDeadline(): number {
    return this.#isDue ? this.#dueFrom : Number.POSITIVE_INFINITY;
  }

  write(): ConsumerSnapshot {
    this.#isDue = false;
    this.#isNews = false;
    const snapshot = this.#make();
    this.#write(snapshot);
    return snapshot;
  }
}

export function snapshotOf(
  partitions: readonly Partition[],
  group: Group | null,
  error: Error | null,
  isFatal: boolean,
  config: ConsumerConfig,
): ConsumerSnapshot {
  const membership = group?.membership ?? null;
  const identity = membership?.identity ?? null;
  const unmanaged = partitions.length === 0 ? 'UNASSIGNED' : 'ASSIGNED';
  const isCommitted = config.isolationLevel === 'read_committed';
  return {
    state: isFatal ? 'FATAL' : (membership?.state ?? (group?.isManaged === true ? 'UNJOINED' : unmanaged)),
    protocol: membership?.protocol ?? null,
    memberId: identity?.memberId ?? '',
    epoch: identity?.epoch ?? -1,
    lastError:
      error === null
        ? null
        : { code: error instanceof KafkaClientError ? error.code : error.name, message: error.message },
    partitions: partitions.map((partition) => ({
      topic: partition.topic,
      partition: partition.index,
      position: known(partition.handPosition.offset),
      done: known(partition.donePosition.offset),
      committed: partition.committed?.offset ?? null,
      begin: known(partition.logStartOffset),
      end: known(isCommitted ? partition.lastStableOffset : partition.highWatermark),
      isPaused: partition.isPaused,
      preferredReplica: partition.preferredReplica,
    })),
  };
}

function known(offset: bigint): bigint | null {
  return offset < 0n ? null : offset;
}
