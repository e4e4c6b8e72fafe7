// Owns the public names of the package, and nothing else.

export type * from './common/admin/cluster.ts';
export type * from './common/admin/configs.ts';
export type * from './common/admin/groups.ts';
export type * from './common/admin/operations.ts';
export type { AdminCallOptions } from './common/admin/outcome.ts';
export type * from './common/admin/security.ts';
export type {
  CreatedTopic,
  DescribedPartition,
  DescribedTopic,
  Int64Input,
  ListedOffset,
  ListedTopic,
  NewPartitions,
  NewTopic,
  OffsetSpec,
  RecordsToDelete,
  TopicById,
  TopicConfig,
  TopicNameOrId,
  TopicPartitionKey,
} from './common/admin/topics.ts';
export {
  consumeChannelName,
  eventChannelName,
  produceChannelName,
  requestChannelName,
} from './common/channel-names.ts';
export { type ClientMemory, type MemoryPart, type MemoryPartName, memoryParts } from './common/client-memory.ts';
export type { BootstrapServer } from './common/config/bootstrap-servers.ts';
export { configOptions, type KafkaClientConfig, type KafkaClientOptions } from './common/config/config.ts';
export type { ConfigOption } from './common/config/config-kinds.ts';
export { type ConsumerConfig, consumerOptions } from './common/config/consumer-config.ts';
export type { OidcOptions } from './common/config/oidc-options.ts';
export * from './common/errors/errors.ts';
export type { LogFields, Logger, LogLevel, RequestFacts } from './common/logger.ts';
export { oidcTokenProvider } from './common/oidc-token-provider.ts';
export type { Secret } from './common/secret.ts';
export type { TokenProvider, TokenProviderInput, TokenSource } from './common/token-provider.ts';
export { Admin } from './main/admin/admin.ts';
export type { AdminOptions, ChangeCallOptions } from './main/admin/admin-calls.ts';
export { Listing } from './main/admin/listing.ts';
export { type Outcome, Results } from './main/admin/results.ts';
export type {
  ApiVersionRange,
  AttachOptions,
  AwaitOptions,
  AwaitReadyOptions,
  CheckVersionOptions,
  ClientHandle,
  PollOptions,
  SendOptions,
  StartOptions,
} from './main/client/client-options.ts';
export {
  type BrokerMetadata,
  Cluster,
  type PartitionInput,
  type PartitionMetadata,
  type TopicPartition,
} from './main/client/cluster.ts';
export { ClientInspection, type InspectedConnection, type InspectedLink } from './main/client/inspection.ts';
export type { ConsumerBatch } from './main/consumer/consumer-batch.ts';
export type { ConsumerListeners } from './main/consumer/consumer-events.ts';
export type { ConsumerHandle } from './main/consumer/consumer-handle.ts';
export type { CommitReport, CommittedOffset, OffsetOfTime } from './main/consumer/consumer-offsets.ts';
export type {
  ConsumerOptions,
  ConsumerPollOptions,
  OffsetOf,
  PlaceInLog,
  TopicPartitionOffset,
} from './main/consumer/consumer-options.ts';
export type {
  DeserializedRecord,
  Deserializer,
  Deserializers,
  RecordOrigin,
} from './main/consumer/deserialized.ts';
export type { RunOptions } from './main/consumer/run.ts';
export type { BatchOutcome, ConsumeTrace } from './main/consumer/tracing.ts';
export { type CloseOptions, Consumer } from './main/consumer.ts';
export { KafkaClient } from './main/kafka-client.ts';
export { Future } from './main/link/future.ts';
export type { LatencyHistogram } from './main/metrics/api-metrics.ts';
export { type MetricsSnapshot, metricDefinitions } from './main/metrics/client-metrics.ts';
export { type ConsumerMetricsSnapshot, consumerMetricDefinitions } from './main/metrics/consumer-metrics.ts';
export type { MetricDefinition, MetricGroups } from './main/metrics/definitions.ts';
export type { MessagingNames } from './main/metrics/messaging-conventions.ts';
export { exportToOpenTelemetry, type OpenTelemetryOptions } from './main/metrics/opentelemetry.ts';
export { type OpenTelemetryApi, type SpansOptions, traceToOpenTelemetry } from './main/metrics/opentelemetry-spans.ts';
export { type ProducerMetricsSnapshot, producerMetricDefinitions } from './main/metrics/producer-metrics.ts';
export { exportToPrometheus, type PrometheusOptions } from './main/metrics/prometheus.ts';
export type { ProducerHandle } from './main/producer/producer-handle.ts';
export type {
  AttachedProducerOptions,
  DeliveryReport,
  FlushOptions,
  GroupAppender,
  Partitioner,
  ProducerCounters,
  ProducerHooks,
  ProducerOptions,
  ProducerRecord,
  RecordFailure,
  RecordMetadata,
  RecordsSource,
  SendAllOptions,
  SendRecordOptions,
  Serializer,
} from './main/producer/producer-types.ts';
export type { BytesInput, HeadersInput } from './main/producer/record-input.ts';
export type { ProduceTrace } from './main/producer/tracing.ts';
export { type GroupOffsets, type OffsetInput, type OffsetsSource, Transaction } from './main/producer/transaction.ts';
export { Producer } from './main/producer.ts';
export type { ClientEvent, RequestEvent } from './main/thread/diagnostics.ts';
export type { Api } from './protocol/flat/api.ts';
export type { FlatArray } from './protocol/flat/flat-view.ts';
export * from './protocol/flat/generated/apis.ts';
export type { Int64 } from './protocol/flat/inputs.ts';
export {
  type AbortedTransaction,
  committedRanges,
  committedRecords,
  type RecordRange,
} from './protocol/flat/records/aborted-transactions.ts';
export type { RecordBatchView } from './protocol/flat/records/record-batch-view.ts';
export type { RecordCursor } from './protocol/flat/records/record-cursor.ts';
export type { RecordHeader } from './protocol/flat/records/record-headers.ts';
export type { RecordsView, RecordView } from './protocol/flat/records/record-view.ts';
export type {
  RecordBatchInput,
  RecordBytes,
  RecordHeadersInput,
  RecordInput,
  RecordsCallback,
  RecordsInput,
  RecordWriter,
} from './protocol/flat/records/record-writer.ts';
export type { CompressionType } from './protocol/flat/records/records-slot.ts';
