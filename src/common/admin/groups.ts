// Owns the types of administration calls about groups and their offsets. Types only. Every thread.

import type Long from 'long';
import type { PlainError } from '../errors/plain-error.ts';
import type { Int64Input, TopicPartitionKey } from './topics.ts';

export interface ListedGroup {
  readonly groupId: string;
  /** For example `consumer` or `connect`. '' for a group that only has offsets. */
  readonly protocolType: string;
  /** Kafka's name of the state. Null from brokers before 2.6. */
  readonly state: string | null;
  /** `classic`, `consumer`, `share` or `streams`. Null from brokers before 3.8. */
  readonly type: string | null;
}

export interface ListedGroups {
  readonly groups: readonly ListedGroup[];
  /** The brokers that did not answer, with the reason. The groups that they coordinate are missing. */
  readonly errors: readonly { readonly brokerId: number; readonly error: PlainError }[];
}

export interface DescribedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** -1 in a classic group. */
  readonly memberEpoch: number;
  readonly assignment: readonly TopicPartitionKey[];
  /** The assignment that the group wants for this member. Null in a classic group. */
  readonly targetAssignment: readonly TopicPartitionKey[] | null;
}

export interface DescribedConsumerGroup {
  readonly groupId: string;
  readonly type: 'classic' | 'consumer';
  /** Kafka's name, for example `Stable`. */
  readonly state: string;
  /** The name of the assignor. */
  readonly assignor: string;
  /** -1 in a classic group. */
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
  /** The operations that this user may do, as a bit field. Null unless they were requested. */
  readonly authorizedOperations: number | null;
  readonly members: readonly DescribedMember[];
}

/** A group of the classic protocol, of any protocol type. What its members say is bytes of that type. */
export interface DescribedClassicGroup {
  readonly groupId: string;
  /** For example `consumer` or `connect`. */
  readonly protocolType: string;
  /** Kafka's name, for example `Stable`. */
  readonly state: string;
  /** The protocol that the members chose, for a consumer group the name of the assignor. */
  readonly protocol: string;
  /** The operations that this user may do, as a bit field. Null unless they were requested. */
  readonly authorizedOperations: number | null;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly clientId: string;
    readonly clientHost: string;
    /** What the member sent for the chosen protocol. Empty during a rebalance. */
    readonly metadata: Uint8Array;
    /** Empty during a rebalance. */
    readonly assignment: Uint8Array;
  }[];
}

export interface CommittedOffset {
  /** The next offset to read. */
  readonly offset: Long;
  /** -1 for unknown. */
  readonly leaderEpoch: number;
  readonly metadata: string;
}

export interface OffsetToCommit extends TopicPartitionKey {
  readonly offset: Int64Input;
  readonly leaderEpoch?: number;
  readonly metadata?: string;
}

export interface MemberToRemove {
  readonly groupInstanceId: string;
}

/** Source: KIP-932 */
export interface DescribedShareGroup {
  readonly groupId: string;
  readonly state: string;
  readonly assignor: string;
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
  /** The operations that this user may do, as a bit field. Null unless they were requested. */
  readonly authorizedOperations: number | null;
  readonly members: readonly {
    readonly memberId: string;
    readonly clientId: string;
    readonly clientHost: string;
    readonly memberEpoch: number;
    readonly subscribedTopics: readonly string[];
    readonly assignment: readonly TopicPartitionKey[];
  }[];
}

export interface ShareGroupOffset {
  /** The first offset that the group is not done with. */
  readonly startOffset: Long;
  /** -1 for unknown. */
  readonly leaderEpoch: number;
  /** How many records still have to be delivered. Null if brokers do not send it. Source: KIP-1226 */
  readonly lag: Long | null;
}

export interface ShareGroupOffsetToSet extends TopicPartitionKey {
  readonly startOffset: Int64Input;
}

/** Tasks of one part of a topology. Each partition is one task. */
export interface StreamsTasks {
  readonly subtopologyId: string;
  readonly partitions: readonly number[];
}

/** A group of Kafka Streams. Source: KIP-1071 */
export interface DescribedStreamsGroup {
  readonly groupId: string;
  readonly state: string;
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
  /** Null while the group has no topology. */
  readonly topologyEpoch: number | null;
  /** The operations that this user may do, as a bit field. Null unless they were requested. */
  readonly authorizedOperations: number | null;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly clientId: string;
    readonly clientHost: string;
    readonly memberEpoch: number;
    readonly processId: string;
    readonly activeTasks: readonly StreamsTasks[];
    readonly standbyTasks: readonly StreamsTasks[];
    readonly warmupTasks: readonly StreamsTasks[];
  }[];
}
