// Owns what adapters of metrics to other systems share: the clients whose metrics one registry or meter shows, each under a
// label of its own, and one reading of each client for everything that is asked for at once. Application thread.

import { type MetricDefinition, type MetricsSnapshot, type MetricValues, metricDefinitions } from './client-metrics.ts';

/** What an adapter needs of a KafkaClient. */
export interface MetricsSource {
  readonly config: { readonly clientId: string; readonly metrics: boolean };
  metricsSnapshot(): MetricsSnapshot | null;
}

/** One value with what tells it from others of its metric. */
export interface Sample {
  readonly clientId: string;
  /** Undefined for the whole client. */
  readonly node: string | undefined;
  readonly value: number;
}

/** Metrics of one kind of rows: of clients, or of their nodes. */
export interface ExportedMetric {
  readonly definition: MetricDefinition;
  readonly isOfNodes: boolean;
}

/** Rates are left to the other system, which makes them of totals as it likes. */
export const exportedMetrics: readonly ExportedMetric[] = metricDefinitions
  .filter(({ unit }) => !unit.endsWith('/s'))
  .flatMap((definition) => [
    ...(definition.scope === 'node' ? [] : [{ definition, isOfNodes: false }]),
    ...(definition.scope === 'client' ? [] : [{ definition, isOfNodes: true }]),
  ]);

/** In seconds what is a time, as other systems want it. */
export function inBaseUnit({ unit }: MetricDefinition, value: number): number {
  if (unit === 'ms') return value / 1e3;
  return unit === 'ns' ? value / 1e9 : value;
}

/** The name without its unit: that is the other system's to add. */
export function nameWithoutUnit({ name }: MetricDefinition): string {
  return name
    .replace(/-total$/, '')
    .replace(/-bytes?(?=-|$)/, '-bytes')
    .replace(/-time-ns(?=-|$)/, '-time');
}

export class MetricsSources {
  readonly #clients = new Map<string, MetricsSource>();
  #read: Map<string, MetricsSnapshot> | null = null;

  get isEmpty(): boolean {
    return this.#clients.size === 0;
  }

  /** Throws TypeError unless the client records metrics. Returns the label; a number tells clients of one id apart. */
  add(client: MetricsSource, clientId: string = client.config.clientId): string {
    if (!client.config.metrics) {
      throw new TypeError('this client records no metrics: start it with `metrics: true`');
    }
    let label = clientId;
    for (let i = 2; this.#clients.has(label); i++) label = `${clientId}-${i}`;
    this.#clients.set(label, client);
    return label;
  }

  remove(label: string): void {
    this.#clients.delete(label);
    this.#read?.delete(label);
  }

  *samples({ definition, isOfNodes }: ExportedMetric): Generator<Sample> {
    const valueIn = (values: MetricValues): number => inBaseUnit(definition, values[definition.name]!);
    for (const [clientId, snapshot] of this.#snapshots()) {
      if (!isOfNodes) yield { clientId, node: undefined, value: valueIn(snapshot.client) };
      else for (const [node, values] of snapshot.nodes) yield { clientId, node, value: valueIn(values) };
    }
  }

  /** Read once for all metrics that are asked for in one go: they belong together. */
  #snapshots(): Map<string, MetricsSnapshot> {
    if (this.#read !== null) return this.#read;
    const read = new Map<string, MetricsSnapshot>();
    for (const [label, client] of this.#clients) {
      const snapshot = client.metricsSnapshot();
      if (snapshot !== null) read.set(label, snapshot);
    }
    this.#read = read;
    setImmediate(() => {
      this.#read = null;
    }).unref();
    return read;
  }
}
