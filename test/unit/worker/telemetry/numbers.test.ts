// Under which names numbers are pushed: those that KIP-714 asks of every client, and those of Kafka's own clients.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { ConsumerSnapshot, PartitionSnapshot } from '../../../../src/common/consumer-calls.ts';
import { createClientMetrics } from '../../../../src/state/api-metrics.ts';
import { emptySnapshot } from '../../../../src/state/consumer-snapshot.ts';
import { ConsumerMeasures } from '../../../../src/worker/link/consumer-measures.ts';
import { ProducerMeasures } from '../../../../src/worker/link/producer-measures.ts';
import { Metrics } from '../../../../src/worker/report/metrics-recorder.ts';
import { ConnectionNumbers } from '../../../../src/worker/telemetry/connection-numbers.ts';
import { readNumbers } from '../../../../src/worker/telemetry/numbers.ts';
import type { PushedMetric } from '../../../../src/worker/telemetry/otlp.ts';
import type { PushSource } from '../../../../src/worker/telemetry/source.ts';

const start = 1000;
const wallAhead = 1_700_000_000_000;
const prefix = 'org.apache.kafka.';

let metrics: Metrics;
let connections: ConnectionNumbers;
let nodes: { brokerId: number; lane: string; metricsRow: number }[];

beforeEach(() => {
  metrics = new Metrics(null, start);
  nodes = [];
  connections = new ConnectionNumbers(metrics, () => nodes, 16);
});

function node(brokerId: number, lane: string): number {
  const metricsRow = metrics.nodeAdded(nodes.length, true);
  nodes.push({ brokerId, lane, metricsRow });
  return metricsRow;
}

function read(source: PushSource, now = start, wants = (_name: string): boolean => true): Map<string, PushedMetric> {
  connections.measure(start);
  const list = readNumbers(source, connections, wants, { now, wallNow: wallAhead + now });
  return new Map(list.map((metric) => [metric.name.slice(prefix.length), metric]));
}

/** The values of a metric by the values of their attributes. */
function valuesOf(metric: PushedMetric | undefined): Record<string, number> {
  assert.ok(metric !== undefined);
  return Object.fromEntries(
    metric.points.map(({ value, attributes }) => [attributes.map(([, text]) => text).join('/'), value]),
  );
}

