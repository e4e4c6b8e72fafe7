// Owns the export of metrics to `prom-client`. The caller passes the module, so it is not imported. Application thread.
// Source: Prometheus' naming rules: base units, unit last, `_total` at the end of counters.

import {
  type AnyMetricsSource,
  type ExportedMetric,
  labelsOfRow,
  type MetricsFamily,
  MetricsSources,
  nameWithoutUnit,
  SourcesByTarget,
  sourceOf,
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
  registerMetric(metric: object): void;
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

/** The histogram of the latencies of each API. */
const latencyName = 'kafka_client_api_request_latency_seconds';

const sourcesOf = new SourcesByTarget<MetricsSources>();

/**
 * Exports the metrics of a client, a producer or a consumer to a registry of `prom-client`. They are read from shared memory when the registry is collected:
 *
 *     import * as prom from 'prom-client';
 *     const stop = exportToPrometheus(client, prom);
 *
 * Names begin with `kafka_client_`, `kafka_client_node_`, `kafka_client_api_`, `kafka_producer_`, `kafka_producer_topic_`, `kafka_consumer_`,
 * `kafka_consumer_topic_` or `kafka_consumer_partition_`. Times are in seconds. The labels are `client_id`,  `node` for nodes, `api` for APIs, `topic`
 * for topics, `topic` and `partition` for partitions. Nodes that have left the cluster are not exported.
 * @returns a function that ends the export
 * Throws: TypeError for a client without `metrics`
 */
export function exportToPrometheus<Registry extends PromRegistry>(
  from: AnyMetricsSource,
  prom: PromClient<Registry>,
  { registry = prom.register, clientId }: PrometheusOptions<Registry> = {},
): () => void {
  const source = sourceOf(from);
  const { family } = source;
  const sources = sourcesOf.get(registry, family) ?? new MetricsSources();
  const label = sources.add(source, clientId);
  sourcesOf.set(registry, family, sources);
  for (const metric of family.metrics) {
    // Another client may have registered the metric already, unless the registry was cleared since then.
    if (registry.getSingleMetric(prometheusName(family, metric)) === undefined)
      register(prom, registry, sources, family, metric);
  }
  if (family.name === 'client' && registry.getSingleMetric(latencyName) === undefined)
    registry.registerMetric(latencyHistogram(sources));
  return () => sources.remove(label);
}

/** What prom-client calls a metric: its own Histogram only counts what is observed one by one. */
function latencyHistogram(sources: MetricsSources): object {
  const help = 'Time from request to response, of each API';
  const get = async (): Promise<object> => {
    const values: { metricName: string; labels: Labels; value: number }[] = [];
    for (const { clientId, api, histogram } of sources.latencies()) {
      const labels = { client_id: clientId, api };
      let count = 0;
      for (const [index, inBucket] of histogram.counts.entries()) {
        count += inBucket;
        const boundMs = histogram.boundsMs[index];
        const le = boundMs === undefined ? '+Inf' : String(boundMs / 1000);
        values.push({ metricName: `${latencyName}_bucket`, labels: { le, ...labels }, value: count });
      }
      values.push({ metricName: `${latencyName}_sum`, labels, value: histogram.sumMs / 1000 });
      values.push({ metricName: `${latencyName}_count`, labels, value: count });
    }
    return { name: latencyName, help, type: 'histogram', values, aggregator: 'sum' };
  };
  return { name: latencyName, help, type: 'histogram', aggregator: 'sum', get, reset: () => {} };
}

function register<Registry>(
  prom: PromClient<Registry>,
  registry: Registry,
  sources: MetricsSources,
  family: MetricsFamily,
  metric: ExportedMetric,
): void {
  const { definition, rowName } = metric;
  const common = {
    name: prometheusName(family, metric),
    help: definition.doc,
    labelNames: ['client_id', ...(rowName === null ? [] : labelsOfRow[rowName])],
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
    for (const { clientId, labels, value } of sources.samples(metric)) show({ client_id: clientId, ...labels }, value);
  }
}

function prometheusName({ name: of }: MetricsFamily, { definition, rowName }: ExportedMetric): string {
  const name = nameWithoutUnit(definition).replaceAll('-', '_');
  const { unit, kind } = definition;
  const isTime = unit === 's' || unit === 'ms' || unit === 'ns';
  const needsNoSuffix = unit === 'events' || unit === 'ratio' || name.endsWith('bytes');
  const suffix = isTime ? '_seconds' : needsNoSuffix ? '' : '_bytes';
  return `kafka_${of}_${rowName === null ? '' : `${rowName}_`}${name}${suffix}${kind === 'total' ? '_total' : ''}`;
}
