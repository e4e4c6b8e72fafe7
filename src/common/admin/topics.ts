// Owns the types of administration calls about topics and partitions. Types only. Every thread.

import type Long from 'long';

/** The types in which callers may pass an int64. */
export type Int64Input = Long | number | bigint;

export interface TopicPartitionKey {
  readonly topic: string;
  readonly partition: number;
}

/** A topic by its id, in the form that Kafka prints. Kafka 2.8 and later. Source: KIP-516 */
export interface TopicById {
  readonly topicId: string;
}

/** A topic by its name or by its id. */
export type TopicNameOrId = string | TopicById;

/** A topic to create. Source: KIP-4, KIP-464 */
export interface NewTopic {
  readonly name: string;
  /** Default: the broker's `num.partitions` (Kafka 2.4 and later). Must not be set together with `assignments`. */
  readonly partitions?: number;
  /** Default: the broker's `default.replication.factor` (Kafka 2.4 and later). Must not be set together with `assignments`. */
  readonly replicationFactor?: number;
  /** For each partition, in order: the broker ids of its replicas, the preferred leader first. */
  readonly assignments?: readonly (readonly number[])[];
  /** Such as `{ 'retention.ms': '86400000' }`. */
  readonly configs?: Readonly<Record<string, string | null>>;
}

export interface CreatedTopic {
  /** In the form that Kafka prints. Null from brokers before 2.8. */
  readonly topicId: string | null;
  /** Null from brokers before 2.4, or if this user may not see it. */
  readonly partitions: number | null;
  readonly replicationFactor: number | null;
  readonly configs: readonly TopicConfig[] | null;
}

export interface TopicConfig {
  readonly name: string;
  /** Null for a sensitive value. */
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly isSensitive: boolean;
}

export interface NewPartitions {
  readonly topic: string;
  /** The total number of partitions after the call, not the number of new ones. */
  readonly totalCount: number;
  /** The replicas of each new partition. Default: the broker chooses. */
  readonly assignments?: readonly (readonly number[])[];
}

export interface ListedTopic {
  readonly name: string;
  readonly topicId: string | null;
  readonly isInternal: boolean;
  readonly partitions: number;
}

export interface DescribedTopic {
  readonly name: string;
  readonly topicId: string | null;
  readonly isInternal: boolean;
  readonly partitions: readonly DescribedPartition[];
  /** The operations that this user may do, as a bit field. Null unless they were requested. */
  readonly authorizedOperations: number | null;
}

export interface DescribedPartition {
  readonly partition: number;
  /** -1 if there is no leader. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly offlineReplicas: readonly number[];
  /**
   * The replicas that are not in sync, but have every committed record. Null from brokers before 3.8, and if the topic was named by its id.
   * Source: KIP-966
   */
  readonly eligibleLeaderReplicas: readonly number[] | null;
  /** The replicas that were last in sync or eligible. Null as `eligibleLeaderReplicas`. */
  readonly lastKnownEligibleLeaderReplicas: readonly number[] | null;
}

/** Names an offset of a partition. Source: KIP-79, KIP-734, KIP-405, KIP-1005, KIP-1023 */
export type OffsetSpec =
  | 'earliest'
  | 'latest'
  | 'maxTimestamp'
  | 'earliestLocal'
  | 'latestTiered'
  /** The first record that is not yet in tiered storage. */
  | 'earliestPendingUpload'
  /** The first record with this time or a later one, ms since the epoch. */
  | { readonly timestampMs: Int64Input };

export interface ListedOffset {
  /** Null if there is no such record. */
  readonly offset: Long | null;
  readonly timestampMs: Long | null;
  /** -1 if brokers do not send it. */
  readonly leaderEpoch: number;
}

export interface RecordsToDelete extends TopicPartitionKey {
  /** Records before this offset are deleted. -1: all records. */
  readonly beforeOffset: Int64Input;
}
