// Owns the cluster as applications see it: the newest metadata, read lazily, and coordinators that were looked up. Application thread.
// Must not send anything: its source asks the network thread. Must not take over what the network thread tells: cluster-writer.ts does.

import type { BootstrapServer } from '../../common/config/bootstrap-servers.ts';
import { type BrokerError, errorFor, IllegalArgumentError, IllegalStateError } from '../../common/errors/errors.ts';
import { coordinatorNodeId } from '../../common/node-ids.ts';
import { maxInt32 } from '../../common/numbers.ts';
import { shown } from '../../common/text.ts';
import type { FindCoordinatorResponseView } from '../../protocol/flat/generated/find-coordinator.ts';
import { type CallPlace, callPlace } from '../link/call-place.ts';
import type { Future } from '../link/future.ts';
import { checkNodeId, checkString, checkTopics } from './arguments.ts';
import {
  type BrokerMetadata,
  type ClusterSnapshot,
  noLeader,
  type PartitionMetadata,
  type TopicPartition,
} from './cluster-snapshot.ts';
import { type ClusterListener, ClusterState } from './cluster-state.ts';

export type { BrokerMetadata, PartitionMetadata, TopicPartition } from './cluster-snapshot.ts';

/** What a cluster needs from its client. */
export interface MetadataSource {
  /** From the configuration. */
  readonly retryBackoffMs: number;
  /** A refresh that begins after the call. */
  requestUpdate(place: CallPlace): Future<Cluster>;
  /** ms until metadata is due. */
  ttlMs(): number;
  /** `needAllTopicMetadata` has changed. */
  setNeedsAllTopics(needsAllTopics: boolean): void;
}

/** A partition for `withPartitions`: what is left out is -1, 0 or empty. */
export type PartitionInput = TopicPartition & { readonly leader: number } & Partial<PartitionMetadata>;

const failedLookup = -1;

/**
 * What is known about the cluster. It changes with every refresh; the values that its methods have returned do not
 * change.
 */
export class Cluster {
  readonly #servers: readonly BootstrapServer[];
  readonly #source: MetadataSource | null;
  readonly #bootstrap: readonly BrokerMetadata[];
  readonly #state: ClusterState;

  /**
   * For the client, and for tests of applications.
   * @param source null: it cannot be refreshed
   * @param state  what a client keeps up to date; default: nothing is known
   */
  constructor(
    servers: readonly BootstrapServer[],
    source: MetadataSource | null = null,
    state: ClusterState = new ClusterState(),
  ) {
    this.#servers = servers;
    this.#source = source;
    this.#state = state;
    this.#bootstrap = servers.map(({ host, port }, i) => Object.freeze({ nodeId: -1 - i, host, port, rack: null }));
  }

  /** Counts metadata refreshes; 0 before the first. */
  get updateId(): number {
    return this.#state.updateId;
  }

  /** The brokers of the cluster; while no broker is known, the bootstrap servers with their negative ids. */
  brokers(): readonly BrokerMetadata[] {
    const { brokers } = this.#snapshot;
    return brokers.size > 0 ? [...brokers.values()] : this.#bootstrap;
  }

