// Owns what the adapters for other metrics systems share: the clients of one registry or meter, a label for each client, and one
// snapshot of each client for all metrics that are read together. Application thread.

import { type MetricDefinition, type MetricsSnapshot, type MetricValues, metricDefinitions } from './client-metrics.ts';

/** The part of a KafkaClient that an adapter needs. */
export interface MetricsSource {
  readonly config: { readonly clientId: string; readonly metrics: boolean };
  metricsSnapshot(): MetricsSnapshot | null;
}

/** One value with its labels. */
export interface Sample {
  readonly clientId: string;
  /** Undefined for the whole client. */
  readonly node: string | undefined;
  readonly value: number;
}

/** A metric of clients or of nodes. */
export interface ExportedMetric {
  readonly definition: MetricDefinition;
  readonly isOfNodes: boolean;
}

/** Rates are left out: the other system computes them from totals. */
export const exportedMetrics: readonly ExportedMetric[] = metricDefinitions
  .filter(({ unit }) => !unit.endsWith('/s'))
  .flatMap((definition) => [
    ...(definition.scope === 'node' ? [] : [{ definition, isOfNodes: false }]),
    ...(definition.scope === 'client' ? [] : [{ definition, isOfNodes: true }]),
  ]);

/** Converts times to seconds, the base unit of other systems. */
export function inBaseUnit({ unit }: MetricDefinition, value: number): number {
  if (unit === 'ms') return value / 1e3;
  return unit === 'ns' ? value / 1e9 : value;
}

/** The name without its unit. The other system adds the unit. */
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

  /** Adds a client. Returns its label: the id, with a number if another client has the same id. Throws TypeError if the client records no metrics. */
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

  /** One snapshot of each client is used for all metrics that are read together. */
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
