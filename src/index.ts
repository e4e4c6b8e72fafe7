// Owns the public names of the package, and nothing else.

export type { BootstrapServer } from './common/bootstrap-servers.ts';
export { configOptions, type KafkaClientConfig, type KafkaClientOptions } from './common/config.ts';
export type { ConfigOption } from './common/config-kinds.ts';
export * from './common/errors.ts';
export type { LogFields, Logger } from './common/logger.ts';
export type { OidcOptions } from './common/oidc-options.ts';
export { oidcTokenProvider } from './common/oidc-token-provider.ts';
export type { Secret } from './common/secret.ts';
export type { TokenProvider, TokenProviderInput, TokenSource } from './common/token-provider.ts';
export type { ApiVersionRange, CheckVersionOptions, PollOptions, SendOptions } from './main/client-options.ts';
export {
  type BrokerMetadata,
  Cluster,
  type PartitionInput,
  type PartitionMetadata,
  type TopicPartition,
} from './main/cluster.ts';
export { Future } from './main/future.ts';
export { KafkaClient } from './main/kafka-client.ts';
export { type MetricDefinition, type MetricGroups, type MetricsSnapshot, metricDefinitions } from './main/metrics.ts';
export { exportToOpenTelemetry, type OpenTelemetryOptions } from './main/opentelemetry.ts';
export { exportToPrometheus, type PrometheusOptions } from './main/prometheus.ts';
export type { Api } from './protocol/flat/api.ts';
export type { FlatArray } from './protocol/flat/flat-view.ts';
export * from './protocol/flat/generated/apis.ts';
export type { Int64 } from './protocol/flat/inputs.ts';
export type { RecordBatchView } from './protocol/flat/record-batch-view.ts';
export type { RecordCursor } from './protocol/flat/record-cursor.ts';
export type { RecordHeader } from './protocol/flat/record-headers.ts';
export type { RecordsView, RecordView } from './protocol/flat/record-view.ts';
export type {
  RecordBatchInput,
  RecordBytes,
  RecordHeadersInput,
  RecordInput,
  RecordsCallback,
  RecordsInput,
  RecordWriter,
} from './protocol/flat/record-writer.ts';
export type { CompressionType } from './protocol/flat/records-slot.ts';
