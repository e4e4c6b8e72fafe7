// Owns the view of the cluster that roles use: look-up tables of the newest metadata, updated by the hints that came
// since. Network thread. Must not send; asks for metadata through metadata.ts.

import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { Metadata as MetadataApi } from '../../protocol/flat/generated/apis.ts';
import type { MetadataResponseTopicView } from '../../protocol/flat/generated/metadata.ts';
import type { ClusterHints } from '../../protocol/flat/leader-hints.ts';
import { zeroUuid } from '../../protocol/flat/uuid.ts';
import type { ClusterBroker, ClusterView, PartitionLeader, TopicInterest } from './cluster-view.ts';
import type { Metadata, MetadataUpdate } from './metadata.ts';

const noLeader = -1;
const noRacks: ReadonlySet<string> = new Set();

interface KnownTopic {
  readonly row: MetadataResponseTopicView;
  /** Made when it is first needed. */
  id: string | null;
  /** By partition; made when it is first needed. */
  leaders: (PartitionLeader | undefined)[] | null;
  /** Racks of replicas, by partition; made when they are first needed. */
  racks: ReadonlyMap<number, ReadonlySet<string>> | null;
}

export class MetadataView implements ClusterView {
  updateId = 0;
  clusterId: string | null = null;
  brokers: ReadonlyMap<number, ClusterBroker> = new Map();
  readonly #metadata: Metadata;
  readonly #wake: () => void;
  #topics = new Map<string, KnownTopic>();
  #namesById: Map<string, string> | null = null;
  readonly #listeners = new Set<(now: number) => void>();

  constructor(metadata: Metadata, wake: () => void) {
    this.#metadata = metadata;
    this.#wake = wake;
  }

  /** Takes over a complete response, then calls the listeners. */
  update({ updateId, body }: MetadataUpdate, now: number): void {
    const response = MetadataApi.readResponse(new FlatMessage(body));
    const brokers = new Map<number, ClusterBroker>();
    for (const { nodeId, host, port, rack } of response.brokers) brokers.set(nodeId, { id: nodeId, host, port, rack });
    const topics = new Map<string, KnownTopic>();
    for (const row of response.topics) {
      const { name } = row;
      if (name !== null) topics.set(name, { row, id: null, leaders: null, racks: null });
    }
    this.updateId = updateId;
    this.clusterId = response.clusterId;
    this.brokers = brokers;
    this.#topics = topics;
    this.#namesById = null;
    for (const listener of [...this.#listeners]) listener(now);
  }

  rack(brokerId: number): string | null {
    return this.brokers.get(brokerId)?.rack ?? null;
  }

  topics(): readonly string[] {
    return [...this.#topics].filter(([, { row }]) => row.errorCode === 0).map(([name]) => name);
  }

  isInternal(topic: string): boolean {
    return this.#topics.get(topic)?.row.isInternal ?? false;
  }

  partitionCount(topic: string): number | null {
    return this.#leaders(topic)?.length ?? null;
  }

  leader(topic: string, partition: number): PartitionLeader | null {
    return this.#leaders(topic)?.[partition] ?? null;
  }

  replicaRacks(topic: string, partition: number): ReadonlySet<string> {
    const known = this.#topics.get(topic);
    if (known === undefined) return noRacks;
    known.racks ??= this.#racksOf(known.row);
    return known.racks.get(partition) ?? noRacks;
  }

  #racksOf(row: MetadataResponseTopicView): Map<number, ReadonlySet<string>> {
    const byPartition = new Map<number, ReadonlySet<string>>();
    for (const { partitionIndex, replicaNodes } of row.partitions) {
      const racks = new Set<string>();
      for (const brokerId of replicaNodes) {
        const rack = this.brokers.get(brokerId)?.rack ?? null;
        if (rack !== null) racks.add(rack);
      }
      byPartition.set(partitionIndex, racks);
    }
    return byPartition;
  }

  topicId(topic: string): string | null {
    const known = this.#topics.get(topic);
    if (known === undefined) return null;
    known.id ??= known.row.topicId;
    return known.id === zeroUuid ? null : known.id;
  }

  topicName(topicId: string): string | null {
    if (topicId === zeroUuid) return null;
    this.#namesById ??= new Map([...this.#topics].map(([name, { row }]) => [row.topicId, name]));
    return this.#namesById.get(topicId) ?? null;
  }

  topicError(topic: string): number | null {
    return this.#topics.get(topic)?.row.errorCode ?? null;
  }

  addTopic(role: object, topic: string, { mayCreate = false }: TopicInterest = {}): void {
    if (!this.#metadata.tracked.add(role, topic, mayCreate)) return;
    this.#metadata.requestNewTopic();
    this.#wake();
  }

  removeTopic(role: object, topic: string): void {
    this.#metadata.tracked.remove(role, topic);
  }

  setNeedsAllTopics(role: object, needsAll: boolean): void {
    if (this.#metadata.tracked.setNeedsAll(role, needsAll)) this.requestUpdate();
  }

  forget(role: object): void {
    this.#metadata.tracked.forget(role);
  }

  requestUpdate(): void {
    this.#metadata.requestUpdate();
    this.#wake();
  }

  onUpdate(listener: (now: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  learn(hints: ClusterHints): void {
    this.#metadata.learn(hints);
    this.take(hints);
  }

  /** The same for hints; metadata.ts has taken them over already. */
  take({ brokers, leaders }: ClusterHints): void {
    // Before the first metadata, one broker that a response names must not look like the whole cluster.
    if (this.updateId === 0) return;
    const isNew = brokers.filter(({ nodeId }) => !this.brokers.has(nodeId));
    if (isNew.length > 0) {
      const added = isNew.map(({ nodeId, host, port, rack }) => [nodeId, { id: nodeId, host, port, rack }] as const);
      this.brokers = new Map([...this.brokers, ...added]);
    }
    for (const { topic, topicId, partition, leaderId, leaderEpoch } of leaders) {
      const rows = this.#leaders(topic === '' ? (this.topicName(topicId) ?? '') : topic);
      const known = rows?.[partition];
      if (rows === null || known === undefined || leaderEpoch <= known.leaderEpoch) continue;
      if (this.brokers.has(leaderId)) rows[partition] = { leaderId, leaderEpoch };
    }
  }

  #leaders(topic: string): (PartitionLeader | undefined)[] | null {
    const known = this.#topics.get(topic);
    if (known === undefined || known.row.errorCode !== 0) return null;
    known.leaders ??= this.#readLeaders(known.row);
    return known.leaders;
  }

  #readLeaders(row: MetadataResponseTopicView): (PartitionLeader | undefined)[] {
    const { partitions } = row;
    const leaders = new Array<PartitionLeader | undefined>(partitions.length).fill(undefined);
    for (const { partitionIndex, leaderId, leaderEpoch } of partitions) {
      // Kafka numbers partitions from 0 without gaps; a partition outside that range cannot be used. If a partition
      // is named twice, the first is used.
      if (partitionIndex < 0 || partitionIndex >= leaders.length || leaders[partitionIndex] !== undefined) continue;
      // A leader that is not among the brokers of the response cannot be connected to.
      const isListed = this.brokers.has(leaderId);
      leaders[partitionIndex] = { leaderId: isListed ? leaderId : noLeader, leaderEpoch };
    }
    return leaders;
  }
}
