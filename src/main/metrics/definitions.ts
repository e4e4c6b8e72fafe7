// Owns the public types of definitions of metrics, which other rooms must not import from `state`. Application thread. Types only.

export type { MetricDefinition, MetricGroups, MetricValues } from '../../state/definitions/metric.ts';
