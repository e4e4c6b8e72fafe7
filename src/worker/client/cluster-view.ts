// Owns what roles (producers, consumers) see of the cluster: leaders, topics, brokers, always as the newest metadata and the
// newest hints say. Network thread. A role fakes this interface in its tests.

import type { ClusterHints } from '../../protocol/flat/leader-hints.ts';

export interface PartitionLeader {
  /** Broker id; -1 while the partition has no leader that is known. */
  readonly leaderId: number;
  /** -1 where brokers are too old to say. */
  readonly leaderEpoch: number;
}

export interface ClusterBroker {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface TopicInterest {
  /** Let brokers that do so create the topic when it is asked about; default false. */
  readonly mayCreate?: boolean;
}

export interface ClusterView {
  /** Counts metadata updates from 1; 0 before the first. */
  readonly updateId: number;
  readonly clusterId: string | null;
  readonly brokers: ReadonlyMap<number, ClusterBroker>;
  /** Null for a broker that is unknown, or in no rack. */
  rack(brokerId: number): string | null;
  /** Names of all topics with usable metadata, internal ones included. */
  topics(): readonly string[];
  isInternal(topic: string): boolean;
  /** Partitions are numbered from 0; null for a topic without usable metadata. */
  partitionCount(topic: string): number | null;
  /** Null for a topic or partition without usable metadata. */
  leader(topic: string, partition: number): PartitionLeader | null;
  /** As Kafka prints it (KIP-516); null when unknown, or when brokers are too old. */
  topicId(topic: string): string | null;
  /** The topic that has this id now; null when unknown. */
  topicName(topicId: string): string | null;
  /** Kafka's error code of the topic in the newest metadata; 0 for none; null when that says nothing of the topic. */
  topicError(topic: string): number | null;

  /** Metadata covers the union of what all roles and applications ask for. A topic that is new is asked about at once. */
  addTopic(role: object, topic: string, interest?: TopicInterest): void;
  removeTopic(role: object, topic: string): void;
  /** Whether the role needs every topic of the cluster. */
  setNeedsAllTopics(role: object, needsAll: boolean): void;
  /** The role has ended: nothing is tracked for it any more. */
  forget(role: object): void;
  /** Asks for metadata as soon as the backoff allows; as often as anybody likes. */
  requestUpdate(): void;
  /** `listener` is called after each update, when everything here is new. Returns what ends that. */
  onUpdate(listener: (now: number) => void): () => void;
  /** Takes over what a response told of leaders (KIP-951). Done already for responses that came through BrokerRequests. */
  learn(hints: ClusterHints): void;
}
