// Owns the types of offsets in the public consumer. An int64 is a `Long`, as everywhere in the public API. Application thread.

import type Long from 'long';
import type { TopicPartition } from '../../common/config/consumer-config.ts';
import type { PlainCommitReport, PlainFound } from '../../common/consumer-calls.ts';
import { fromPlainError } from '../../common/errors/plain-error.ts';
import { shownLong } from '../../common/shown-long.ts';

export interface CommitReport {
  /** The partitions whose offsets were committed. */
  readonly committed: readonly TopicPartition[];
  /** The reason why other partitions were not committed. Null when all were. */
  readonly error: Error | null;
}

export interface CommittedOffset extends TopicPartition {
  /** The offset of the next record to read. */
  readonly offset: Long;
  /** -1 if it was committed without a leader epoch. */
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}

export interface OffsetOfTime extends TopicPartition {
  readonly offset: Long;
  /** The timestamp of the record at that offset, in ms since the epoch. */
  readonly timestampMs: number;
}

export const longOf = (offset: bigint): Long => shownLong(String(offset));

export function reportOf({ committed, error }: PlainCommitReport): CommitReport {
  return { committed, error: error === null ? null : fromPlainError(error) };
}

export function committedOf({ topic, partition, offset, leaderEpoch, metadata }: PlainFound): CommittedOffset | null {
  return offset === null
    ? null
    : { topic, partition, offset: shownLong(offset), leaderEpoch, metadata: metadata ?? null };
}

export function offsetOfTimeOf({ topic, partition, offset, timestampMs }: PlainFound): OffsetOfTime | null {
  return offset === null ? null : { topic, partition, offset: shownLong(offset), timestampMs: timestampMs ?? -1 };
}
