// Owns the public names of `offthread-kafka/metrics`: what metrics there are, and the adapters. The thread of the application.

export {
  type MetricDefinition,
  type MetricGroups,
  type MetricsSnapshot,
  metricDefinitions,
} from '../main/metrics/client-metrics.ts';
export { exportToOpenTelemetry, type OpenTelemetryOptions } from '../main/metrics/opentelemetry.ts';
export { exportToPrometheus, type PrometheusOptions } from '../main/metrics/prometheus.ts';
