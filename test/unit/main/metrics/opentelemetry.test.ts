// Metrics in a meter of the real OpenTelemetry SDK.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Meter } from '@opentelemetry/api';
import {
  AggregationTemporality,
  DataPointType,
  MeterProvider,
  type MetricData,
  MetricReader,
} from '@opentelemetry/sdk-metrics';
import { exportToOpenTelemetry } from '../../../../src/main/metrics/opentelemetry.ts';
import { producerMetricDefinitions } from '../../../../src/main/metrics/producer-metrics.ts';
import { fakeClient } from './fake-metrics.ts';

class Reader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

let reader: Reader;
let provider: MeterProvider;
let meter: Meter;

function open(temporality: AggregationTemporality): void {
  reader = new Reader({ aggregationTemporalitySelector: () => temporality });
  provider = new MeterProvider({ readers: [reader] });
  meter = provider.getMeter('kafka');
}

beforeEach(() => open(AggregationTemporality.CUMULATIVE));

afterEach(() => provider.shutdown());

async function collect(): Promise<Map<string, MetricData>> {
  // What was read for the collection before is forgotten by then.
  await new Promise((resolve) => setImmediate(resolve));
  const { resourceMetrics, errors } = await reader.collect();
  assert.deepEqual(errors, []);
  return new Map(
    resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics.map((data) => [data.descriptor.name, data])),
  );
}

async function shown(name: string): Promise<Record<string, unknown>[]> {
  return points((await collect()).get(name)).map(({ attributes }) => ({ ...attributes }));
}

function points(data: MetricData | undefined): { attributes: object; value: unknown }[] {
  return (data?.dataPoints ?? []).map(({ attributes, value }) => ({ attributes, value }));
}

describe('OpenTelemetry', () => {
  test('shows totals as monotonic sums and the rest as gauges, in base units, with attributes', async () => {
    const client = fakeClient('orders', { 'request-total': 7, 'request-latency-avg': 250 });
    client.node('bootstrap-0', { 'outgoing-byte-total': 900 });
    exportToOpenTelemetry(client, meter);
    const all = await collect();
    const requests = all.get('kafka.client.request')!;
    assert.equal(requests.dataPointType, DataPointType.SUM);
    assert.ok(requests.dataPointType === DataPointType.SUM && requests.isMonotonic);
    assert.equal(requests.descriptor.unit, '{request}');
    assert.deepEqual(points(requests), [{ attributes: { 'messaging.client.id': 'orders' }, value: 7 }]);
    const latency = all.get('kafka.client.request.latency.avg')!;
    assert.equal(latency.dataPointType, DataPointType.GAUGE);
    assert.equal(latency.descriptor.unit, 's');
    assert.equal(points(latency)[0]!.value, 0.25);
    const bytes = all.get('kafka.client.node.outgoing.bytes')!;
    assert.equal(bytes.descriptor.unit, 'By');
    assert.deepEqual(points(bytes), [
      { attributes: { 'messaging.client.id': 'orders', 'kafka.node': 'bootstrap-0' }, value: 900 },
    ]);
  });

  test('each API has its metrics, and its latencies as cumulative buckets in seconds', async () => {
    const client = fakeClient('orders');
    client.api('Fetch', { 'request-total': 10 }, [3, 5, 2]);
    exportToOpenTelemetry(client, meter);
    const all = await collect();
    const attributes = { 'messaging.client.id': 'orders', 'kafka.api': 'Fetch' };
    assert.deepEqual(points(all.get('kafka.client.api.request')), [{ attributes, value: 10 }]);
    assert.deepEqual(points(all.get('kafka.client.api.request.latency.bucket')), [
      { attributes: { ...attributes, le: '0.001' }, value: 3 },
      { attributes: { ...attributes, le: '0.02' }, value: 8 },
      { attributes: { ...attributes, le: '+Inf' }, value: 10 },
    ]);
  });

  test('messages of topics are counted under the names of the conventions when they are asked for', async () => {
    const values = Object.fromEntries(producerMetricDefinitions.map(({ name }) => [name, 0]));
    const topic = { ...values, 'record-send-total': 12 };
    const producer = {
      metricsOrigin: { clientId: 'shop', metrics: true },
      metricsSnapshot: () => ({ producer: values, topics: new Map([['orders', topic]]) }),
    };
    exportToOpenTelemetry(producer, meter, { names: 'present' });
    const sent = (await collect()).get('messaging.client.sent.messages')!;
    assert.equal(sent.descriptor.unit, '{message}');
    assert.deepEqual(points(sent), [
      {
        attributes: {
          'messaging.system': 'kafka',
          'messaging.operation.name': 'send',
          'messaging.destination.name': 'orders',
          'messaging.client.id': 'shop',
        },
        value: 12,
      },
    ]);
    open(AggregationTemporality.CUMULATIVE);
    exportToOpenTelemetry(producer, meter, { names: 'former' });
    assert.equal((await collect()).has('messaging.client.sent.messages'), false);
  });

  test('names are valid and unique', async () => {
    const client = fakeClient('a');
    client.node('1', {});
    exportToOpenTelemetry(client, meter);
    const all = await collect();
    assert.ok(all.size > 40, `${all.size} instruments`);
    for (const name of all.keys()) assert.match(name, /^[a-z][a-z0-9.]{0,254}$/);
  });

  test('nodes that are gone and clients that stop are no longer shown', async () => {
    // A cumulative reader of this SDK repeats what was observed last, for ever.
    open(AggregationTemporality.DELTA);
    const first = fakeClient('a', { 'request-total': 1 });
    first.node('1', {});
    const stops = [first, fakeClient('a', { 'request-total': 2 })].map((client) =>
      exportToOpenTelemetry(client, meter),
    );
    const clientsShown = async () => (await shown('kafka.client.request')).map(({ 'messaging.client.id': id }) => id);
    assert.deepEqual(await clientsShown(), ['a', 'a-2']);
    first.nodes.clear();
    assert.deepEqual(await shown('kafka.client.node.request'), []);
    stops[0]!();
    assert.deepEqual(await clientsShown(), ['a-2']);
    stops[1]!();
    assert.deepEqual(await clientsShown(), []);
    const { reads } = first;
    await collect();
    assert.equal(first.reads, reads, 'the meter asks no more');
  });

  test('a meter shows the next client after one was removed', async () => {
    exportToOpenTelemetry(fakeClient('a'), meter)();
    exportToOpenTelemetry(fakeClient('b', { 'request-total': 4 }), meter);
    assert.deepEqual(points((await collect()).get('kafka.client.request')), [
      { attributes: { 'messaging.client.id': 'b' }, value: 4 },
    ]);
  });
});
