// Owns the look-up maps of one metadata response, and the partitions that were replaced in them since. Application thread.
// Must not ask for anything: cluster.ts decides when a snapshot is made.

import type { MetadataResponseTopicView, MetadataResponseView } from '../protocol/flat/generated/metadata.ts';
import type { ClusterHints } from '../protocol/flat/leader-hints.ts';
import { zeroUuid } from '../protocol/flat/uuid.ts';

export interface BrokerMetadata {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface PartitionMetadata extends TopicPartition {
  /** Node id, -1 for none. */
  readonly leader: number;
  /** -1 where the broker is too old to say, or to be trusted with it (before Kafka 2.4). */
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly errorCode: number;
}

const topicAuthorizationFailed = 29;
export const noLeader = -1;

export class ClusterSnapshot {
  readonly brokers = new Map<number, BrokerMetadata>();
  readonly partitions = new Map<string, Map<number, PartitionMetadata>>();
  readonly topicIds = new Map<string, string>();
  readonly internalTopics = new Set<string>();
  readonly unauthorizedTopics = new Set<string>();
  #topicNames: Map<string, string> | null = null;

  constructor(response: MetadataResponseView | null) {
    if (response === null) return;
    for (const { nodeId, host, port, rack } of response.brokers)
      this.brokers.set(nodeId, Object.freeze({ nodeId, host, port, rack }));
    for (const topic of response.topics) this.#addTopic(topic);
  }

  /** One of its own, in which other partitions may be replaced. */
  copy(): ClusterSnapshot {
    const copy = new ClusterSnapshot(null);
    for (const [nodeId, broker] of this.brokers) copy.brokers.set(nodeId, broker);
    for (const [topic, partitions] of this.partitions) copy.partitions.set(topic, new Map(partitions));
    for (const [topic, id] of this.topicIds) copy.topicIds.set(topic, id);
    for (const topic of this.internalTopics) copy.internalTopics.add(topic);
    for (const topic of this.unauthorizedTopics) copy.unauthorizedTopics.add(topic);
    return copy;
  }

  /** Adds or replaces a partition of a topic that is known. */
  setPartition(partition: PartitionMetadata): void {
    const { topic, replicas, isr } = partition;
    const frozen = { ...partition, replicas: Object.freeze([...replicas]), isr: Object.freeze([...isr]) };
    this.partitions.get(topic)?.set(partition.partition, Object.freeze(frozen));
  }

  /** Takes over what a response told in passing (KIP-951): brokers that are new, leaders of a newer epoch. */
  learn({ brokers, leaders }: ClusterHints): void {
    for (const broker of brokers) {
      if (!this.brokers.has(broker.nodeId)) this.brokers.set(broker.nodeId, Object.freeze({ ...broker }));
    }
    for (const { topic, topicId, partition, leaderId, leaderEpoch } of leaders) {
      const name = topic === '' ? this.#nameOf(topicId) : topic;
      const known = name === undefined ? undefined : this.partitions.get(name)?.get(partition);
      if (known === undefined || leaderEpoch <= known.leaderEpoch || !this.brokers.has(leaderId)) continue;
      this.setPartition({ ...known, leader: leaderId, leaderEpoch, errorCode: 0 });
    }
  }

  #addTopic(topic: MetadataResponseTopicView): void {
    const { name, errorCode, topicId } = topic;
    if (name === null) return;
    if (errorCode === topicAuthorizationFailed) this.unauthorizedTopics.add(name);
    if (errorCode !== 0) return;
    if (topic.isInternal) this.internalTopics.add(name);
    if (topicId !== zeroUuid) this.topicIds.set(name, topicId);
    this.partitions.set(name, new Map());
    for (const { partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes, errorCode: code } of topic.partitions) {
      this.setPartition({
        topic: name,
        partition: partitionIndex,
        // A leader the response itself does not list cannot be connected to.
        leader: this.brokers.has(leaderId) ? leaderId : noLeader,
        leaderEpoch,
        replicas: replicaNodes.toArray(),
        isr: isrNodes.toArray(),
        errorCode: code,
      });
    }
  }

  #nameOf(topicId: string): string | undefined {
    this.#topicNames ??= new Map([...this.topicIds].map(([name, id]) => [id, name]));
    return this.#topicNames.get(topicId);
  }
}
