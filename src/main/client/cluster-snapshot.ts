// Owns the look-up maps of one metadata response, with the replacements made since. Application thread. Must not send
// anything: cluster.ts decides when a snapshot is made.

import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import type {
  MetadataResponsePartitionView,
  MetadataResponseTopicView,
  MetadataResponseView,
} from '../../protocol/flat/generated/metadata.ts';
import { type ClusterHints, maxNamedInPassing } from '../../protocol/flat/leader-hints.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';

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
  /** -1 if the broker is too old to send it, or its epochs cannot be trusted (before Kafka 2.4). */
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly errorCode: number;
}

export const noLeader = -1;

export class ClusterSnapshot {
  readonly brokers = new Map<number, BrokerMetadata>();
  readonly internalTopics = new Set<string>();
  readonly unauthorizedTopics = new Set<string>();
  /** Kafka's error code of each topic that the response names without usable metadata. */
  readonly topicErrors = new Map<string, number>();
  /** Topics with usable metadata. */
  readonly #topics: Map<string, MetadataResponseTopicView>;
  /** Only of topics that were asked for: reading all partitions of a large cluster takes a while. */
  readonly #partitions = new Map<string, Map<number, PartitionMetadata>>();
  #topicNames: Map<string, string> | null = null;
  #namedInPassing = 0;
  /** Broker id to the partitions it leads, by topic; made when it is first asked for. */
  #led: Map<number, Set<PartitionMetadata>> | null = null;

  constructor(response: MetadataResponseView | null) {
    this.#topics = new Map();
    if (response === null) return;
    for (const { nodeId, host, port, rack } of response.brokers)
      this.brokers.set(nodeId, Object.freeze({ nodeId, host, port, rack }));
    for (const topic of response.topics) {
      const { name, errorCode } = topic;
      if (name === null) continue;
      if (errorCode === errorCodes.TOPIC_AUTHORIZATION_FAILED) this.unauthorizedTopics.add(name);
      if (errorCode !== 0) {
        this.topicErrors.set(name, errorCode);
        continue;
      }
      if (topic.isInternal) this.internalTopics.add(name);
      this.#topics.set(name, topic);
    }
  }

  /** A copy, in which other partitions may be replaced. */
  copy(): ClusterSnapshot {
    const copy = new ClusterSnapshot(null);
    for (const [nodeId, broker] of this.brokers) copy.brokers.set(nodeId, broker);
    for (const [name, topic] of this.#topics) copy.#topics.set(name, topic);
    for (const [name, partitions] of this.#partitions) copy.#partitions.set(name, new Map(partitions));
    for (const topic of this.internalTopics) copy.internalTopics.add(topic);
    for (const topic of this.unauthorizedTopics) copy.unauthorizedTopics.add(topic);
    for (const [topic, errorCode] of this.topicErrors) copy.topicErrors.set(topic, errorCode);
    return copy;
  }

  topics(): string[] {
    return [...this.#topics.keys()];
  }

  topicId(topic: string): string | null {
    const id = this.#topics.get(topic)?.topicId ?? zeroUuid;
    return id === zeroUuid ? null : id;
  }

  /** Undefined for a topic without usable metadata. */
  partitions(topic: string): ReadonlyMap<number, PartitionMetadata> | undefined {
    const known = this.#partitions.get(topic);
    const row = this.#topics.get(topic);
    if (known !== undefined || row === undefined) return known;
    this.#partitions.set(topic, new Map());
    for (const partition of row.partitions) this.#setRow(topic, partition);
    return this.#partitions.get(topic);
  }

  /** Partitions that a broker leads: what was asked once costs no more than the answer. */
  ledBy(nodeId: number): Iterable<PartitionMetadata> {
    if (this.#led === null) {
      for (const topic of this.#topics.keys()) this.partitions(topic);
      this.#led = new Map();
      for (const partitions of this.#partitions.values()) for (const each of partitions.values()) this.#addLed(each);
    }
    return this.#led.get(nodeId) ?? [];
  }

  /** Adds or replaces a partition of a topic that is known. */
  setPartition(partition: PartitionMetadata): void {
    if (this.partitions(partition.topic) !== undefined) this.#set(partition);
  }

  /** Takes over the new brokers and the leaders of a newer epoch that a response named (KIP-951). */
  learn({ brokers, leaders }: ClusterHints): void {
    for (const broker of brokers) {
      if (this.brokers.has(broker.nodeId) || this.#namedInPassing >= maxNamedInPassing) continue;
      this.#namedInPassing++;
      this.brokers.set(broker.nodeId, Object.freeze({ ...broker }));
    }
    for (const { topic, topicId, partition, leaderId, leaderEpoch } of leaders) {
      const name = topic === '' ? this.#nameOf(topicId) : topic;
      const known = name === undefined ? undefined : this.partitions(name)?.get(partition);
      if (known === undefined || leaderEpoch <= known.leaderEpoch || !this.brokers.has(leaderId)) continue;
      this.#set({ ...known, leader: leaderId, leaderEpoch, errorCode: 0 });
    }
  }

  #setRow(topic: string, row: MetadataResponsePartitionView): void {
    const { partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes, errorCode } = row;
    // If a partition is named twice, the first is used.
    if (this.#partitions.get(topic)!.has(partitionIndex)) return;
    // A leader that is not among the brokers of the response cannot be connected to.
    const leader = this.brokers.has(leaderId) ? leaderId : noLeader;
    const replicas = replicaNodes.toArray();
    this.#set({ topic, partition: partitionIndex, leader, leaderEpoch, replicas, isr: isrNodes.toArray(), errorCode });
  }

  #set(partition: PartitionMetadata): void {
    const replicas = Object.freeze([...partition.replicas]);
    const isr = Object.freeze([...partition.isr]);
    const ofTopic = this.#partitions.get(partition.topic)!;
    const before = ofTopic.get(partition.partition);
    const now = Object.freeze({ ...partition, replicas, isr });
    ofTopic.set(partition.partition, now);
    if (this.#led === null) return;
    if (before !== undefined) this.#led.get(before.leader)?.delete(before);
    this.#addLed(now);
  }

  #addLed(partition: PartitionMetadata): void {
    const led = this.#led!.get(partition.leader);
    if (led === undefined) this.#led!.set(partition.leader, new Set([partition]));
    else led.add(partition);
  }

  #nameOf(topicId: string): string | undefined {
    this.#topicNames ??= new Map([...this.#topics].map(([name, topic]) => [topic.topicId, name]));
    return this.#topicNames.get(topicId);
  }
}
