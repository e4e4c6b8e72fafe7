// Owns what this application thread knows of the cluster: the newest metadata, read lazily. Application thread. Does no
// I/O; refreshes are asked for by a function it is given.

import type { BootstrapServer } from '../common/bootstrap-servers.ts';
import type { MetadataResponseView } from '../protocol/flat/generated/metadata.ts';

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
  /** -1 where the broker is too old to say. */
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly errorCode: number;
}

/** The look-up maps of one metadata response, each built when it is first asked for. */
class Snapshot {
  readonly brokers = new Map<number, BrokerMetadata>();
  readonly partitions = new Map<string, Map<number, PartitionMetadata>>();
  readonly topicIds = new Map<string, string>();
  readonly internalTopics = new Set<string>();
  readonly unauthorizedTopics = new Set<string>();
  readonly controllerId: number;
  readonly clusterId: string | null;

  constructor(response: MetadataResponseView | null) {
    this.controllerId = response?.controllerId ?? -1;
    this.clusterId = response?.clusterId ?? null;
    if (response === null) return;
    for (const { nodeId, host, port, rack } of response.brokers)
      this.brokers.set(nodeId, Object.freeze({ nodeId, host, port, rack }));
    for (const topic of response.topics) {
      const { name, errorCode } = topic;
      if (name === null) continue;
      if (errorCode === topicAuthorizationFailed) this.unauthorizedTopics.add(name);
      if (errorCode !== 0) continue;
      if (topic.isInternal) this.internalTopics.add(name);
      if (topic.topicId !== zeroUuid) this.topicIds.set(name, topic.topicId);
      const partitions = new Map<number, PartitionMetadata>();
      for (const row of topic.partitions) {
        // A leader the response itself does not list cannot be connected to.
        const leader = this.brokers.has(row.leaderId) ? row.leaderId : -1;
        partitions.set(
          row.partitionIndex,
          Object.freeze({
            topic: name,
            partition: row.partitionIndex,
            leader,
            leaderEpoch: row.leaderEpoch,
            replicas: Object.freeze([...row.replicaNodes]),
            isr: Object.freeze([...row.isrNodes]),
            errorCode: row.errorCode,
          }),
        );
      }
      this.partitions.set(name, partitions);
    }
  }
}

const topicAuthorizationFailed = 29;
const zeroUuid = 'AAAAAAAAAAAAAAAAAAAAAA';

export class Cluster {
  /** Counts metadata refreshes; 0 before the first. */
  updateId = 0;
  readonly #bootstrap: readonly BrokerMetadata[];
  readonly #listeners = new Set<(cluster: Cluster) => void>();
  readonly #listenerThrew: (error: unknown) => void;
  #response: MetadataResponseView | null = null;
  #built: Snapshot | null = null;

  /** @param listenerThrew told of what listeners throw; default: a process warning */
  constructor(servers: readonly BootstrapServer[], listenerThrew: (error: unknown) => void = warn) {
    this.#listenerThrew = listenerThrew;
    this.#bootstrap = servers.map(({ host, port }, i) => Object.freeze({ nodeId: -1 - i, host, port, rack: null }));
  }

  /** The brokers of the cluster; the bootstrap servers, with negative ids, while none is known. */
  brokers(): readonly BrokerMetadata[] {
    const { brokers } = this.#snapshot;
    return brokers.size > 0 ? [...brokers.values()] : this.#bootstrap;
  }

  /** A broker or bootstrap server; null for any other id. */
  brokerMetadata(nodeId: number): BrokerMetadata | null {
    return this.#snapshot.brokers.get(nodeId) ?? this.#bootstrap[-1 - nodeId] ?? null;
  }

  isBootstrap(nodeId: number): boolean {
    return this.#bootstrap[-1 - nodeId] !== undefined;
  }

  /** Names of topics with usable metadata. */
  topics(excludeInternalTopics = true): Set<string> {
    const { partitions, internalTopics } = this.#snapshot;
    return new Set([...partitions.keys()].filter((name) => !excludeInternalTopics || !internalTopics.has(name)));
  }

  /** Topic id as Kafka prints it (KIP-516); null when unknown or the broker is too old. */
  topicId(topic: string): string | null {
    return this.#snapshot.topicIds.get(topic) ?? null;
  }

  /** All partition numbers; null for a topic without metadata. */
  partitionsForTopic(topic: string): Set<number> | null {
    const partitions = this.#snapshot.partitions.get(topic);
    return partitions === undefined ? null : new Set(partitions.keys());
  }

  /** Partition numbers that have a leader; null for a topic without metadata. */
  availablePartitionsForTopic(topic: string): Set<number> | null {
    const partitions = this.#snapshot.partitions.get(topic);
    if (partitions === undefined) return null;
    return new Set([...partitions.values()].filter(({ leader }) => leader !== -1).map(({ partition }) => partition));
  }

  partition({ topic, partition }: TopicPartition): PartitionMetadata | null {
    return this.#snapshot.partitions.get(topic)?.get(partition) ?? null;
  }

  /** Node id; -1 for a partition without leader; null for an unknown one. */
  leaderForPartition(topicPartition: TopicPartition): number | null {
    return this.partition(topicPartition)?.leader ?? null;
  }

  /** Partitions a broker leads; null for a broker that leads none. */
  partitionsForBroker(nodeId: number): TopicPartition[] | null {
    // -1 is both a bootstrap server's id and what a partition without leader says.
    if (nodeId < 0) return null;
    const led: TopicPartition[] = [];
    for (const partitions of this.#snapshot.partitions.values()) {
      for (const { topic, partition, leader } of partitions.values())
        if (leader === nodeId) led.push({ topic, partition });
    }
    return led.length > 0 ? led : null;
  }

  get controller(): BrokerMetadata | null {
    const { controllerId, brokers } = this.#snapshot;
    return brokers.get(controllerId) ?? null;
  }

  get clusterId(): string | null {
    return this.#snapshot.clusterId;
  }

  get internalTopics(): ReadonlySet<string> {
    return this.#snapshot.internalTopics;
  }

  /** Topics the broker refused to describe (error 29). */
  get unauthorizedTopics(): ReadonlySet<string> {
    return this.#snapshot.unauthorizedTopics;
  }

  /** Calls `listener(cluster)` after each refresh. */
  addListener(listener: (cluster: Cluster) => void): void {
    this.#listeners.add(listener);
  }

  removeListener(listener: (cluster: Cluster) => void): void {
    this.#listeners.delete(listener);
  }

  /** Takes over a metadata response; for the reader of the response link. */
  update(response: MetadataResponseView, updateId: number): void {
    this.#response = response;
    this.#built = null;
    this.updateId = updateId;
    for (const listener of [...this.#listeners]) {
      try {
        listener(this);
      } catch (error) {
        // The other listeners, and the reader of the link, go on.
        this.#listenerThrew(error);
      }
    }
  }

  get #snapshot(): Snapshot {
    this.#built ??= new Snapshot(this.#response);
    return this.#built;
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), { code: 'KAFKA_CLUSTER_LISTENER' });
}
