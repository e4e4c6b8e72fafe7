// Owns what a heartbeat of KIP-848 says: what has changed since the last that was answered, or everything. Network thread. Must not
// send, nor know states beyond those that the request depends on.

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
  /** The subscription is said again. */
  isSubscriptionNew = false;
  readonly #settings: HeartbeatSettings;
  readonly #memberId: string;
  readonly #cluster: Pick<ClusterView, 'topicId'>;
  #subscription: Subscription | null = null;
  #matcher: TopicMatcher | null = null;
  /** Everything is said again, not only what changed. */
  #isFull = true;
  #toldOwned: string | null = null;
  #hadPattern = false;
  /** Metadata may know a newer topic of the same name: what was assigned keeps the id it was assigned by. */
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

  /** The broker may have heard nothing of what was said last. */
  sayEverything(): void {
    this.#isFull = true;
  }

  /** A membership begins: what was said in another does not count. */
  beginAnew(): void {
    this.#isFull = true;
    this.#toldOwned = null;
    this.#ids.clear();
  }

  assignedBy(topic: string, topicId: string): void {
    this.#ids.set(topic, topicId);
  }

  /** A heartbeat with these partitions in it, or null for none, was answered without an error. */
  answered(toldOwned: string | null): void {
    this.#isFull = false;
    if (this.#subscription !== null) this.#hadPattern = 'brokerPattern' in this.#subscription;
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
      ...(isFull || this.isSubscriptionNew ? this.#subscribed(isJoining) : {}),
      ...(tellsOwned ? { topicPartitions: isJoining ? [] : this.#withIds(owned) } : {}),
    };
  }

  #subscribed(
    isJoining: boolean,
  ): Pick<ConsumerGroupHeartbeatRequest, 'subscribedTopicNames' | 'subscribedTopicRegex'> {
    const subscription = this.#subscription!;
    if ('brokerPattern' in subscription)
      return { subscribedTopicNames: [], subscribedTopicRegex: subscription.brokerPattern };
    const subscribedTopicNames = this.#matcher!.names();
    // An empty pattern takes an earlier one back; at the join there is none, and version 0 could not say it.
    return isJoining || !this.#hadPattern
      ? { subscribedTopicNames }
      : { subscribedTopicNames, subscribedTopicRegex: '' };
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

/** The same for the same partitions, in whatever order. */
export function textOf(partitions: readonly TopicPartition[]): string {
  return partitions
    .map(({ topic, partition }) => keyOf(topic, partition))
    .sort()
    .join();
}
