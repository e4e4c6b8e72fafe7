// Metrics that producers and consumers push to brokers that want them (KIP-714): what the brokers get.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import {
  type Consumer,
  GetTelemetrySubscriptions,
  KafkaClient,
  type KafkaClientOptions,
  Producer,
  PushTelemetry,
} from '../../src/index.ts';
import type { ClientMetricsOptions, PushedMetrics } from '../../src/testing/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { type ReadMetrics, readMetrics } from '../helpers/otlp-reader.ts';
import { patient } from '../helpers/patience.ts';
import { waitFor } from '../helpers/wait-for.ts';

let broker: EmbeddedBroker;
const open: { close(): PromiseLike<unknown> }[] = [];

/** Brokers that want pushes as often as real ones allow. */
async function wanting(clientMetrics: ClientMetricsOptions = {}, nodes = 1): Promise<void> {
  broker = await startEmbeddedBroker({ nodes, topics: { t: 1 }, clientMetrics: { intervalMs: 100, ...clientMetrics } });
}

async function newClient(options: KafkaClientOptions = {}): Promise<KafkaClient> {
  const client = await KafkaClient.start({ ...patient, bootstrapServers: broker.bootstrapServers, ...options });
  open.push(client);
  return client;
}

type Read = PushedMetrics & { readonly said: ReadMetrics };

async function pushes(id: string | null): Promise<Read[]> {
  const all = await broker.pushedMetrics();
  return all
    .filter(({ clientInstanceId }) => clientInstanceId === id)
    .map((push) => ({ ...push, said: readMetrics(push.metrics) }));
}

/** The values of a metric in a push, by the values of their attributes. */
function valuesOf({ said }: Read, name: string): Record<string, number> {
  const points = said.metrics.find((metric) => metric.name === `org.apache.kafka.${name}`)?.points ?? [];
  return Object.fromEntries(points.map(({ value, attributes }) => [Object.values(attributes).join('/'), value]));
}

async function waitForPushes(id: string | null, isEnough: (all: Read[]) => boolean): Promise<Read[]> {
  return waitFor('the pushes', async () => {
    const all = await pushes(id);
    return all.length > 0 && isEnough(all) ? all : null;
  });
}

async function idOf(role: Producer | Consumer): Promise<string> {
  return waitFor('an id', () => role.clientInstanceId);
}

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
  await broker.close();
});

describe('a producer', () => {
  test('pushes its numbers and a last time when it is closed, under an id of its own', async () => {
    await wanting({ isDelta: false });
    const client = await newClient();
    const producer = await client.producer({ transactionalId: 'tx' });
    assert.equal(producer.clientInstanceId, null);
    const id = await idOf(producer);
    await producer.transaction(async (tx) => {
      for (let i = 0; i < 10; i++) await tx.send('t', { value: `${i}` });
    });
    const all = await waitForPushes(id, (some) => valuesOf(some.at(-1)!, 'producer.record.send.total')['']! === 10);
    const last = all.at(-1)!;
    assert.deepEqual(last.said.resource, { transactional_id: 'tx' });
    assert.deepEqual([last.isTerminating, last.clientId], [false, 'offthread-kafka']);
    assert.deepEqual(valuesOf(last, 'producer.topic.record.send.total'), { t: 10 });
    assert.ok(valuesOf(last, 'producer.connection.creation.total')['']! >= 1);
    assert.ok('node-0' in valuesOf(last, 'producer.node.request.latency.max'));
    await producer.close();
    const ended = await waitForPushes(id, (some) => some.at(-1)!.isTerminating);
    assert.equal(ended.filter(({ isTerminating }) => isTerminating).length, 1);
    assert.equal(valuesOf(ended.at(-1)!, 'producer.record.send.total')[''], 10);
    assert.equal(producer.clientInstanceId, id, 'it is known after the end, too');
  });

  test('pushes its last numbers when the client is closed with it', async () => {
    await wanting({ isDelta: false, intervalMs: 3_600_000 });
    const producer = await Producer.start({ ...patient, bootstrapServers: broker.bootstrapServers });
    open.push(producer);
    const id = await idOf(producer);
    for (let i = 0; i < 3; i++) await producer.send('t', { value: 'v' });
    await producer.close();
    const [push, ...others] = await waitForPushes(id, (some) => some.length > 0);
    assert.deepEqual([push!.isTerminating, others.length], [true, 0]);
    assert.equal(valuesOf(push!, 'producer.record.send.total')[''], 3);
  });

  test('has one id in all threads that write through it', async () => {
    await wanting();
    const client = await newClient();
    const producer = await client.producer();
    const early = await Producer.attach(producer.share());
    open.push(early);
    const id = await idOf(producer);
    assert.equal(await idOf(early), id);
    const late = await Producer.attach(producer.share());
    open.push(late);
    assert.equal(await idOf(late), id);
  });

  test('counts with the numbers that the application sees', async () => {
    await wanting({ isDelta: false });
    const client = await newClient({ metrics: true });
    const producer = await client.producer();
    await producer.send('t', { value: 'first' });
    const id = await idOf(producer);
    // The record that was sent before a broker asked counts, too.
    await waitForPushes(id, (some) => valuesOf(some.at(-1)!, 'producer.record.send.total')[''] === 1);
    assert.equal(producer.metrics()['producer-metrics']!['record-send-total'], 1);
  });
});

