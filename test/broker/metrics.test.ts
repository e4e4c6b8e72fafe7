// Metrics of a whole client: recorded in its network thread, read here without a message.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as prom from 'prom-client';
import { Consumer, exportToPrometheus, type KafkaClient, Metadata } from '../../src/index.ts';
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

  test('count each request and each response, for each node and in total', async (t) => {
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

  test('are in groups with the configured prefix', async (t) => {
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

  test('can be read without a message, also after the network thread has ended', async (t) => {
    const client = await openConnected(t, broker, { metrics: true });
    await client.send(0, Metadata, { topics: [] });
    await client.close();
    assert.ok(totals(client)['request-total']! > 0);
    assert.equal(totals(client)['requests-open'], 0);
  });

  test('appear in a registry of prom-client', async (t) => {
    const client = await openConnected(t, broker, { metrics: true, clientId: 'orders' });
    const registry = new prom.Registry();
    t.after(exportToPrometheus(client, prom, { registry }));
    const text = await registry.metrics();
    assert.match(text, /^kafka_client_request_total\{client_id="orders"\} [1-9]/m);
    assert.match(text, /^kafka_client_node_requests_in_flight\{client_id="orders",node="1"\} 0$/m);
  });

  test('of a producer count all its records, by topic, and appear in a registry', async (t) => {
    const client = await openConnected(t, broker, { metrics: true, clientId: 'shop' });
    await broker.createTopic('orders', { partitions: 2 });
    const producer = await client.producer({ compressionType: 'gzip', transactionalId: 'shop' });
    await producer.transaction(async (tx) => {
      for (let i = 0; i < 100; i++) assert.ok(tx.append('orders', null, 'x'.repeat(100), i % 2));
      await producer.flush();
    });
    const values = producer.metrics()['producer-metrics']!;
    assert.equal(values['record-send-total'], 100);
    assert.equal(producer.metrics()['producer-topic-metrics.orders']!['record-send-total'], 100);
    assert.ok(values['compression-rate-avg']! < 0.5);
    assert.ok(values['batch-size-max']! > 60);
    assert.ok(values['produce-request-total']! >= 1);
    for (const call of ['flush', 'txn-init', 'txn-begin', 'txn-commit'])
      assert.ok(values[`${call}-time-ns-total`]! > 0, call);
    assert.ok(values['metadata-age']! > 0);
    assert.equal(values['requests-in-flight'], 0);
    assert.equal(values['buffer-available-bytes'], values['buffer-total-bytes']);
    const registry = new prom.Registry();
    t.after(exportToPrometheus(producer, prom, { registry }));
    exportToPrometheus(client, prom, { registry });
    const text = await registry.metrics();
    assert.match(text, /^kafka_producer_record_send_total\{client_id="shop"\} 100$/m);
    assert.match(text, /^kafka_producer_topic_bytes_total\{client_id="shop",topic="orders"\} [1-9]/m);
    assert.match(text, /^kafka_client_request_total\{client_id="shop"\} [1-9]/m);
  });

  test('of a consumer cover all its threads, by topic and partition, and appear in a registry', async (t) => {
    const client = await openConnected(t, broker, { metrics: true, clientId: 'reader' });
    await broker.createTopic('bills', { partitions: 2 });
    for (const partition of [0, 1])
      await broker.append(
        'bills',
        partition,
        Array.from({ length: 10 }, () => ({ value: 'x'.repeat(100) })),
      );
    const options = { groupId: 'g', topics: ['bills'], autoOffsetReset: 'earliest', commit: { everyMs: 1 } } as const;
    const consumer = await client.consumer(options);
    const attached = await Consumer.attach(consumer.share());
    t.after(() => attached.close());
    for (let records = 0; records < 20; ) {
      const batch = (await consumer.poll(100)) ?? (await attached.poll(100));
      batch?.done();
      records += batch?.count ?? 0;
    }
    const metric = (name: string): number => consumer.metrics()['consumer-metrics']![name]!;
    const lead = (partition: number): number =>
      consumer.metrics()[`consumer-partition-metrics.bills-${partition}`]!['records-lead']!;
    // What is shown of partitions is written anew now and then, so it may be older than the commit.
    await waitFor(
      'a commit, and the last of what was done',
      () => metric('commit-total') > 0 && metric('records-lag') === 0 && lead(0) === 10 && lead(1) === 10,
    );
    assert.equal(metric('records-consumed-total'), 20);
    assert.ok(metric('bytes-consumed-total') > 2000);
    assert.equal(metric('assigned-partitions'), 2);
    for (const name of ['fetch-total', 'fetch-size-max', 'heartbeat-total', 'rebalance-total', 'time-between-poll-max'])
      assert.ok(metric(name) > 0, name);
    for (const name of ['last-heartbeat', 'last-rebalance', 'last-poll'])
      assert.ok(metric(`${name}-seconds-ago`) >= 0, name);
    assert.equal(consumer.metrics()['consumer-topic-metrics.bills']!['records-consumed-total'], 20);
    assert.equal(attached.metrics()['consumer-metrics']!['records-consumed-total'], 20, 'also in an attached thread');
    const registry = new prom.Registry();
    t.after(exportToPrometheus(consumer, prom, { registry }));
    const text = await registry.metrics();
    assert.match(text, /^kafka_consumer_records_consumed_total\{client_id="reader"\} 20$/m);
    assert.match(text, /^kafka_consumer_topic_records_consumed_total\{client_id="reader",topic="bills"\} 20$/m);
    assert.match(text, /^kafka_consumer_partition_records_lag\{client_id="reader",topic="bills",partition="1"\} 0$/m);
    assert.match(text, /^kafka_consumer_last_poll_ago_seconds\{client_id="reader"\} [0-9.e-]+$/m);
  });

  test('of a consumer are empty unless they are configured', async (t) => {
    const client = await openConnected(t, broker);
    const consumer = await client.consumer({});
    assert.deepEqual(consumer.metrics(), {});
    assert.equal(consumer.metricsSnapshot(), null);
    assert.throws(() => exportToPrometheus(consumer, prom), /records no metrics/);
  });

  test('of a producer are empty unless they are configured, and then cannot be exported', async (t) => {
    const client = await openConnected(t, broker);
    const producer = await client.producer();
    assert.deepEqual(producer.metrics(), {});
    assert.equal(producer.metricsSnapshot(), null);
    assert.throws(() => exportToPrometheus(producer, prom), /records no metrics/);
  });
});
