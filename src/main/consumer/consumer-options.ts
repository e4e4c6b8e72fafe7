// Owns the types of what callers give to a consumer. Types only.

import type { AssignorName, CommitMode, TopicPartition } from '../../common/config/consumer-config.ts';
import type { ConsumerTableOptions } from '../../common/config/generated/options.ts';
import type { OffsetLike } from '../../common/config/offset-inputs.ts';

/** Somewhere in a partition's log; a time means the first record of then or later. */
export type PlaceInLog = OffsetLike | 'earliest' | 'latest' | { readonly timestampMs: number };

export interface TopicPartitionOffset extends TopicPartition {
  /** Default: the committed offset, else `autoOffsetReset`. */
  readonly offset?: PlaceInLog | undefined;
}

/** An offset to commit: that of the next record to read. */
export interface OffsetOf extends TopicPartition {
  readonly offset: OffsetLike;
  readonly leaderEpoch?: number | undefined;
  readonly metadata?: string | null | undefined;
}

export interface ConsumerOptions extends ConsumerTableOptions {
  /** Names; or a RegExp, matched here against all topics; or a pattern for the broker (RE2), with KIP-848. */
  readonly topics?: readonly string[] | RegExp | { readonly brokerPattern: string };
  /** Partitions to read without a group's help. */
  readonly assign?: readonly TopicPartitionOffset[] | undefined;
  /** Where to begin without a committed offset, or with one that is gone; default `latest`. */
  readonly autoOffsetReset?:
    | 'earliest'
    | 'latest'
    | 'none'
    | `by_duration:${string}`
    | { readonly agoMs: number }
    | { readonly timestampMs: number }
    | undefined;
  /** `processed` commits what is done, every 5 s or as said, before partitions are given up, and at the end. */
  readonly commit?: CommitMode | { readonly everyMs: number };
  /** Classic protocol only; default range, cooperative-sticky, as Java has it. */
  readonly partitionAssignmentStrategy?: readonly AssignorName[] | undefined;
}
