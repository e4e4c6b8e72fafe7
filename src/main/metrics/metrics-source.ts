// Owns what the adapters for other metrics systems share: the clients, producers and consumers of one registry or meter, a label for each, and one
// snapshot of each for all metrics that are read together. Application thread.

import type { LatencyHistogram } from './api-metrics.ts';
import { type MetricsSnapshot, metricDefinitions } from './client-metrics.ts';
import { type ConsumerMetricsSnapshot, consumerMetricDefinitions } from './consumer-metrics.ts';
import type { MetricDefinition, MetricValues } from './definitions.ts';
import { type ProducerMetricsSnapshot, producerMetricDefinitions } from './producer-metrics.ts';

/** The part of a KafkaClient that an adapter needs. */
export interface MetricsSource {
  readonly config: { readonly clientId: string; readonly metrics: boolean };
  metricsSnapshot(): MetricsSnapshot | null;
}

/** The part of a Producer that an adapter needs. */
export interface ProducerMetricsSource {
  /** Of the client that it belongs to. */
  readonly metricsOrigin: { readonly clientId: string; readonly metrics: boolean };
  metricsSnapshot(): ProducerMetricsSnapshot | null;
}

/** The part of a Consumer that an adapter needs. */
export interface ConsumerMetricsSource {
  /** Of the client that it belongs to. */
  readonly metricsOrigin: { readonly clientId: string; readonly metrics: boolean };
  metricsSnapshot(): ConsumerMetricsSnapshot | null;
}

/** Whatever has metrics. */
export type AnyMetricsSource = MetricsSource | ProducerMetricsSource | ConsumerMetricsSource;

/** The things that one client, producer or consumer has many of. */
export type RowName = 'node' | 'api' | 'topic' | 'partition';

/** What is measured: metrics of one thing, and of each of its rows. */
export interface MetricsFamily {
  readonly name: 'client' | 'producer' | 'consumer';
  readonly metrics: readonly ExportedMetric[];
}

/** A metric of clients, producers or consumers; or of their rows. */
export interface ExportedMetric {
  readonly definition: MetricDefinition;
  /** Null: of the whole. */
  readonly rowName: RowName | null;
}

/** The labels that a row has. */
export const labelsOfRow = {
  node: ['node'],
  api: ['api'],
  topic: ['topic'],
  partition: ['topic', 'partition'],
} as const;

/** Labels of a node, an API, a topic or a partition. */
export type RowLabels = Readonly<Partial<Record<RowName, string>>>;

/** One value with its labels. */
export interface Sample {
  readonly clientId: string;
  /** None for the whole client, producer or consumer. */
  readonly labels: RowLabels;
  readonly value: number;
}

interface Row {
  readonly labels: RowLabels;
  readonly values: MetricValues;
}

interface Snapshot {
  readonly whole: MetricValues;
  readonly rows: Readonly<Partial<Record<RowName, readonly Row[]>>>;
  /** By API; none of producers and consumers. */
  readonly latencies?: ReadonlyMap<string, LatencyHistogram>;
}

interface Source {
  readonly family: MetricsFamily;
  readonly clientId: string;
  readonly isOn: boolean;
  read(): Snapshot | null;
}

const clientFamily = familyOf('client', 'node', metricDefinitions);
const producerFamily = familyOf('producer', 'topic', producerMetricDefinitions);
const consumerFamily = familyOf('consumer', 'topic', consumerMetricDefinitions);

/**
 * Rates are left out: the other system computes them from totals.
 * @param both the rows of metrics with scope `both`
 */
function familyOf(name: MetricsFamily['name'], both: RowName, definitions: readonly MetricDefinition[]): MetricsFamily {
  const metrics = definitions
    .filter(({ unit }) => !unit.endsWith('/s'))
    .flatMap((definition): ExportedMetric[] => {
      const { scope } = definition;
      if (scope === name) return [{ definition, rowName: null }];
      if (scope !== 'both') return [{ definition, rowName: scope as RowName }];
      return [
        { definition, rowName: null },
        { definition, rowName: both },
      ];
    });
  return { name, metrics };
}

/** Throws TypeError for what records no metrics. */
export function sourceOf(given: AnyMetricsSource): Source {
  const source = 'metricsOrigin' in given ? roleSource(given) : clientSource(given);
  if (!source.isOn) throw new TypeError('this client records no metrics: start it with `metrics: true`');
  return source;
}

