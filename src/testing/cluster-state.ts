// Owns what all nodes of an embedded cluster agree on: nodes, topics, partitions, leaders, groups, transactions,
// features. Runs in the broker's thread. It must not know connections or the wire.

import type { ClientMetrics } from './client-metrics.ts';
import { BrokerClock } from './clock.ts';
import { errorCodes } from './error-codes.ts';
import { Features } from './features.ts';
import type { FetchSessions } from './fetch-sessions.ts';
import { GroupCoordinator, type GroupLimits } from './groups/group-coordinator.ts';
import { nodeCrypto, someBytes } from './node-modules.ts';
import type { TopicOptions } from './options.ts';
import { PartitionLog } from './partition-log.ts';
import { ProducerIdBlocks, type ProducerIds } from './transactions/producer-ids.ts';
import { TransactionCoordinator, type TransactionLimits } from './transactions/transaction-coordinator.ts';

export interface ClusterNode {
  readonly id: number;
  readonly rack: string | null;
  readonly sessions: FetchSessions;
  readonly producerIds: ProducerIds;
  /** What clients are told. */
  host: string;
  port: number;
}

export interface Partition {
  readonly index: number;
  /** -1 when no replica is alive. */
  leaderId: number;
  leaderEpoch: number;
  replicas: readonly number[];
  readonly log: PartitionLog;
}

export interface Topic {
  readonly name: string;
  /** 22 characters of base64url. */
  readonly id: string;
  readonly isInternal: boolean;
  readonly replicationFactor: number;
  readonly configs: ReadonlyMap<string, string>;
  readonly partitions: readonly Partition[];
}

/** A request that the cluster refuses, with Kafka's error code for it. */
export class ClusterError extends Error {
  readonly errorCode: number;

  constructor(errorCode: number, message: string) {
    super(message);
    this.errorCode = errorCode;
  }
}

export interface ClusterDefaults {
  readonly clusterId: string | null;
  readonly autoCreateTopics: boolean;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly messageMaxBytes: number;
  /** Leaders point clients with a rack at a replica there (KIP-392). */
  readonly isRackAware: boolean;
  readonly transactionVersion: number;
  readonly transactions: TransactionLimits;
  readonly groups: GroupLimits;
  /** Null: the cluster wants no metrics of its clients. */
  readonly clientMetrics: ClientMetrics | null;
}

/** As FindCoordinator says them. */
export const coordinatorKinds = { group: 0, transaction: 1 } as const;

const topicNamePattern = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/;

export class ClusterState {
  readonly defaults: ClusterDefaults;
  readonly #nodes = new Map<number, ClusterNode>();
  readonly #topics = new Map<string, Topic>();
  readonly #topicsById = new Map<string, Topic>();
  readonly #watchers = new Set<() => void>();
  readonly #movedCoordinators = new Map<string, number>();
  readonly clock = new BrokerClock();
  readonly producerIdBlocks = new ProducerIdBlocks();
  readonly features: Features;
  readonly transactions: TransactionCoordinator;
  readonly groups: GroupCoordinator;
  /** Ids of this cluster: its own, and those that scripted answers to Metadata gave, so that their readers find it again. */
  readonly clusterIds = new Set<string>();
  #nextLeader = 0;
  #controllerId = -1;

  constructor(defaults: ClusterDefaults) {
    this.defaults = defaults;
    if (defaults.clusterId !== null) this.clusterIds.add(defaults.clusterId);
    this.features = new Features(defaults.transactionVersion);
    this.groups = new GroupCoordinator(this.clock, this, defaults.groups);
    this.transactions = new TransactionCoordinator(
      this.clock,
      {
        writeMarker: (topic, index, { producerId, producerEpoch }, isCommit) => {
          const partition = this.#topics.get(topic)?.partitions[index];
          partition?.log.appendMarker(producerId, producerEpoch, isCommit, partition.leaderEpoch);
        },
        endOffsets: (groupId, producerId, isCommit) => this.groups.endTransaction(groupId, producerId, isCommit),
      },
      defaults.transactions,
    );
  }

  get clientMetrics(): ClientMetrics | null {
    return this.defaults.clientMetrics;
  }

