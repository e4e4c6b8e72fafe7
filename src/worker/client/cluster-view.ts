// Owns the interface through which roles (producers, consumers) see the cluster: leaders, topics and brokers, from
// the newest metadata and the newest hints. Network thread. Tests of a role use a fake of this interface.

import type { ClusterHints } from '../../protocol/flat/leader-hints.ts';

export interface PartitionLeader {
  /** Broker id; -1 while no leader of the partition is known. */
  readonly leaderId: number;
  /** -1 if the brokers are too old to name it. */
  readonly leaderEpoch: number;
}

export interface ClusterBroker {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface TopicInterest {
  /** Whether brokers may create the topic when metadata asks for it; default false. */
  readonly mayCreate?: boolean;
}

export interface ClusterView {
  /** Counts metadata updates from 1; 0 before the first. */
  readonly updateId: number;
  readonly clusterId: string | null;
  readonly brokers: ReadonlyMap<number, ClusterBroker>;
  /** Null for an unknown broker, and for a broker without a rack. */
  rack(brokerId: number): string | null;
  /** Names of all topics with usable metadata, internal ones included. */
  topics(): readonly string[];
  isInternal(topic: string): boolean;
  /** Partitions are numbered from 0; null for a topic without usable metadata. */
  partitionCount(topic: string): number | null;
  /** Null for a topic or partition without usable metadata. */
  leader(topic: string, partition: number): PartitionLeader | null;
  /** The racks in which a partition has replicas; empty when unknown. */
  replicaRacks(topic: string, partition: number): ReadonlySet<string>;
  /** As Kafka prints it (KIP-516); null when unknown, or when brokers are too old. */
  topicId(topic: string): string | null;
  /** The topic that has this id now; null when unknown. */
  topicName(topicId: string): string | null;
  /**
   * Kafka's error code of the topic in the newest metadata; 0 for none; null if that metadata does not contain the
   * topic.
   */
  topicError(topic: string): number | null;

  /** Metadata covers the union of what all roles and applications ask for. A new topic is asked for at once. */
  addTopic(role: object, topic: string, interest?: TopicInterest): void;
  removeTopic(role: object, topic: string): void;
  /** Whether the role needs every topic of the cluster. */
  setNeedsAllTopics(role: object, needsAll: boolean): void;
  /** The role has ended: its topics are no longer tracked. */
  forget(role: object): void;
  /** Asks for metadata as soon as the backoff allows; it may be called any number of times. */
  requestUpdate(): void;
  /**
   * `listener` is called after each update, when this view shows the new metadata. Returns a function that removes
   * the listener.
   */
  onUpdate(listener: (now: number) => void): () => void;
  /**
   * Takes over the leaders that a response named (KIP-951). For responses that came through BrokerRequests this is
   * done already.
   */
  learn(hints: ClusterHints): void;
}
