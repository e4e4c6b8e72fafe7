// Owns what the adapters for other metrics systems share: the clients and producers of one registry or meter, a label for each, and one
// snapshot of each for all metrics that are read together. Application thread.

import { type MetricsSnapshot, metricDefinitions } from './client-metrics.ts';
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

/** What is measured: metrics of one thing, and of each of its rows. */
export interface MetricsFamily {
  readonly name: 'client' | 'producer';
  readonly rowName: 'node' | 'topic';
  readonly metrics: readonly ExportedMetric[];
}

/** A metric of clients or producers, or of their nodes or topics. */
export interface ExportedMetric {
  readonly definition: MetricDefinition;
  readonly isOfRows: boolean;
}

/** One value with its labels. */
export interface Sample {
  readonly clientId: string;
  /** Name of the node or topic. Undefined for the whole client or producer. */
  readonly row: string | undefined;
  readonly value: number;
}

interface Snapshot {
  readonly whole: MetricValues;
  readonly rows: ReadonlyMap<string, MetricValues>;
}

interface Source {
  readonly family: MetricsFamily;
  readonly clientId: string;
  readonly isOn: boolean;
  read(): Snapshot | null;
}

const clientFamily = familyOf('client', 'node', metricDefinitions);
const producerFamily = familyOf('producer', 'topic', producerMetricDefinitions);

/** Rates are left out: the other system computes them from totals. */
function familyOf(
  name: MetricsFamily['name'],
  rowName: MetricsFamily['rowName'],
  definitions: readonly MetricDefinition[],
): MetricsFamily {
  const metrics = definitions
    .filter(({ unit }) => !unit.endsWith('/s'))
    .flatMap((definition) => [
      ...(definition.scope === rowName ? [] : [{ definition, isOfRows: false }]),
      ...(definition.scope === name ? [] : [{ definition, isOfRows: true }]),
    ]);
  return { name, rowName, metrics };
}

/** Throws TypeError for what records no metrics. */
export function sourceOf(given: MetricsSource | ProducerMetricsSource): Source {
  const source = 'metricsOrigin' in given ? producerSource(given) : clientSource(given);
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
      return snapshot === null ? null : { whole: snapshot.client, rows: snapshot.nodes };
    },
  };
}

function producerSource(producer: ProducerMetricsSource): Source {
  const { clientId, metrics } = producer.metricsOrigin;
  return {
    family: producerFamily,
    clientId,
    isOn: metrics,
    read: () => {
      const snapshot = producer.metricsSnapshot();
      return snapshot === null ? null : { whole: snapshot.producer, rows: snapshot.topics };
    },
  };
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
    .replace(/-time-ns(?=-|$)/, '-time');
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

  *samples({ definition, isOfRows }: ExportedMetric): Generator<Sample> {
    const valueIn = (values: MetricValues): number => inBaseUnit(definition, values[definition.name]!);
    for (const [clientId, snapshot] of this.#snapshots()) {
      if (!isOfRows) yield { clientId, row: undefined, value: valueIn(snapshot.whole) };
      else for (const [row, values] of snapshot.rows) yield { clientId, row, value: valueIn(values) };
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
