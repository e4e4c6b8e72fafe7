// Owns the types of a consumer's options and arguments. Types only.

import type { AssignorName, CommitMode, TopicPartition } from '../../common/config/consumer-config.ts';
import type { ConsumerTableOptions } from '../../common/config/generated/options.ts';
import type { OffsetLike } from '../../common/config/offset-inputs.ts';

/** A place in a partition's log. A time means the first record of that time or later. */
export type PlaceInLog = OffsetLike | 'earliest' | 'latest' | { readonly timestampMs: OffsetLike };

export interface TopicPartitionOffset extends TopicPartition {
  /** Default: the committed offset. If there is none, `autoOffsetReset`. */
  readonly offset?: PlaceInLog | undefined;
}

export interface ConsumerPollOptions {
  /** When it is aborted, `poll` returns null. */
  readonly signal?: AbortSignal | undefined;
}

/** An offset to commit. It is the offset of the next record to read. */
export interface OffsetOf extends TopicPartition {
  readonly offset: OffsetLike;
  readonly leaderEpoch?: number | undefined;
  readonly metadata?: string | null | undefined;
}

export interface ConsumerOptions extends ConsumerTableOptions {
  /** Topic names, or a RegExp that is matched here against all topics, or a pattern for the broker (RE2, needs KIP-848). */
  readonly topics?: readonly string[] | RegExp | { readonly brokerPattern: string };
  /** The partitions to read without a group. */
  readonly assign?: readonly TopicPartitionOffset[] | undefined;
  /** Where to begin if there is no committed offset, or if that offset is not in the log any more. Default `latest`. */
  readonly autoOffsetReset?:
    | 'earliest'
    | 'latest'
    | 'none'
    | `by_duration:${string}`
    | { readonly agoMs: number }
    | { readonly timestampMs: number }
    | undefined;
  /** `processed` commits what is done every 5 s, before partitions are released, and at the end. `everyMs` sets another interval. `manual`: only `commit` commits. */
  readonly commit?: CommitMode | { readonly everyMs: number };
  /** Classic protocol only. Default: `range` and `cooperative-sticky`, like in Java. */
  readonly partitionAssignmentStrategy?: readonly AssignorName[] | undefined;
}
