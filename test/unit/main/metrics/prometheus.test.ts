// Metrics in a registry of the real prom-client.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as prom from 'prom-client';
import type { MetricsSnapshot } from '../../../../src/main/metrics/client-metrics.ts';
import { exportToPrometheus } from '../../../../src/main/metrics/prometheus.ts';
import { fakeClient } from './fake-metrics.ts';

async function lines(registry: prom.Registry): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('prom-client', () => {
  test('shows totals as counters and the rest as gauges, in base units, with labels', async () => {
    const registry = new prom.Registry();
    const client = fakeClient('orders', { 'request-total': 7, 'request-latency-avg': 250, 'io-time-ns-max': 3e6 });
    client.node('1', { 'outgoing-byte-total': 900, 'request-size-avg': 12 });
    exportToPrometheus(client, prom, { registry });
    const text = await registry.metrics();
    for (const expected of [
      '# TYPE kafka_client_request_total counter',
      'kafka_client_request_total{client_id="orders"} 7',
      '# TYPE kafka_client_request_latency_avg_seconds gauge',
      'kafka_client_request_latency_avg_seconds{client_id="orders"} 0.25',
      'kafka_client_io_time_max_seconds{client_id="orders"} 0.003',
      'kafka_client_node_outgoing_bytes_total{client_id="orders",node="1"} 900',
      'kafka_client_node_request_size_avg_bytes{client_id="orders",node="1"} 12',
    ]) {
      assert.ok(text.split('\n').includes(expected), `${expected} in\n${text}`);
    }
  });

  test('names are valid and contain their unit', async () => {
    const registry = new prom.Registry();
    exportToPrometheus(fakeClient('a'), prom, { registry });
    const metrics = await registry.getMetricsAsJSON();
    assert.ok(metrics.length > 40, `${metrics.length} metrics`);
    for (const { name, type } of metrics) {
      assert.match(name, /^kafka_client_[a-z]+(_[a-z0-9]+)*$/);
      assert.equal(name.endsWith('_total'), String(type) === 'counter', name);
      assert.doesNotMatch(name, /_ms|_ns|byte_|_rate/);
      assert.equal(/latency|time_(avg|max)/.test(name), name.endsWith('_seconds'), name);
    }
  });

  test('the latencies of each API are a histogram, with cumulative buckets in seconds', async () => {
    const registry = new prom.Registry();
    const client = fakeClient('a');
    client.api('Fetch', { 'request-total': 10, 'request-latency-p99': 40 }, [3, 5, 2]);
    exportToPrometheus(client, prom, { registry });
    exportToPrometheus(fakeClient('b'), prom, { registry });
    const text = (await registry.metrics()).split('\n');
    for (const expected of [
      '# TYPE kafka_client_api_request_latency_seconds histogram',
      'kafka_client_api_request_latency_seconds_bucket{le="0.001",client_id="a",api="Fetch"} 3',
      'kafka_client_api_request_latency_seconds_bucket{le="0.02",client_id="a",api="Fetch"} 8',
      'kafka_client_api_request_latency_seconds_bucket{le="+Inf",client_id="a",api="Fetch"} 10',
      'kafka_client_api_request_latency_seconds_sum{client_id="a",api="Fetch"} 0.5',
      'kafka_client_api_request_latency_seconds_count{client_id="a",api="Fetch"} 10',
      'kafka_client_api_request_total{client_id="a",api="Fetch"} 10',
      'kafka_client_api_request_latency_p99_seconds{client_id="a",api="Fetch"} 0.04',
    ]) {
      assert.ok(text.includes(expected), `${expected} in\n${text.join('\n')}`);
    }
    registry.resetMetrics();
    assert.ok(
      (await registry.metrics()).includes('latency_seconds_count{client_id="a",api="Fetch"} 10'),
      'it is read, not kept',
    );
  });

  test('collecting again shows the current values once', async () => {
    const registry = new prom.Registry();
    const client = fakeClient('a', { 'request-total': 1 });
    exportToPrometheus(client, prom, { registry });
    await registry.metrics();
    client.client['request-total'] = 5;
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok((await lines(registry)).includes('kafka_client_request_total{client_id="a"} 5'));
  });

  test('reads each client once for all metrics of one collection', async () => {
    const registry = new prom.Registry();
    const client = fakeClient('a');
    exportToPrometheus(client, prom, { registry });
    await registry.metrics();
    assert.equal(client.reads, 1);
  });

  test('a node that is gone is no longer shown', async () => {
    const registry = new prom.Registry();
    const client = fakeClient('a');
    client.node('1', {});
    exportToPrometheus(client, prom, { registry });
    assert.ok((await lines(registry)).some((line) => line.includes('node="1"')));
    client.nodes.clear();
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(!(await lines(registry)).some((line) => line.includes('node="1"')));
  });

  test('two clients share a registry, also with the same id, and a client that stops is no longer shown', async () => {
    const registry = new prom.Registry();
    const stop = exportToPrometheus(fakeClient('a', { 'request-total': 1 }), prom, { registry });
    exportToPrometheus(fakeClient('a', { 'request-total': 2 }), prom, { registry });
    exportToPrometheus(fakeClient('a', { 'request-total': 3 }), prom, { registry, clientId: 'b' });
    const totals = async () => (await lines(registry)).filter((line) => line.startsWith('kafka_client_request_total'));
    assert.deepEqual(await totals(), [
      'kafka_client_request_total{client_id="a"} 1',
      'kafka_client_request_total{client_id="a-2"} 2',
      'kafka_client_request_total{client_id="b"} 3',
    ]);
    stop();
    stop();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await totals()).length, 2);
  });

  test('a registry that was cleared is filled again', async () => {
    const registry = new prom.Registry();
    exportToPrometheus(fakeClient('a'), prom, { registry });
    registry.clear();
    exportToPrometheus(fakeClient('b'), prom, { registry });
    assert.ok((await lines(registry)).some((line) => line.includes('client_id="b"')));
  });

  test('a client that records nothing is refused', () => {
    const off = { config: { clientId: 'a', metrics: false }, metricsSnapshot: (): MetricsSnapshot | null => null };
    assert.throws(() => exportToPrometheus(off, prom, { registry: new prom.Registry() }), {
      name: 'TypeError',
      message: /metrics: true/,
    });
  });
});
