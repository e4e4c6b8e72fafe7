// Owns the types of administration calls about leaders, replicas, log directories, features, the quorum and transactions. Types only.
// Every thread.

import type Long from 'long';
import type { TopicPartitionKey } from './topics.ts';

/** The replicas that a partition shall have, the preferred leader first. Null cancels a reassignment that is under way. Source: KIP-455 */
export interface Reassignment extends TopicPartitionKey {
  readonly replicas: readonly number[] | null;
}

export interface OngoingReassignment {
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}

/** Source: KIP-113, KIP-827 */
export interface DescribedLogDir {
  readonly path: string;
  /** -1 from brokers before 3.3. */
  readonly totalBytes: Long;
  readonly usableBytes: Long;
  readonly replicas: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly sizeBytes: Long;
    /** How many records the replica is behind. */
    readonly offsetLag: Long;
    /** True while the replica is being moved here from another log directory of the broker. */
    readonly isFuture: boolean;
  }[];
}

export interface ReplicaKey extends TopicPartitionKey {
  readonly brokerId: number;
}

export interface ReplicaPlace {
  /** The log directory. */
  readonly path: string;
  /** How many records the replica there is behind. */
  readonly offsetLag: Long;
}

/** Where a replica is on its broker. Source: KIP-113 */
export interface DescribedReplicaLogDir {
  /** Null if the broker has no such replica. */
  readonly current: ReplicaPlace | null;
  /** The directory into which the replica is being moved. Null if it is not. */
  readonly future: ReplicaPlace | null;
}

/** Source: KIP-584 */
export interface DescribedFeatures {
  /** The finalized levels, by feature. All brokers use them. */
  readonly finalized: Readonly<Record<string, { readonly minLevel: number; readonly maxLevel: number }>>;
  readonly supported: Readonly<Record<string, { readonly minVersion: number; readonly maxVersion: number }>>;
  /** Null if there is none. */
  readonly finalizedEpoch: Long | null;
}

export interface FeatureUpdate {
  readonly feature: string;
  /** 0 removes the feature. */
  readonly maxVersionLevel: number;
  /** Default `upgrade`. */
  readonly kind?: 'upgrade' | 'safeDowngrade' | 'unsafeDowngrade';
}

export interface QuorumReplica {
  readonly replicaId: number;
  /** In the form that Kafka prints. Null from brokers before 3.9. */
  readonly directoryId: string | null;
  readonly logEndOffset: Long;
  /** -1 for unknown. */
  readonly lastFetchTimestampMs: Long;
  readonly lastCaughtUpTimestampMs: Long;
}

/** Source: KIP-595, KIP-836, KIP-853 */
export interface DescribedQuorum {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly highWatermark: Long;
  readonly voters: readonly QuorumReplica[];
  readonly observers: readonly QuorumReplica[];
}

export interface ListedTransaction {
  readonly transactionalId: string;
  readonly producerId: Long;
  /** Kafka's name, for example `Ongoing`. */
  readonly state: string;
}

/** Source: KIP-664 */
export interface DescribedTransaction {
  readonly state: string;
  readonly timeoutMs: number;
  /** Null when none is open. */
  readonly startTimeMs: Long | null;
  readonly producerId: Long;
  readonly producerEpoch: number;
  readonly partitions: readonly TopicPartitionKey[];
}

export interface ActiveProducer {
  readonly producerId: Long;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastTimestampMs: Long;
  readonly coordinatorEpoch: number;
  /** The offset at which the open transaction begins. Null if none is open. */
  readonly transactionStartOffset: Long | null;
}

export interface TransactionToAbort extends TopicPartitionKey {
  readonly producerId: Long | number | bigint;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
}

export interface FencedProducer {
  readonly producerId: Long;
  readonly producerEpoch: number;
}
