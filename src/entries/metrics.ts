// Owns the public names of `offthread-kafka/metrics`: the list of metrics, and the adapters. Application thread.

export {
  type MetricDefinition,
  type MetricGroups,
  type MetricsSnapshot,
  metricDefinitions,
} from '../main/metrics/client-metrics.ts';
export { exportToOpenTelemetry, type OpenTelemetryOptions } from '../main/metrics/opentelemetry.ts';
export { exportToPrometheus, type PrometheusOptions } from '../main/metrics/prometheus.ts';
