// Owns the public names of the package, and nothing else.

export type { BootstrapServer } from './common/bootstrap-servers.ts';
export { type ConfigOption, configOptions, type KafkaClientConfig, type KafkaClientOptions } from './common/config.ts';
export * from './common/errors.ts';
export { type BrokerMetadata, Cluster, type PartitionMetadata, type TopicPartition } from './main/cluster.ts';
export { Future } from './main/future.ts';
export { type ApiVersionRange, KafkaClient, type PollOptions, type SendOptions } from './main/kafka-client.ts';
export type { Api } from './protocol/flat/api.ts';
export { BrokerError, errorFor } from './protocol/flat/broker-error.ts';
export type { FlatArray } from './protocol/flat/flat-view.ts';
export * from './protocol/flat/generated/apis.ts';
