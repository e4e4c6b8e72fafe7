// Owns the public names of `offthread-kafka/metrics`: the list of metrics, and the adapters. Application thread.

export { type MetricsSnapshot, metricDefinitions } from '../main/metrics/client-metrics.ts';
export { type ConsumerMetricsSnapshot, consumerMetricDefinitions } from '../main/metrics/consumer-metrics.ts';
export type { MetricDefinition, MetricGroups } from '../main/metrics/definitions.ts';
export { exportToOpenTelemetry, type OpenTelemetryOptions } from '../main/metrics/opentelemetry.ts';
export { type ProducerMetricsSnapshot, producerMetricDefinitions } from '../main/metrics/producer-metrics.ts';
export { exportToPrometheus, type PrometheusOptions } from '../main/metrics/prometheus.ts';