  /** In the order in which they joined. */
  get nodes(): readonly ClusterNode[] {
    return [...this.#nodes.values()];
  }

  /** -1 when there is none. */
  get controllerId(): number {
    return this.#controllerId;
  }

  set controllerId(id: number) {
    this.#controllerId = id;
  }

  get topics(): readonly Topic[] {
    return [...this.#topics.values()];
  }

  /** Calls `changed` when a leader has moved or a topic has gone, until the returned function is called. */
  onChange(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  node(id: number): ClusterNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`the cluster has no node ${id}`);
    return node;
  }

  hasNode(id: number): boolean {
    return this.#nodes.has(id);
  }

  addNode(node: ClusterNode): void {
    if (this.#nodes.has(node.id)) throw new Error(`the cluster has a node ${node.id} already`);
    this.#changingCoordinators(() => this.#nodes.set(node.id, node));
    if (this.#controllerId === -1) this.#controllerId = node.id;
    this.#electLeaders();
  }

  /** Leadership and the controller go to nodes that are left. */
  removeNode(id: number): void {
    this.node(id);
    this.#changingCoordinators(() => this.#nodes.delete(id));
    if (this.#controllerId === id) this.#controllerId = this.nodes[0]?.id ?? -1;
    this.#electLeaders();
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  topicById(id: string): Topic | undefined {
    return this.#topicsById.get(id);
  }

  partition(topic: string, index: number): Partition {
    const partition = this.#topics.get(topic)?.partitions[index];
    if (partition === undefined) throw new Error(`the cluster has no partition ${topic}-${index}`);
    return partition;
  }

  /** Throws ClusterError with the code that CreateTopics answers. */
  createTopic(name: string, options: TopicOptions = {}): Topic {
    const topic = this.#plannedTopic(name, options);
    this.#topics.set(name, topic);
    this.#topicsById.set(topic.id, topic);
    for (const { log } of topic.partitions) log.beginEpoch(0);
    return topic;
  }

  /** What `createTopic` would make, with the same errors, without making it. */
  checkTopic(name: string, options: TopicOptions = {}): Topic {
    const nextLeader = this.#nextLeader;
    const topic = this.#plannedTopic(name, options);
    this.#nextLeader = nextLeader;
    return topic;
  }

  deleteTopic(name: string): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw new ClusterError(errorCodes.UNKNOWN_TOPIC_OR_PARTITION, `no topic ${name}`);
    this.#topics.delete(name);
    this.#topicsById.delete(topic.id);
    this.groups.forgetTopic(name);
    this.#notify();
  }

  /** The leader becomes `nodeId`, or none with -1, and the epoch grows by one. */
  moveLeader(topic: string, index: number, nodeId: number): void {
    const partition = this.partition(topic, index);
    if (nodeId !== -1) {
      this.node(nodeId);
      if (!partition.replicas.includes(nodeId)) partition.replicas = [nodeId, ...partition.replicas.slice(1)];
    }
    lead(partition, nodeId);
    this.#notify();
  }

  /** From now on that node answers for the group or transactional id, until it goes. */
  moveCoordinator(kind: number, key: string, nodeId: number): void {
    this.node(nodeId);
    this.#changingCoordinators(() => this.#movedCoordinators.set(`${kind} ${key}`, nodeId));
  }

  /** The same node for the same key as long as the nodes stay and nobody moves it; null without nodes. */
  coordinator(kind: number, key: string): ClusterNode | null {
    // Not by the order in which the nodes joined, so that a node that comes back has its groups again.
    const nodes = [...this.#nodes.values()].sort((a, b) => a.id - b.id);
    if (nodes.length === 0) return null;
    const moved = this.#nodes.get(this.#movedCoordinators.get(`${kind} ${key}`) ?? -1);
    if (moved !== undefined) return moved;
    const hash = nodeCrypto().createHash('sha256').update(key).digest().readUInt32BE(0);
    return nodes[hash % nodes.length]!;
  }

  /** Members that wait for a coordinator are told to find the new one when it changes. */
  #changingCoordinators(change: () => void): void {
    const coordinators = (): Map<string, number | undefined> =>
      new Map(this.groups.groups.map(({ id }) => [id, this.coordinator(coordinatorKinds.group, id)?.id]));
    const before = coordinators();
    change();
    for (const [id, nodeId] of coordinators()) {
      if (nodeId !== before.get(id)) this.groups.find(id)?.classic?.abandon(errorCodes.NOT_COORDINATOR);
    }
  }

  #plannedTopic(name: string, options: TopicOptions): Topic {
    if (!topicNamePattern.test(name))
      throw new ClusterError(errorCodes.INVALID_TOPIC_EXCEPTION, `bad topic name ${name}`);
    if (this.#topics.has(name)) throw new ClusterError(errorCodes.TOPIC_ALREADY_EXISTS, `topic ${name} exists`);
    const replicas = options.assignments ?? this.#assign(options);
    this.#checkAssignments(replicas);
    return {
      name,
      id: someBytes(16).toString('base64url'),
      isInternal: options.isInternal ?? false,
      replicationFactor: replicas[0]!.length,
      configs: new Map(Object.entries(options.configs ?? {})),
      partitions: replicas.map((nodes, index) => ({
        index,
        leaderId: nodes[0]!,
        leaderEpoch: 0,
        replicas: nodes,
        log: new PartitionLog(options.startOffset),
      })),
    };
  }

  #assign(options: TopicOptions): number[][] {
    const partitions = options.partitions ?? this.defaults.partitions;
    const factor = options.replicationFactor ?? this.defaults.replicationFactor;
    if (partitions < 1) throw new ClusterError(errorCodes.INVALID_PARTITIONS, `${partitions} partitions`);
    const nodes = this.nodes;
    if (factor < 1 || factor > nodes.length) {
      throw new ClusterError(
        errorCodes.INVALID_REPLICATION_FACTOR,
        `replication factor ${factor} with ${nodes.length} nodes`,
      );
    }
    return Array.from({ length: partitions }, () => {
      const first = this.#nextLeader++;
      return Array.from({ length: factor }, (_, i) => nodes[(first + i) % nodes.length]!.id);
    });
  }

  #checkAssignments(assignments: readonly (readonly number[])[]): void {
    const factor = assignments[0]?.length ?? 0;
    for (const nodes of assignments) {
      const isGood = factor > 0 && nodes.length === factor && new Set(nodes).size === factor;
      if (!isGood || nodes.some((id) => !this.#nodes.has(id))) {
        throw new ClusterError(
          errorCodes.INVALID_REPLICA_ASSIGNMENT,
          `replica assignment ${JSON.stringify(assignments)}`,
        );
      }
    }
  }

  #electLeaders(): void {
    for (const topic of this.#topics.values()) {
      for (const partition of topic.partitions) {
        if (this.#nodes.has(partition.leaderId)) continue;
        const leaderId = partition.replicas.find((id) => this.#nodes.has(id)) ?? -1;
        if (leaderId === partition.leaderId) continue;
        lead(partition, leaderId);
      }
    }
    this.#notify();
  }

  #notify(): void {
    for (const changed of [...this.#watchers]) changed();
  }
}

function lead(partition: Partition, nodeId: number): void {
  partition.leaderId = nodeId;
  partition.leaderEpoch++;
  if (nodeId !== -1) partition.log.beginEpoch(partition.leaderEpoch);
}
