// Owns the shapes of administration calls about topics and partitions. Types only. Every thread.

import type Long from 'long';

/** What an int64 may be given as. */
export type Int64Input = Long | number | bigint;

export interface TopicPartitionKey {
  readonly topic: string;
  readonly partition: number;
}

/** A topic to create. Source: KIP-4, KIP-464 */
export interface NewTopic {
  readonly name: string;
  /** Default: the broker's `num.partitions` (Kafka 2.4 and later). Not together with `assignments`. */
  readonly partitions?: number;
  /** Default: the broker's `default.replication.factor` (Kafka 2.4 and later). Not together with `assignments`. */
  readonly replicationFactor?: number;
  /** Node ids of the replicas of each partition, the preferred leader first; in the order of the partitions. */
  readonly assignments?: readonly (readonly number[])[];
  /** Such as `{ 'retention.ms': '86400000' }`. */
  readonly configs?: Readonly<Record<string, string | null>>;
}

export interface CreatedTopic {
  /** As Kafka prints it; null where brokers do not say (before 2.8). */
  readonly topicId: string | null;
  /** Null where brokers do not say (before 2.4), or not to this user. */
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
  /** How many there are to be in all, not how many more. */
  readonly totalCount: number;
  /** Replicas of each new partition. Default: the broker chooses. */
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
  /** Bit field of what this user may do; null unless asked for. */
  readonly authorizedOperations: number | null;
}

export interface DescribedPartition {
  readonly partition: number;
  /** -1 while there is none. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly offlineReplicas: readonly number[];
}

/** Which offset of a partition. Source: KIP-79, KIP-734, KIP-405, KIP-1005 */
export type OffsetSpec =
  | 'earliest'
  | 'latest'
  | 'maxTimestamp'
  | 'earliestLocal'
  | 'latestTiered'
  /** The first record with this time or a later one, ms since the epoch. */
  | { readonly timestampMs: Int64Input };

export interface ListedOffset {
  /** Null where there is no such record. */
  readonly offset: Long | null;
  readonly timestampMs: Long | null;
  /** -1 where brokers do not say. */
  readonly leaderEpoch: number;
}

export interface RecordsToDelete extends TopicPartitionKey {
  /** Everything before it goes; -1: everything there is. */
  readonly beforeOffset: Int64Input;
}
