// Owns the export of metrics to OpenTelemetry. The caller passes a meter, so no package of it is imported. Application thread.
// Source: OpenTelemetry's rules for instrument names, and UCUM for units.

import type { MetricDefinition } from './client-metrics.ts';
import {
  type ExportedMetric,
  exportedMetrics,
  type MetricsSource,
  MetricsSources,
  nameWithoutUnit,
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
}

const sourcesOf = new WeakMap<object, { sources: MetricsSources; stop: () => void }>();

/**
 * Exports a client's metrics by a meter of OpenTelemetry. They are read from shared memory when the meter's reader collects:
 *
 *     const stop = exportToOpenTelemetry(client, metrics.getMeter('kafka'));
 *
 * Names of instruments begin with `kafka.client.` or `kafka.client.node.`. Times are in seconds. The attributes are
 * `messaging.client.id`, and `kafka.node` for nodes. Nodes that have left the cluster are not exported.
 * @returns a function that ends the export of this client
 * Throws: TypeError for a client without `metrics`
 */
export function exportToOpenTelemetry<Instrument>(
  client: MetricsSource,
  meter: OpenTelemetryMeter<Instrument>,
  { clientId }: OpenTelemetryOptions = {},
): () => void {
  const known = sourcesOf.get(meter);
  const sources = known?.sources ?? new MetricsSources();
  const label = sources.add(client, clientId);
  const entry = known ?? { sources, stop: observe(meter, sources) };
  sourcesOf.set(meter, entry);
  return () => {
    sources.remove(label);
    if (!sources.isEmpty || sourcesOf.get(meter) !== entry) return;
    sourcesOf.delete(meter);
    entry.stop();
  };
}

function observe<Instrument>(meter: OpenTelemetryMeter<Instrument>, sources: MetricsSources): () => void {
  const instruments = exportedMetrics.map((metric) => ({ metric, instrument: createInstrument(meter, metric) }));
  const all = instruments.map(({ instrument }) => instrument);
  const callback = (result: Result<Instrument>): void => {
    for (const { metric, instrument } of instruments) {
      for (const { clientId, node, value } of sources.samples(metric)) {
        const attributes: Attributes = { 'messaging.client.id': clientId };
        if (node !== undefined) attributes['kafka.node'] = node;
        result.observe(instrument, value, attributes);
      }
    }
  };
  meter.addBatchObservableCallback(callback, all);
  return () => meter.removeBatchObservableCallback(callback, all);
}

function createInstrument<Instrument>(
  meter: OpenTelemetryMeter<Instrument>,
  { definition, isOfNodes }: ExportedMetric,
): Instrument {
  const name = `kafka.client.${isOfNodes ? 'node.' : ''}${nameWithoutUnit(definition).replaceAll('-', '.')}`;
  const options = { description: definition.doc, unit: ucum(definition) };
  if (definition.kind === 'total') return meter.createObservableCounter(name, options);
  return meter.createObservableGauge(name, options);
}

function ucum({ unit, name }: MetricDefinition): string {
  if (unit === 'bytes') return 'By';
  if (unit === 'ms' || unit === 'ns') return 's';
  return unit === 'ratio' ? '1' : `{${eventOf(name)}}`;
}

/** The name of the counted things, for UCUM's annotation. */
function eventOf(name: string): string {
  for (const event of ['request', 'response', 'connection', 'task', 'error']) if (name.includes(event)) return event;
  return 'event';
}