describe('a producer', () => {
  let measures: ProducerMeasures;

  beforeEach(() => {
    measures = new ProducerMeasures({ transactionalId: null, clientRack: '' }, null, start);
    measures.measure(start);
  });

  test('has the metrics that KIP-714 asks of every producer', () => {
    node(1, 'produce');
    const names = read(measures);
    for (const [name, kind] of [
      ['producer.connection.creation.rate', 'gauge'],
      ['producer.connection.creation.total', 'total'],
      ['producer.node.request.latency.avg', 'gauge'],
      ['producer.node.request.latency.max', 'gauge'],
      ['producer.produce.throttle.time.avg', 'gauge'],
      ['producer.produce.throttle.time.max', 'gauge'],
      ['producer.record.queue.time.avg', 'gauge'],
      ['producer.record.queue.time.max', 'gauge'],
    ] as const)
      assert.equal(names.get(name)?.kind, kind, name);
  });

  test('has the other names of its Java counterpart, and no others', () => {
    measures.recorder!.recordsFailed('orders', 2, start);
    const names = [...read(measures).keys()];
    assert.deepEqual(names.toSorted(), [
      'producer.batch.size.avg',
      'producer.batch.size.max',
      'producer.batch.split.rate',
      'producer.batch.split.total',
      'producer.buffer.available.bytes',
      'producer.buffer.exhausted.rate',
      'producer.buffer.exhausted.total',
      'producer.buffer.total.bytes',
      'producer.compression.rate.avg',
      'producer.connection.creation.rate',
      'producer.connection.creation.total',
      'producer.flush.time.ns.total',
      'producer.metadata.age',
      'producer.produce.throttle.time.avg',
      'producer.produce.throttle.time.max',
      'producer.record.error.rate',
      'producer.record.error.total',
      'producer.record.queue.time.avg',
      'producer.record.queue.time.max',
      'producer.record.retry.rate',
      'producer.record.retry.total',
      'producer.record.send.rate',
      'producer.record.send.total',
      'producer.record.size.avg',
      'producer.record.size.max',
      'producer.request.latency.avg',
      'producer.request.latency.max',
      'producer.requests.in.flight',
      'producer.topic.byte.rate',
      'producer.topic.byte.total',
      'producer.topic.compression.rate',
      'producer.topic.record.error.rate',
      'producer.topic.record.error.total',
      'producer.topic.record.retry.rate',
      'producer.topic.record.retry.total',
      'producer.topic.record.send.rate',
      'producer.topic.record.send.total',
      'producer.txn.abort.time.ns.total',
      'producer.txn.begin.time.ns.total',
      'producer.txn.commit.time.ns.total',
      'producer.txn.init.time.ns.total',
      'producer.txn.send.offsets.time.ns.total',
      'producer.waiting.threads',
    ]);
  });

  test('tells its own numbers, those of each topic, and since when they are counted', () => {
    measures.recorder!.recordsFailed('orders', 2, start);
    measures.recorder!.recordsFailed('bills', 3, start);
    const names = read(measures, start + 5000);
    assert.deepEqual(valuesOf(names.get('producer.record.error.total')), { '': 5 });
    assert.deepEqual(valuesOf(names.get('producer.topic.record.error.total')), { orders: 2, bills: 3 });
    assert.equal(names.get('producer.record.error.total')!.points[0]!.startMs, wallAhead + start);
  });

  test('tells how long each broker took to answer on its connections, of all of them together', () => {
    const [first, second, other] = [node(1, 'produce'), node(1, 'txn'), node(2, 'fetch')];
    connections.measure(start);
    metrics.responseReceived(first!, 10, 4, 0);
    metrics.responseReceived(first!, 10, 6, 0);
    metrics.responseReceived(second!, 10, 20, 0);
    metrics.responseReceived(other!, 10, 500, 1);
    const names = read(measures, start + 1000);
    assert.deepEqual(valuesOf(names.get('producer.node.request.latency.avg')), { 'node-1': 10 });
    assert.deepEqual(valuesOf(names.get('producer.node.request.latency.max')), { 'node-1': 20 });
  });

  test('counts the connections that were made before anybody wanted to know', () => {
    metrics.connectionCreated(-1);
    metrics.connectionCreated(-1);
    const total = read(measures).get('producer.connection.creation.total')!;
    assert.deepEqual(valuesOf(total), { '': 2 });
    assert.equal(total.points[0]!.startMs, wallAhead + start);
  });

  test('reads nothing that nobody wants', () => {
    const names = read(measures, start, (name) => name.startsWith(`${prefix}producer.flush`));
    assert.deepEqual([...names.keys()], ['producer.flush.time.ns.total']);
  });
});