describe('a consumer', () => {
  test('pushes its numbers and a last time when it is closed', async () => {
    await wanting({ isDelta: false });
    const client = await newClient();
    const consumer = await client.consumer({ groupId: 'g', topics: ['t'], autoOffsetReset: 'earliest' });
    const id = await idOf(consumer);
    // What was fetched before a broker asked is not counted.
    await broker.append('t', 0, [{ value: 'a' }, { value: 'b' }, { value: 'c' }]);
    const batch = await consumer.poll(120_000);
    assert.equal(batch?.count, 3);
    const taken = 'consumer.fetch.manager.records.consumed.total';
    const all = await waitForPushes(id, (some) => valuesOf(some.at(-1)!, taken)['']! === 3);
    const last = all.at(-1)!;
    const { group_member_id: memberId, ...labels } = last.said.resource;
    assert.deepEqual([labels, memberId], [{ group_id: 'g' }, consumer.group.memberId]);
    assert.equal(valuesOf(last, 'consumer.coordinator.assigned.partitions')[''], 1);
    assert.ok('node-0' in valuesOf(last, 'consumer.node.request.latency.max'));
    assert.deepEqual(Object.keys(valuesOf(last, 'consumer.fetch.manager.records.lag')), ['t/0']);
    await consumer.close();
    const ended = await waitForPushes(id, (some) => some.at(-1)!.isTerminating);
    assert.equal(ended.filter(({ isTerminating }) => isTerminating).length, 1);
  });

  test('and a producer of the same client have ids of their own', async () => {
    await wanting();
    const client = await newClient();
    const [producer, consumer] = await Promise.all([
      client.producer(),
      client.consumer({ assign: [{ topic: 't', partition: 0 }] }),
    ]);
    assert.notEqual(await idOf(producer), await idOf(consumer));
  });
});

test('a change of what is wanted is learnt at the next push, and the id stays', async () => {
  await wanting({ metrics: ['org.apache.kafka.producer.record.send'] });
  const client = await newClient();
  const producer = await client.producer();
  const id = await idOf(producer);
  const first = await waitForPushes(id, (some) => some.length > 0);
  const namesOf = (push: Read): string[] => push.said.metrics.map(({ name }) => name);
  assert.ok(namesOf(first[0]!).every((name) => name.startsWith('org.apache.kafka.producer.record.send')));
  await broker.setClientMetrics({ metrics: ['org.apache.kafka.producer.batch'], isDelta: false });
  const later = await waitForPushes(id, (some) => some.at(-1)!.subscriptionId === 2);
  assert.ok(namesOf(later.at(-1)!).every((name) => name.startsWith('org.apache.kafka.producer.batch')));
  assert.equal(producer.clientInstanceId, id);
});

for (const [type, name] of [
  [1, 'gzip'],
  [2, 'snappy'],
  [3, 'lz4'],
  [4, 'zstd'],
] as const) {
  test(`a broker that prefers ${name} gets it`, async () => {
    await wanting({ compressionTypes: [type] });
    const producer = await (await newClient()).producer();
    const [push] = await waitForPushes(await idOf(producer), (some) => some.length > 0);
    assert.equal(push!.compressionType, type);
    assert.ok('' in valuesOf(push!, 'producer.record.send.total'));
  });
}

test('the pushes of one client go to one broker, and to another one when that has gone', async () => {
  await wanting({}, 3);
  const producer = await (await newClient()).producer();
  const id = await idOf(producer);
  const first = await waitForPushes(id, (some) => some.length >= 3);
  assert.equal(new Set(first.map(({ nodeId }) => nodeId)).size, 1);
  await broker.removeNode(first[0]!.nodeId);
  const later = await waitForPushes(id, (some) => some.at(-1)!.nodeId !== first[0]!.nodeId);
  assert.equal(later.at(-1)!.clientInstanceId, id);
});

test('a broker that answers with an error for good gets nothing more, and records go on', async () => {
  await wanting();
  await broker.fail(PushTelemetry, 42, 1);
  const messages: string[] = [];
  const log = (_fields: object, message: string): void => void messages.push(message);
  const client = await newClient({ logger: { debug: () => {}, info: () => {}, warn: log, error: log } });
  const producer = await client.producer();
  const id = await idOf(producer);
  await waitFor('the end of the pushes', () => messages.some((text) => /pushes no metrics any more/.test(text)));
  await producer.send('t', { value: 'v' });
  await producer.close();
  assert.deepEqual(await pushes(id), []);
});

test('whoever has switched it off pushes nothing', async () => {
  await wanting();
  const client = await newClient();
  const silent = await client.producer({ enableMetricsPush: false });
  const consumer = await client.consumer({ assign: [{ topic: 't', partition: 0 }], enableMetricsPush: false });
  const telling = await client.producer();
  const id = await idOf(telling);
  await waitForPushes(id, (some) => some.length >= 2);
  assert.deepEqual([silent.clientInstanceId, consumer.clientInstanceId], [null, null]);
  assert.equal((await broker.stats()).requests[GetTelemetrySubscriptions.key], 1);
});