function clientSource(client: MetricsSource): Source {
  return {
    family: clientFamily,
    clientId: client.config.clientId,
    isOn: client.config.metrics,
    read: () => {
      const snapshot = client.metricsSnapshot();
      if (snapshot === null) return null;
      const { client: whole, nodes, apis, latencies } = snapshot;
      return { whole, rows: { node: rowsOf('node', nodes), api: rowsOf('api', apis) }, latencies };
    },
  };
}

function roleSource(role: ProducerMetricsSource | ConsumerMetricsSource): Source {
  const { clientId, metrics } = role.metricsOrigin;
  return {
    family: isConsumer(role) ? consumerFamily : producerFamily,
    clientId,
    isOn: metrics,
    read: () => {
      const snapshot = role.metricsSnapshot();
      if (snapshot === null) return null;
      const topic = rowsOf('topic', snapshot.topics);
      if ('producer' in snapshot) return { whole: snapshot.producer, rows: { topic } };
      const partition = snapshot.partitions.map(({ topic: name, partition: index, values }) => {
        return { labels: { topic: name, partition: String(index) }, values };
      });
      return { whole: snapshot.consumer, rows: { topic, partition } };
    },
  };
}

/** A consumer is what has an assignment. */
function isConsumer(role: ProducerMetricsSource | ConsumerMetricsSource): role is ConsumerMetricsSource {
  return 'assignment' in role;
}

function rowsOf(name: RowName, values: ReadonlyMap<string, MetricValues>): Row[] {
  return [...values].map(([row, ofRow]) => ({ labels: { [name]: row }, values: ofRow }));
}

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
    .replace(/^bytes?(?=-|$)/, 'bytes')
    .replace(/-time-ns(?=-|$)/, '-time')
    .replace(/-seconds(?=-ago$)/, '');
}

/** The sources of one family in one registry or meter. */
export class MetricsSources {
  readonly #sources = new Map<string, Source>();
  #read: Map<string, Snapshot> | null = null;

  get isEmpty(): boolean {
    return this.#sources.size === 0;
  }

  /** Adds a source. Returns its label: the id, with a number if another one has the same id. */
  add(source: Source, clientId: string = source.clientId): string {
    let label = clientId;
    for (let i = 2; this.#sources.has(label); i++) label = `${clientId}-${i}`;
    this.#sources.set(label, source);
    return label;
  }

  remove(label: string): void {
    this.#sources.delete(label);
    this.#read?.delete(label);
  }

  *samples({ definition, rowName }: ExportedMetric): Generator<Sample> {
    const valueIn = (values: MetricValues): number => inBaseUnit(definition, values[definition.name]!);
    for (const [clientId, { whole, rows }] of this.#snapshots()) {
      if (rowName === null) yield { clientId, labels: {}, value: valueIn(whole) };
      else for (const { labels, values } of rows[rowName] ?? []) yield { clientId, labels, value: valueIn(values) };
    }
  }

  /** The latencies of each API. */
  *latencies(): Generator<{ readonly clientId: string; readonly api: string; readonly histogram: LatencyHistogram }> {
    for (const [clientId, { latencies }] of this.#snapshots()) {
      for (const [api, histogram] of latencies ?? []) yield { clientId, api, histogram };
    }
  }

  /** One snapshot of each source is used for all metrics that are read together. */
  #snapshots(): Map<string, Snapshot> {
    if (this.#read !== null) return this.#read;
    const read = new Map<string, Snapshot>();
    for (const [label, source] of this.#sources) {
      const snapshot = source.read();
      if (snapshot !== null) read.set(label, snapshot);
    }
    this.#read = read;
    setImmediate(() => {
      this.#read = null;
    }).unref();
    return read;
  }
}

/** The sources of each family, for every registry or meter. */
export class SourcesByTarget<Entry> {
  readonly #entries = new WeakMap<object, Map<MetricsFamily, Entry>>();

  get(target: object, family: MetricsFamily): Entry | undefined {
    return this.#entries.get(target)?.get(family);
  }

  set(target: object, family: MetricsFamily, entry: Entry): void {
    const ofTarget = this.#entries.get(target) ?? new Map<MetricsFamily, Entry>();
    ofTarget.set(family, entry);
    this.#entries.set(target, ofTarget);
  }

  delete(target: object, family: MetricsFamily): void {
    this.#entries.get(target)?.delete(family);
  }
}