  /**
   * A broker, a bootstrap server, or a coordinator's own connection, which has the address of its broker; null for
   * any other id. A bootstrap server stays known for ever.
   */
  brokerMetadata(nodeId: number): BrokerMetadata | null {
    checkNodeId(nodeId);
    const { brokers } = this.#snapshot;
    const known = brokers.get(nodeId) ?? this.#bootstrap[-1 - nodeId];
    if (known !== undefined) return known;
    const broker = brokers.get(coordinatorNodeId(nodeId));
    return broker === undefined ? (this.#state.coordinators.get(nodeId) ?? null) : Object.freeze({ ...broker, nodeId });
  }

  isBootstrap(nodeId: number): boolean {
    return this.#bootstrap[-1 - checkNodeId(nodeId)] !== undefined;
  }

  /** Names of topics with usable metadata. */
  topics(excludeInternalTopics = true): Set<string> {
    const snapshot = this.#snapshot;
    const isWanted = (name: string): boolean => !excludeInternalTopics || !snapshot.internalTopics.has(name);
    return new Set(snapshot.topics().filter(isWanted));
  }

  /** Topic id as Kafka prints it (KIP-516); null when unknown or the broker is too old. */
  topicId(topic: string): string | null {
    return this.#snapshot.topicId(checkString('topic', topic));
  }

  /**
   * Why a topic has no usable metadata, as the newest refresh said: UnknownTopicOrPartitionError for one that does not exist.
   * Null for a topic that has some, and for one that the refresh did not cover.
   */
  topicError(topic: string): BrokerError | null {
    return errorFor(this.#snapshot.topicErrors.get(checkString('topic', topic)) ?? 0);
  }

  /** All partition numbers; null for a topic without metadata. */
  partitionsForTopic(topic: string): Set<number> | null {
    const partitions = this.#snapshot.partitions(checkString('topic', topic));
    return partitions === undefined ? null : new Set(partitions.keys());
  }

  /** Partition numbers that have a leader; null for a topic without metadata. */
  availablePartitionsForTopic(topic: string): Set<number> | null {
    const partitions = this.#snapshot.partitions(checkString('topic', topic));
    if (partitions === undefined) return null;
    return new Set(
      [...partitions.values()].filter(({ leader }) => leader !== noLeader).map(({ partition }) => partition),
    );
  }

  partition({ topic, partition }: TopicPartition): PartitionMetadata | null {
    if (typeof partition !== 'number') throw new TypeError(`partition must be a number, not ${shown(partition)}`);
    return this.#snapshot.partitions(checkString('topic', topic))?.get(partition) ?? null;
  }

  /**
   * Node id; -1 for a partition without leader; null for an unknown partition. -1 is also the id of the first
   * bootstrap server: do not send a leader's request to it.
   */
  leaderForPartition(topicPartition: TopicPartition): number | null {
    return this.partition(topicPartition)?.leader ?? null;
  }

  /** Partitions a broker leads; null for a broker that leads none. */
  partitionsForBroker(nodeId: number): TopicPartition[] | null {
    // -1 is the id of a bootstrap server, and also means that a partition has no leader.
    if (checkNodeId(nodeId) < 0) return null;
    const led: TopicPartition[] = [];
    for (const { topic, partition } of this.#snapshot.ledBy(nodeId)) led.push({ topic, partition });
    return led.length > 0 ? led : null;
  }

  /** Node id of the group's coordinator, as `addGroupCoordinator` returned it; -1 after a failed look-up, null without one. */
  coordinatorForGroup(group: string): number | null {
    return this.#state.groupCoordinators.get(checkString('group', group)) ?? null;
  }

  /**
   * Notes who coordinates a group.
   * @param response of FindCoordinator, any version
   * @returns 2147483647 - the broker's id: the node id of a separate connection to that broker, so that a request
   *   that waits for other members delays no other request; null if the response has an error, or no coordinator of
   *   this group
   */
  addGroupCoordinator(group: string, response: FindCoordinatorResponseView): number | null {
    checkString('group', group);
    if (typeof response?.coordinators?.length !== 'number') {
      throw new TypeError(`response must be one of FindCoordinator, not ${shown(response)}`);
    }
    const isList = response.coordinators.length > 0;
    const answer = isList ? response.coordinators.find(({ key }) => key === group) : response;
    if (answer === undefined || answer.errorCode !== 0 || answer.nodeId < 0) {
      this.#state.groupCoordinators.set(group, failedLookup);
      return null;
    }
    const { nodeId: brokerId, host, port } = answer;
    const nodeId = coordinatorNodeId(brokerId);
    this.#state.coordinators.set(nodeId, Object.freeze({ nodeId, host, port, rack: null }));
    this.#state.groupCoordinators.set(group, nodeId);
    return nodeId;
  }

  /** Null if it is unknown, or not among the brokers. */
  get controller(): BrokerMetadata | null {
    return this.#snapshot.brokers.get(this.#state.response?.controllerId ?? -1) ?? null;
  }

  /** Null before the first refresh, and with brokers before Kafka 0.10.1. */
  get clusterId(): string | null {
    return this.#state.response?.clusterId ?? null;
  }

  get internalTopics(): ReadonlySet<string> {
    return this.#snapshot.internalTopics;
  }

  /** Topics the broker refused to describe (error 29). */
  get unauthorizedTopics(): ReadonlySet<string> {
    return this.#snapshot.unauthorizedTopics;
  }

  /**
   * Whether refreshes cover every topic of the cluster instead of the tracked topics. Setting it to another value
   * asks for a refresh.
   */
  get needAllTopicMetadata(): boolean {
    return this.#state.needsAllTopics;
  }

  set needAllTopicMetadata(needsAll: boolean) {
    if (typeof needsAll !== 'boolean') {
      throw new TypeError(`needAllTopicMetadata must be true or false, not ${shown(needsAll)}`);
    }
    if (needsAll === this.#state.needsAllTopics) return;
    const source = this.#refreshable();
    this.#state.needsAllTopics = needsAll;
    source.setNeedsAllTopics(needsAll);
  }

  /**
   * Asks for a refresh, as soon as the backoff allows. The Future completes with this cluster, after a refresh that
   * began after this call.
   */
  requestUpdate(): Future<Cluster> {
    return this.#refreshable().requestUpdate(callPlace(this.requestUpdate));
  }

  /** ms until metadata is due for a refresh: 0 when it is, or is being refreshed. Advice: the network thread decides. */
  ttl(): number {
    return this.#source?.ttlMs() ?? 0;
  }

  /** The least time in ms between the end of one refresh and the start of the next. */
  refreshBackoff(): number {
    return this.#refreshable().retryBackoffMs;
  }

  /** Calls `listener(cluster)` after each refresh, in the async context of this call, as long as the client is not dropped. */
  addListener(listener: ClusterListener): void {
    if (typeof listener !== 'function') throw new TypeError(`listener must be a function, not ${typeof listener}`);
    this.#state.listeners.add(listener);
  }

  /** A listener that was not added is ignored. */
  removeListener(listener: ClusterListener): void {
    this.#state.listeners.remove(listener);
  }

  /**
   * A copy in which partitions are added or replaced, without the listeners. Refreshes change only the original.
   * Throws: TypeError for a value that is no partition; IllegalArgumentError for an unknown topic
   */
  withPartitions(partitions: Iterable<PartitionInput>): Cluster {
    const snapshot = this.#snapshot.copy();
    for (const partition of partitions) snapshot.setPartition(checkPartition(partition, snapshot));
    return new Cluster(this.#servers, this.#source, this.#state.copy(snapshot));
  }

  get #snapshot(): ClusterSnapshot {
    return this.#state.snapshot;
  }

  #refreshable(): MetadataSource {
    if (this.#source === null) throw new IllegalStateError('this Cluster does not belong to a client');
    return this.#source;
  }
}

function checkPartition(given: PartitionInput, snapshot: ClusterSnapshot): PartitionMetadata {
  const { topic, partition, leader, leaderEpoch = -1, replicas = [], isr = [], errorCode = 0 } = given;
  checkTopics([topic]);
  for (const [name, value, least] of [
    ['partition', partition, 0],
    ['leader', leader, noLeader],
    ['leaderEpoch', leaderEpoch, -1],
  ] as const) {
    if ((value | 0) === value && value >= least) continue;
    throw new TypeError(`withPartitions: ${name} must be an integer from ${least} to ${maxInt32}, not ${shown(value)}`);
  }
  if (snapshot.partitions(topic) === undefined) {
    throw new IllegalArgumentError(`withPartitions: topic ${JSON.stringify(topic)} is unknown`);
  }
  return { topic, partition, leader, leaderEpoch, replicas, isr, errorCode };
}
