// Owns the public names of `offthread-kafka/metrics`: the list of metrics, and the adapters. Application thread.

export type { LatencyHistogram } from '../main/metrics/api-metrics.ts';
export { type MetricsSnapshot, metricDefinitions } from '../main/metrics/client-metrics.ts';
export { type ConsumerMetricsSnapshot, consumerMetricDefinitions } from '../main/metrics/consumer-metrics.ts';
export type { MetricDefinition, MetricGroups } from '../main/metrics/definitions.ts';
export type { MessagingNames } from '../main/metrics/messaging-conventions.ts';
export { exportToOpenTelemetry, type OpenTelemetryOptions } from '../main/metrics/opentelemetry.ts';
export { type OpenTelemetryApi, type SpansOptions, traceToOpenTelemetry } from '../main/metrics/opentelemetry-spans.ts';
export { type ProducerMetricsSnapshot, producerMetricDefinitions } from '../main/metrics/producer-metrics.ts';
export { exportToPrometheus, type PrometheusOptions } from '../main/metrics/prometheus.ts';
