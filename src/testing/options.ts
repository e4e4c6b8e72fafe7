// Owns the options of an embedded broker. Types only. All options are sent to the broker's thread, so none can be a function.

export interface NodeOptions {
  /** int32 >= 0 */
  readonly id: number;
  /** Rack or zone, default null. */
  readonly rack?: string | null;
  /** Default 0: any free port. */
  readonly port?: number;
}

export interface TopicOptions {
  /** Default 1. */
  readonly partitions?: number;
  /** Default: that of the cluster. Replicas are only names. Each partition has one log. */
  readonly replicationFactor?: number;
  /** Replica node ids of each partition, the leader first. Default: round robin over the nodes. */
  readonly assignments?: readonly (readonly number[])[];
  /**
   * These have an effect: `max.message.bytes`, `message.timestamp.type`, `message.timestamp.after.max.ms`, `min.insync.replicas`,
   * and `cleanup.policy` in one point: records of compacted topics must have keys. The others are only stored.
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
  /** Requires a valid client certificate. */
  readonly requireClientCertificate?: boolean;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** The timeouts of a group, in ms on the broker's clock. All defaults except the first are those of real brokers. */
export interface GroupOptions {
  /** Delay of the first rebalance of an empty classic group. Default 0 (real brokers: 3000). */
  readonly initialRebalanceDelayMs?: number;
  /** Range of the session timeout of classic members. Default 6000 to 1800000. */
  readonly minSessionTimeoutMs?: number;
  readonly maxSessionTimeoutMs?: number;
  /** Members of a group, default 2147483647. */
  readonly maxSize?: number;
  /** Session timeout of KIP-848 groups. Default 45000. */
  readonly consumerSessionTimeoutMs?: number;
  /** Heartbeat interval of KIP-848 groups. Default 5000. */
  readonly consumerHeartbeatIntervalMs?: number;
  /** Minimum time between two assignments of a KIP-848 group. Default 1000 as in Kafka 4.3 (4.0 to 4.2: 0). */
  readonly consumerAssignmentIntervalMs?: number;
}

/** What brokers want of their clients' metrics (KIP-714). All defaults are those of real brokers. */
export interface ClientMetricsOptions {
  /** Prefixes of names, such as `org.apache.kafka.producer.`. Default `['*']`: all. Empty: none. */
  readonly metrics?: readonly string[];
  /** Time between two pushes of a client, in ms. Default 300000. */
  readonly intervalMs?: number;
  /** Whether totals come as differences to the last push. Default true. */
  readonly isDelta?: boolean;
  /** Codecs that are accepted, best first: 1 gzip, 2 snappy, 3 lz4, 4 zstd. Default 4, 3, 1, 2. */
  readonly compressionTypes?: readonly number[];
  /** Maximum size of a push, compressed. Default 1048576. */
  readonly maxBytes?: number;
}

/** [min, max] of an API. Null: the broker does not have the API. */
export type VersionRange = readonly [min: number, max: number] | null;

export interface EmbeddedBrokerOptions {
  /** The number of nodes, with ids from 0, or a list of nodes. Default 1. The first one is the controller. */
  readonly nodes?: number | readonly NodeOptions[];
  /** Topics that exist from the start, by name: a partition count or options. */
  readonly topics?: Readonly<Record<string, number | TopicOptions>>;
  /** Default `embedded-cluster-000000`. */
  readonly clusterId?: string | null;
  /** Metadata requests create missing topics. The first answer has error 3, as with real brokers. Default true. */
  readonly autoCreateTopics?: boolean;
  /** For topics that leave it open; default 1. */
  readonly defaultPartitions?: number;
  /** For topics that leave it open; default 1. */
  readonly defaultReplicationFactor?: number;
  /** Maximum size of a record batch. Default 1048588 as in real brokers. */
  readonly messageMaxBytes?: number;
  /** Maximum size of a request. A larger one ends the connection. Default 104857600. */
  readonly requestMaxBytes?: number;
  /** Replaces or adds ranges of what ApiVersions announces and requests may use, by API key. */
  readonly apiVersions?: Readonly<Record<number, VersionRange>>;
  /** Leaders name a replica in the rack of the client (KIP-392). Default false, as in real brokers. */
  readonly isRackAware?: boolean;
  /** Level of the finalized feature `transaction.version`, 0 to 2. Default 2. */
  readonly transactionVersion?: number;
  /** Time between the answer to EndTxn and its markers, in ms on the broker's clock. Default 1. */
  readonly transactionMarkerDelayMs?: number;
  /** Maximum transaction timeout, in ms. Default 900000. */
  readonly transactionMaxTimeoutMs?: number;
  readonly groups?: GroupOptions;
  /** Makes brokers ask their clients for metrics. Default: they have no API for that, like real brokers without a receiver of metrics. */
  readonly clientMetrics?: ClientMetricsOptions;
  /** TLS on every listener; default plaintext. */
  readonly tls?: TlsSettings;
  /** The host on which nodes listen and that clients get. Default 127.0.0.1. */
  readonly host?: string;
}
