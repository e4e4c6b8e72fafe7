// Metrics of a whole client: recorded in its network thread, read here without a message.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as prom from 'prom-client';
import { exportToPrometheus, type KafkaClient, Metadata } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { openConnected } from './support/client.ts';

describe('metrics', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({ nodes: [{ id: 0 }, { id: 1 }] });
  });
  after(() => broker.close());

  function totals(client: KafkaClient, group = 'metrics'): Record<string, number> {
    const values = client.metrics()[group];
    assert.ok(values !== undefined, `${group} in ${Object.keys(client.metrics()).join(', ')}`);
    return values;
  }

  test('are empty unless they are configured', async (t) => {
    const client = await openConnected(t, broker);
    assert.deepEqual(client.metrics(), {});
    assert.equal(client.metricsSnapshot(), null);
  });

  test('count each request and each response, by node and in all', async (t) => {
    const client = await openConnected(t, broker, { metrics: true, maxInFlightRequestsPerConnection: 100 });
    const [before, beforeAll] = [totals(client, 'node-metrics.node-1'), totals(client)];
    await Promise.all(Array.from({ length: 50 }, () => client.send(1, Metadata, { topics: [] })));
    const [later, laterAll] = [totals(client, 'node-metrics.node-1'), totals(client)];
    assert.equal(later['request-total']! - before['request-total']!, 50);
    assert.equal(later['response-total']! - before['response-total']!, 50);
    assert.equal(laterAll['request-accepted-total']! - beforeAll['request-accepted-total']!, 50);
    assert.equal(laterAll['requests-open'], 0);
    assert.ok(laterAll['request-rate']! > 0);
    assert.ok(laterAll['request-latency-max']! > 0);
    assert.ok(laterAll['outgoing-byte-total']! > beforeAll['outgoing-byte-total']! + 50 * 20);
    assert.ok(laterAll['io-time-ns-avg']! > 0);
    assert.equal(laterAll['request-ring-bytes'], 0);
  });

  test('stand in groups with the configured prefix', async (t) => {
    const client = await openConnected(t, broker, { metrics: true, metricGroupPrefix: 'orders' });
    assert.ok('orders-node-metrics.node-bootstrap-0' in client.metrics());
    assert.ok('orders-metrics' in client.metrics());
  });

  test('count connections that end', async (t) => {
    const client = await openConnected(t, broker, { metrics: true });
    const before = totals(client, 'node-metrics.node-0')['connection-close-total']!;
    client.close(0);
    await client.poll(0);
    await waitFor('the end to be counted', () => {
      return totals(client, 'node-metrics.node-0')['connection-close-total'] === before + 1;
    });
  });

  test('are read without a message, also when the network thread is gone', async (t) => {
    const client = await openConnected(t, broker, { metrics: true });
    await client.send(0, Metadata, { topics: [] });
    await client.close();
    assert.ok(totals(client)['request-total']! > 0);
    assert.equal(totals(client)['requests-open'], 0);
  });

  test('show in a registry of prom-client', async (t) => {
    const client = await openConnected(t, broker, { metrics: true, clientId: 'orders' });
    const registry = new prom.Registry();
    t.after(exportToPrometheus(client, prom, { registry }));
    const text = await registry.metrics();
    assert.match(text, /^kafka_client_request_total\{client_id="orders"\} [1-9]/m);
    assert.match(text, /^kafka_client_node_requests_in_flight\{client_id="orders",node="1"\} 0$/m);
  });
});
