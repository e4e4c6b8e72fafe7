// Owns the export of metrics to OpenTelemetry. The caller passes a meter, so no package of it is imported. Application thread.
// Source: OpenTelemetry's rules for instrument names, and UCUM for units.

import type { MetricDefinition } from './definitions.ts';
import { type MessagingNames, messagingNamesOf } from './messaging-conventions.ts';
import {
  type AnyMetricsSource,
  type ExportedMetric,
  type MetricsFamily,
  MetricsSources,
  nameWithoutUnit,
  type RowName,
  SourcesByTarget,
  sourceOf,
} from './metrics-source.ts';

type Attributes = Record<string, string>;

interface Result<Instrument> {
  observe(instrument: Instrument, value: number, attributes: Attributes): void;
}

interface InstrumentOptions {
  description: string;
  unit: string;
}

/** The used part of a meter of `@opentelemetry/api`. */
export interface OpenTelemetryMeter<Instrument> {
  createObservableCounter(name: string, options: InstrumentOptions): Instrument;
  createObservableGauge(name: string, options: InstrumentOptions): Instrument;
  addBatchObservableCallback(callback: (result: Result<Instrument>) => void, instruments: Instrument[]): void;
  removeBatchObservableCallback(callback: (result: Result<Instrument>) => void, instruments: Instrument[]): void;
}

export interface OpenTelemetryOptions {
  /** The attribute `messaging.client.id`. Default: the client's `clientId`. */
  clientId?: string;
  /**
   * With `present` or `both` there are also the counters of the conventions, `messaging.client.sent.messages` and
   * `messaging.client.consumed.messages`, by topic. Default: what OTEL_SEMCONV_STABILITY_OPT_IN asks for; `former` without it.
   */
  names?: MessagingNames;
}

const attributeOf: Readonly<Record<RowName, string>> = {
  node: 'kafka.node',
  api: 'kafka.api',
  topic: 'messaging.destination.name',
  partition: 'messaging.destination.partition.id',
};

const bucketsName = 'kafka.client.api.request.latency.bucket';
const bucketsOptions = {
  description: 'Responses that came within the seconds of the attribute `le`',
  unit: '{response}',
};

const sourcesOf = new SourcesByTarget<{ sources: MetricsSources; stop: () => void }>();

/**
 * Exports the metrics of a client, a producer or a consumer by a meter of OpenTelemetry. They are read from shared memory when the meter's reader collects:
 *
 *     const stop = exportToOpenTelemetry(client, metrics.getMeter('kafka'));
 *
 * Names of instruments begin with `kafka.client.`, `kafka.client.node.`, `kafka.client.api.`, `kafka.producer.`, `kafka.producer.topic.`, `kafka.consumer.`,
 * `kafka.consumer.topic.` or `kafka.consumer.partition.`. Times are in seconds. The attributes are `messaging.client.id`, and
 * `kafka.node` for nodes, `kafka.api` for APIs, `messaging.destination.name` for topics and partitions, `messaging.destination.partition.id` for partitions. Nodes that have left the cluster are not exported.
 * @returns a function that ends the export of this client
 * Throws: TypeError for a client without `metrics`
 */
export function exportToOpenTelemetry<Instrument>(
  from: AnyMetricsSource,
  meter: OpenTelemetryMeter<Instrument>,
  { clientId, names = messagingNamesOf(process.env.OTEL_SEMCONV_STABILITY_OPT_IN) }: OpenTelemetryOptions = {},
): () => void {
  const source = sourceOf(from);
  const { family } = source;
  const known = sourcesOf.get(meter, family);
  const sources = known?.sources ?? new MetricsSources();
  const label = sources.add(source, clientId);
  const entry = known ?? { sources, stop: observe(meter, sources, family, names) };
  sourcesOf.set(meter, family, entry);
  return () => {
    sources.remove(label);
    if (!sources.isEmpty || sourcesOf.get(meter, family) !== entry) return;
    sourcesOf.delete(meter, family);
    entry.stop();
  };
}