describe('a consumer', () => {
  let snapshot: ConsumerSnapshot;
  let measures: ConsumerMeasures;

  function of(groupId: string | null): ConsumerMeasures {
    const config = { groupId, groupInstanceId: null, clientRack: '' };
    const made = new ConsumerMeasures(config, null, () => snapshot, start);
    made.measure(start);
    return made;
  }

  const partition = (topic: string, index: number, end: bigint): PartitionSnapshot => ({
    topic,
    partition: index,
    position: 4n,
    done: 4n,
    committed: null,
    begin: 1n,
    end,
    isPaused: false,
    preferredReplica: -1,
  });

  beforeEach(() => {
    snapshot = emptySnapshot;
    measures = of('g');
  });

  test('has the metrics that KIP-714 asks of every consumer', () => {
    node(1, 'fetch');
    const names = read(measures);
    for (const [name, kind] of [
      ['consumer.connection.creation.rate', 'gauge'],
      ['consumer.connection.creation.total', 'total'],
      ['consumer.node.request.latency.avg', 'gauge'],
      ['consumer.node.request.latency.max', 'gauge'],
      ['consumer.poll.idle.ratio.avg', 'gauge'],
      ['consumer.coordinator.commit.latency.avg', 'gauge'],
      ['consumer.coordinator.commit.latency.max', 'gauge'],
      ['consumer.coordinator.assigned.partitions', 'gauge'],
      ['consumer.coordinator.rebalance.latency.avg', 'gauge'],
      ['consumer.coordinator.rebalance.latency.max', 'gauge'],
      ['consumer.coordinator.rebalance.latency.total', 'total'],
      ['consumer.fetch.manager.fetch.latency.avg', 'gauge'],
      ['consumer.fetch.manager.fetch.latency.max', 'gauge'],
    ] as const)
      assert.equal(names.get(name)?.kind, kind, name);
  });

  test('has the other names of its Java counterpart, and no others', () => {
    snapshot = { ...emptySnapshot, partitions: [partition('orders', 0, 5n)] };
    measures.handedOut('orders', 1, 10, start);
    const names = [...read(measures).keys()].map((name) => name.replace(/^consumer\./, ''));
    assert.deepEqual(names.toSorted(), [
      'committed.time.ns.total',
      'connection.creation.rate',
      'connection.creation.total',
      'coordinator.assigned.partitions',
      'coordinator.commit.latency.avg',
      'coordinator.commit.latency.max',
      'coordinator.commit.rate',
      'coordinator.commit.total',
      'coordinator.failed.rebalance.total',
      'coordinator.heartbeat.rate',
      'coordinator.heartbeat.response.time.max',
      'coordinator.heartbeat.total',
      'coordinator.join.rate',
      'coordinator.join.time.avg',
      'coordinator.join.time.max',
      'coordinator.join.total',
      'coordinator.last.heartbeat.seconds.ago',
      'coordinator.last.rebalance.seconds.ago',
      'coordinator.rebalance.latency.avg',
      'coordinator.rebalance.latency.max',
      'coordinator.rebalance.latency.total',
      'coordinator.rebalance.total',
      'coordinator.sync.rate',
      'coordinator.sync.time.avg',
      'coordinator.sync.time.max',
      'coordinator.sync.total',
      'fetch.manager.bytes.consumed.rate',
      'fetch.manager.bytes.consumed.total',
      'fetch.manager.fetch.latency.avg',
      'fetch.manager.fetch.latency.max',
      'fetch.manager.fetch.rate',
      'fetch.manager.fetch.size.avg',
      'fetch.manager.fetch.size.max',
      'fetch.manager.fetch.throttle.time.avg',
      'fetch.manager.fetch.throttle.time.max',
      'fetch.manager.fetch.total',
      'fetch.manager.preferred.read.replica',
      'fetch.manager.records.consumed.rate',
      'fetch.manager.records.consumed.total',
      'fetch.manager.records.lag',
      'fetch.manager.records.lag.max',
      'fetch.manager.records.lead',
      'fetch.manager.records.lead.min',
      'fetch.manager.records.per.request.avg',
      'last.poll.seconds.ago',
      'poll.idle.ratio.avg',
      'time.between.poll.avg',
      'time.between.poll.max',
    ]);
  });

  test('tells topics and partitions by attributes, as its Java counterpart does', () => {
    snapshot = { ...emptySnapshot, partitions: [partition('orders', 0, 5n), partition('bills', 3, 10n)] };
    measures.handedOut('orders', 2, 20, start);
    const names = read(measures);
    assert.deepEqual(valuesOf(names.get('consumer.fetch.manager.records.consumed.total')), { '': 2, orders: 2 });
    assert.deepEqual(valuesOf(names.get('consumer.fetch.manager.records.lag')), { 'orders/0': 1, 'bills/3': 6 });
    assert.deepEqual(valuesOf(names.get('consumer.fetch.manager.records.lag.max')), { '': 6 });
    assert.deepEqual(names.get('consumer.fetch.manager.records.lag')!.points[0]!.attributes, [
      ['topic', 'orders'],
      ['partition', '0'],
    ]);
  });

  test('tells at most a thousand partitions one by one, and the sums of all', () => {
    const partitions = Array.from({ length: 1500 }, (_, i) => partition('orders', i, BigInt(i)));
    snapshot = { ...emptySnapshot, partitions };
    const names = read(measures);
    assert.equal(names.get('consumer.fetch.manager.records.lag')!.points.length, 1000);
    assert.deepEqual(valuesOf(names.get('consumer.fetch.manager.records.lag.max')), { '': 1495 });
  });

  test('has no numbers of a coordinator without a group', () => {
    const names = [...read(of(null)).keys()];
    assert.ok(names.includes('consumer.fetch.manager.fetch.total'));
    assert.deepEqual(
      names.filter((name) => name.includes('coordinator')),
      [],
    );
  });

  test('says which group, member and rack it is', () => {
    const config = { groupId: 'g', groupInstanceId: 'i', clientRack: 'r1' };
    const labels = new ConsumerMeasures(config, null, () => ({ ...emptySnapshot, memberId: 'm' }), start).labels();
    assert.deepEqual(Object.fromEntries(labels), {
      group_id: 'g',
      group_instance_id: 'i',
      group_member_id: 'm',
      client_rack: 'r1',
    });
    assert.deepEqual(of(null).labels(), []);
  });
});

test('numbers that are recorded for the application are the ones that are pushed', () => {
  const memory = createClientMetrics(16);
  const recorded = new Metrics(memory, start);
  const numbers = new ConnectionNumbers(recorded, () => [], 16);
  numbers.measure(start + 1);
  assert.equal(recorded.memory, memory);
  recorded.connectionCreated(-1);
  assert.ok(numbers.createdPerSecond(start + 1000) > 0);
});
