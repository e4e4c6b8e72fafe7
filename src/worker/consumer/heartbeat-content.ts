// Owns the content of a heartbeat of KIP-848: the changes since the last answered heartbeat, or everything. Network thread. Must not
// send.

import type { Subscription, TopicPartition } from '../../common/config/consumer-config.ts';
import type { ConsumerGroupHeartbeatRequest } from '../../protocol/flat/generated/consumer-group-heartbeat.ts';
import type { ClusterView } from '../client/cluster-view.ts';
import { keyOf } from './partition.ts';
import type { TopicMatcher } from './topic-matcher.ts';

export interface HeartbeatSettings {
  readonly groupId: string;
  readonly instanceId: string | null;
  readonly rackId: string;
  readonly serverAssignor: string | null;
  readonly rebalanceTimeoutMs: number;
}

export type HeartbeatKind = 'join' | 'alive' | 'leave' | 'leaveStatic';

const joinEpoch = 0;
const leaveEpoch = -1;
const leaveStaticEpoch = -2;

export class HeartbeatContent {
  /** The next heartbeat must have the subscription. */
  isSubscriptionNew = false;
  readonly #settings: HeartbeatSettings;
  readonly #memberId: string;
  readonly #cluster: Pick<ClusterView, 'topicId'>;
  #subscription: Subscription | null = null;
  #matcher: TopicMatcher | null = null;
  /** The next heartbeat must have everything, not only changes. */
  #isFull = true;
  #toldOwned: string | null = null;
  /** The broker may have a pattern of this member. */
  #mayHavePattern = false;
  /** The topic ids of the assignment, by name. Metadata may have a newer topic with the same name, so it is not asked. */
  readonly #ids = new Map<string, string>();

  constructor(settings: HeartbeatSettings, memberId: string, cluster: Pick<ClusterView, 'topicId'>) {
    this.#settings = settings;
    this.#memberId = memberId;
    this.#cluster = cluster;
  }

  subscribe(subscription: Subscription, matcher: TopicMatcher): void {
    this.#subscription = subscription;
    this.#matcher = matcher;
    this.isSubscriptionNew = true;
  }

  /** The broker may not have got the last heartbeat, so the next one must have everything. */
  sayEverything(): void {
    this.#isFull = true;
  }

  /** A membership begins: the heartbeats of an earlier one do not count. */
  beginAnew(): void {
    this.#isFull = true;
    this.#toldOwned = null;
    this.#ids.clear();
  }

  assignedBy(topic: string, topicId: string): void {
    this.#ids.set(topic, topicId);
  }

  /** A heartbeat was answered without an error. @param toldOwned the partitions that it named, or null if it named none */
  answered(toldOwned: string | null): void {
    this.#isFull = false;
    if (toldOwned !== null) this.#toldOwned = toldOwned;
  }

  request(kind: HeartbeatKind, epoch: number, owned: readonly TopicPartition[]): ConsumerGroupHeartbeatRequest {
    const { groupId, instanceId, rackId, serverAssignor, rebalanceTimeoutMs } = this.#settings;
    const base = { groupId, memberId: this.#memberId, ...(instanceId === null ? {} : { instanceId }) };
    if (kind === 'leave' || kind === 'leaveStatic')
      return { ...base, memberEpoch: kind === 'leave' ? leaveEpoch : leaveStaticEpoch };
    const isJoining = kind === 'join';
    const isFull = isJoining || this.#isFull;
    const tellsOwned = isFull || this.#toldOwned !== textOf(owned);
    return {
      ...base,
      memberEpoch: isJoining ? joinEpoch : epoch,
      ...(isFull ? { rebalanceTimeoutMs } : {}),
      ...(isFull && rackId !== '' ? { rackId } : {}),
      ...(isFull && serverAssignor !== null ? { serverAssignor } : {}),
      ...(isFull || this.isSubscriptionNew ? this.#subscribed() : {}),
      ...(tellsOwned ? { topicPartitions: isJoining ? [] : this.#withIds(owned) } : {}),
    };
  }

  #subscribed(): Pick<ConsumerGroupHeartbeatRequest, 'subscribedTopicNames' | 'subscribedTopicRegex'> {
    const subscription = this.#subscription!;
    if ('brokerPattern' in subscription) {
      this.#mayHavePattern = true;
      return { subscribedTopicNames: [], subscribedTopicRegex: subscription.brokerPattern };
    }
    const subscribedTopicNames = this.#matcher!.names();
    // An empty pattern removes an earlier one, also one whose heartbeat was not answered. Version 0 has no field for it, and no patterns.
    return this.#mayHavePattern ? { subscribedTopicNames, subscribedTopicRegex: '' } : { subscribedTopicNames };
  }

  #withIds(owned: readonly TopicPartition[]): { topicId: string; partitions: number[] }[] {
    const byId = new Map<string, number[]>();
    for (const { topic, partition } of owned) {
      const topicId = this.#ids.get(topic) ?? this.#cluster.topicId(topic);
      if (topicId === null) continue;
      const partitions = byId.get(topicId);
      if (partitions === undefined) byId.set(topicId, [partition]);
      else partitions.push(partition);
    }
    return [...byId].map(([topicId, partitions]) => ({ topicId, partitions }));
  }
}

/** A text that is the same for the same partitions in any order. */
export function textOf(partitions: readonly TopicPartition[]): string {
  return partitions
    .map(({ topic, partition }) => keyOf(topic, partition))
    .sort()
    .join();
}