function observe<Instrument>(
  meter: OpenTelemetryMeter<Instrument>,
  sources: MetricsSources,
  family: MetricsFamily,
  names: MessagingNames,
): () => void {
  const instruments = family.metrics.map((metric) => ({ metric, instrument: createInstrument(meter, family, metric) }));
  const buckets = family.name === 'client' ? meter.createObservableCounter(bucketsName, bucketsOptions) : null;
  const messages = names === 'former' ? null : createMessages(meter, family);
  const others = [buckets, messages?.instrument ?? null].filter((instrument) => instrument !== null);
  const all = [...instruments.map(({ instrument }) => instrument), ...others];
  const callback = (result: Result<Instrument>): void => {
    for (const { metric, instrument } of instruments) {
      for (const { clientId, labels, value } of sources.samples(metric)) {
        const attributes: Attributes = { 'messaging.client.id': clientId };
        for (const [label, text] of Object.entries(labels)) attributes[attributeOf[label as RowName]] = text;
        result.observe(instrument, value, attributes);
      }
    }
    if (buckets !== null) observeBuckets(result, buckets, sources);
    if (messages !== null) observeMessages(result, messages, sources);
  };
  meter.addBatchObservableCallback(callback, all);
  return () => meter.removeBatchObservableCallback(callback, all);
}

interface Messages<Instrument> {
  readonly instrument: Instrument;
  readonly metric: ExportedMetric;
  readonly operation: string;
}

/** The counter of the conventions that says how many messages there were. Null: a client has none. */
function createMessages<Instrument>(
  meter: OpenTelemetryMeter<Instrument>,
  { name: of, metrics }: MetricsFamily,
): Messages<Instrument> | null {
  if (of === 'client') return null;
  const [total, name, operation, description] =
    of === 'producer'
      ? (['record-send-total', 'sent', 'send', 'Messages that the producer sent'] as const)
      : (['records-consumed-total', 'consumed', 'poll', 'Messages that the application got'] as const);
  const metric = metrics.find(({ definition, rowName }) => definition.name === total && rowName === 'topic')!;
  const options = { description, unit: '{message}' };
  return { instrument: meter.createObservableCounter(`messaging.client.${name}.messages`, options), metric, operation };
}

function observeMessages<Instrument>(
  result: Result<Instrument>,
  { instrument, metric, operation }: Messages<Instrument>,
  sources: MetricsSources,
): void {
  for (const { clientId, labels, value } of sources.samples(metric)) {
    result.observe(instrument, value, {
      'messaging.system': 'kafka',
      'messaging.operation.name': operation,
      'messaging.destination.name': labels.topic ?? '',
      'messaging.client.id': clientId,
    });
  }
}

/** OpenTelemetry has no histogram that is read from outside: each bucket is a counter, cumulative as Prometheus has them. */
function observeBuckets<Instrument>(result: Result<Instrument>, buckets: Instrument, sources: MetricsSources): void {
  for (const { clientId, api, histogram } of sources.latencies()) {
    let count = 0;
    for (const [index, inBucket] of histogram.counts.entries()) {
      count += inBucket;
      const boundMs = histogram.boundsMs[index];
      const le = boundMs === undefined ? '+Inf' : String(boundMs / 1000);
      result.observe(buckets, count, { 'messaging.client.id': clientId, [attributeOf.api]: api, le });
    }
  }
}

function createInstrument<Instrument>(
  meter: OpenTelemetryMeter<Instrument>,
  { name: of }: MetricsFamily,
  { definition, rowName }: ExportedMetric,
): Instrument {
  const name = `kafka.${of}.${rowName === null ? '' : `${rowName}.`}${nameWithoutUnit(definition).replaceAll('-', '.')}`;
  const options = { description: definition.doc, unit: ucum(definition) };
  if (definition.kind === 'total') return meter.createObservableCounter(name, options);
  return meter.createObservableGauge(name, options);
}

function ucum({ unit, name }: MetricDefinition): string {
  if (unit === 'bytes') return 'By';
  if (unit === 's' || unit === 'ms' || unit === 'ns') return 's';
  return unit === 'ratio' ? '1' : `{${eventOf(name)}}`;
}

/** The name of the counted things, for UCUM's annotation. */
function eventOf(name: string): string {
  for (const event of ['request', 'response', 'connection', 'task', 'error', 'record', 'batch'])
    if (name.includes(event)) return event;
  return 'event';
}
