// Owns what an embedded broker can be told when it starts. Types only: all of it crosses into the broker's thread, so
// nothing here may be a function.

export interface NodeOptions {
  /** int32 >= 0 */
  readonly id: number;
  /** Rack or zone, default null. */
  readonly rack?: string | null;
  /** Default 0: any free one. */
  readonly port?: number;
}

export interface TopicOptions {
  /** Default 1. */
  readonly partitions?: number;
  /** Default: that of the cluster. Replicas are names only; there is one log per partition. */
  readonly replicationFactor?: number;
  /** Replica node ids of each partition, the leader first; default: taken round robin from the nodes. */
  readonly assignments?: readonly (readonly number[])[];
  /**
   * Of these `max.message.bytes`, `message.timestamp.type`, `message.timestamp.after.max.ms`, `min.insync.replicas` and
   * of `cleanup.policy` that compacted topics want keys are obeyed; the others are only remembered.
   */
  readonly configs?: Readonly<Record<string, string>>;
  /** First offset of every partition, default 0, below 2^53. */
  readonly startOffset?: number;
  readonly isInternal?: boolean;
}

export interface TlsSettings {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
  readonly ca?: string;
  /** Ask for a client certificate and refuse clients without a good one. */
  readonly requireClientCertificate?: boolean;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** What a group's time-outs are, in ms on the broker's clock. Defaults are those of real brokers but for the first. */
export interface GroupOptions {
  /** Before the first rebalance of an empty classic group, default 0 (real brokers: 3000). */
  readonly initialRebalanceDelayMs?: number;
  /** Of classic members, default 6000 to 1800000. */
  readonly minSessionTimeoutMs?: number;
  readonly maxSessionTimeoutMs?: number;
  /** Members of a group, default 2147483647. */
  readonly maxSize?: number;
  /** Of KIP-848 groups, default 45000. */
  readonly consumerSessionTimeoutMs?: number;
  /** What KIP-848 members are told, default 5000. */
  readonly consumerHeartbeatIntervalMs?: number;
  /** Least time between two assignments of one, default 1000 as in Kafka 4.3 (4.0 to 4.2: 0). */
  readonly consumerAssignmentIntervalMs?: number;
}

/** [min, max] of an API, or null for one that the broker does not speak. */
export type VersionRange = readonly [min: number, max: number] | null;

export interface EmbeddedBrokerOptions {
  /** How many, with ids from 0, or each one by itself. Default 1. The first is the controller. */
  readonly nodes?: number | readonly NodeOptions[];
  /** Topics that are there from the start: partition count or options, by name. */
  readonly topics?: Readonly<Record<string, number | TopicOptions>>;
  /** Default `embedded-cluster-000000`. */
  readonly clusterId?: string | null;
  /** Metadata requests make missing topics, answered with error 3 the first time as real brokers do. Default true. */
  readonly autoCreateTopics?: boolean;
  /** For topics that leave it open; default 1. */
  readonly defaultPartitions?: number;
  /** For topics that leave it open; default 1. */
  readonly defaultReplicationFactor?: number;
  /** Largest record batch, default 1048588 as in real brokers. */
  readonly messageMaxBytes?: number;
  /** Largest request; a larger one ends the connection. Default 104857600. */
  readonly requestMaxBytes?: number;
  /** Replaces or adds ranges of what ApiVersions announces and requests may use, by API key. */
  readonly apiVersions?: Readonly<Record<number, VersionRange>>;
  /** Leaders point clients with a rack at a replica in it (KIP-392). Default false, as in real brokers. */
  readonly isRackAware?: boolean;
  /** Level of the finalized feature `transaction.version`, 0 to 2. Default 2. */
  readonly transactionVersion?: number;
  /** Between the answer to EndTxn and its markers, ms on the broker's clock. Default 1. */
  readonly transactionMarkerDelayMs?: number;
  /** Largest transaction time-out, default 900000. */
  readonly transactionMaxTimeoutMs?: number;
  readonly groups?: GroupOptions;
  /** TLS on every listener; default plaintext. */
  readonly tls?: TlsSettings;
  /** Where nodes listen and what clients are told, default 127.0.0.1. */
  readonly host?: string;
}
