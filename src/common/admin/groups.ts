// Owns the shapes of administration calls about groups and their offsets. Types only. Every thread.

import type Long from 'long';
import type { PlainError } from '../errors/plain-error.ts';
import type { Int64Input, TopicPartitionKey } from './topics.ts';

export interface ListedGroup {
  readonly groupId: string;
  /** Such as `consumer` or `connect`; '' for a group that only holds offsets. */
  readonly protocolType: string;
  /** Kafka's name of the state; null where brokers do not say (before 2.6). */
  readonly state: string | null;
  /** `classic`, `consumer`, `share` or `streams`; null where brokers do not say (before 3.8). */
  readonly type: string | null;
}

export interface ListedGroups {
  readonly groups: readonly ListedGroup[];
  /** Brokers that did not answer, with the reason; the groups they coordinate are missing. */
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
  /** What the member is to have in the end; null in a classic group. */
  readonly targetAssignment: readonly TopicPartitionKey[] | null;
}

export interface DescribedConsumerGroup {
  readonly groupId: string;
  readonly type: 'classic' | 'consumer';
  /** Kafka's name, such as `Stable`. */
  readonly state: string;
  /** Name of the assignor. */
  readonly assignor: string;
  /** -1 in a classic group. */
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
  readonly members: readonly DescribedMember[];
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
