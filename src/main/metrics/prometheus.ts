// Owns the export of metrics to `prom-client`. The caller passes the module, so it is not imported. Application thread.
// Source: Prometheus' naming rules: base units, unit last, `_total` at the end of counters.

import {
  type ExportedMetric,
  exportedMetrics,
  type MetricsSource,
  MetricsSources,
  nameWithoutUnit,
} from './metrics-source.ts';

type Labels = Record<string, string | number>;

interface PromMetric {
  reset(): void;
}

interface PromOptions<Registry> {
  name: string;
  help: string;
  labelNames: string[];
  registers: Registry[];
  collect(): void;
}

/** The used part of a registry. */
export interface PromRegistry {
  getSingleMetric(name: string): unknown;
}

/** The used part of the `prom-client` module. */
export interface PromClient<Registry> {
  readonly Counter: new (options: PromOptions<Registry>) => PromMetric & { inc(labels: Labels, value: number): void };
  readonly Gauge: new (options: PromOptions<Registry>) => PromMetric & { set(labels: Labels, value: number): void };
  readonly register: Registry;
}

export interface PrometheusOptions<Registry> {
  /** Default: prom-client's own. Clients may share one. */
  registry?: Registry;
  /** The label `client_id`. Default: the client's `clientId`, with a number if the registry has that label already. */
  clientId?: string;
}

const sourcesOf = new WeakMap<object, MetricsSources>();

/**
 * Exports a client's metrics to a registry of `prom-client`. They are read from shared memory when the registry is collected:
 *
 *     import * as prom from 'prom-client';
 *     const stop = exportToPrometheus(client, prom);
 *
 * Names begin with `kafka_client_` or `kafka_client_node_`. Times are in seconds. The labels are `client_id`, and `node` for nodes.
 * Nodes that have left the cluster are not exported.
 * @returns a function that ends the export of this client
 * Throws: TypeError for a client without `metrics`
 */
export function exportToPrometheus<Registry extends PromRegistry>(
  client: MetricsSource,
  prom: PromClient<Registry>,
  { registry = prom.register, clientId }: PrometheusOptions<Registry> = {},
): () => void {
  const sources = sourcesOf.get(registry) ?? new MetricsSources();
  const label = sources.add(client, clientId);
  sourcesOf.set(registry, sources);
  for (const metric of exportedMetrics) {
    // Another client may have registered the metric already, unless the registry was cleared since then.
    if (registry.getSingleMetric(prometheusName(metric)) === undefined) register(prom, registry, sources, metric);
  }
  return () => sources.remove(label);
}

function register<Registry>(
  prom: PromClient<Registry>,
  registry: Registry,
  sources: MetricsSources,
  metric: ExportedMetric,
): void {
  const { definition, isOfNodes } = metric;
  const common = {
    name: prometheusName(metric),
    help: definition.doc,
    labelNames: isOfNodes ? ['client_id', 'node'] : ['client_id'],
    registers: [registry],
  };
  if (definition.kind === 'total') {
    const counter = new prom.Counter({
      ...common,
      collect: () => collect(counter, (labels, value) => counter.inc(labels, value)),
    });
  } else {
    const gauge = new prom.Gauge({
      ...common,
      collect: () => collect(gauge, (labels, value) => gauge.set(labels, value)),
    });
  }
  function collect(target: PromMetric, show: (labels: Labels, value: number) => void): void {
    // All values are removed first: the last value of a node that has left must not stay.
    target.reset();
    for (const { clientId, node, value } of sources.samples(metric)) {
      show(node === undefined ? { client_id: clientId } : { client_id: clientId, node }, value);
    }
  }
}

function prometheusName({ definition, isOfNodes }: ExportedMetric): string {
  const name = nameWithoutUnit(definition).replaceAll('-', '_');
  const { unit, kind } = definition;
  const isTime = unit === 'ms' || unit === 'ns';
  const needsNoSuffix = unit === 'events' || unit === 'ratio' || name.endsWith('_bytes');
  const suffix = isTime ? '_seconds' : needsNoSuffix ? '' : '_bytes';
  return `kafka_client_${isOfNodes ? 'node_' : ''}${name}${suffix}${kind === 'total' ? '_total' : ''}`;
}
