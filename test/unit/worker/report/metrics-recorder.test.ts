// What the network thread records about requests and connections: once for each request and each response, however their bytes come.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { Heartbeat, ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { ClientMetricsReader, createClientMetrics } from '../../../../src/state/api-metrics.ts';
import { NO_ROW } from '../../../../src/state/counters.ts';
import { metricsRow, TOTALS_ROW } from '../../../../src/state/shared-metrics.ts';
import { Metrics } from '../../../../src/worker/report/metrics-recorder.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, responseFrame } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;

/** Node 1 is connected, and what it took to get there is over. */
function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092', connectionsMaxIdleMs: -1, ...options });
  net.broker('boot:9092');
  broker = net.broker('one:9092', 1);
  net.ready(1);
}

afterEach(() => net.close());

const names = ['requests', 'requestBytes', 'responses', 'responseBytes'] as const;

/** Of node 1. */
function traffic(): Record<(typeof names)[number], number> {
  const row = net.metrics(1);
  return Object.fromEntries(names.map((name) => [name, row.total(name)])) as Record<(typeof names)[number], number>;
}

test('requests in one write and answers in one read are counted separately', () => {
  start();
  const before = traffic();
  const writes = broker.transport.writes;
  for (let i = 0; i < 3; i++) net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(broker.transport.writes - writes, 3);
  const frames = broker.takeWaiting().map((request) => responseFrame(request, { groups: [] }));
  broker.transport.send(Buffer.concat(frames));
  net.run();
  const after = traffic();
  assert.equal(after.requests - before.requests, 3);
  assert.equal(after.responses - before.responses, 3);
  assert.equal(
    after.responseBytes - before.responseBytes,
    frames.reduce((sum, { length }) => sum + length, 0),
  );
});

test('an answer that comes byte by byte is one response', () => {
  start();
  const before = traffic();
  net.app.send(1, ListGroups, {});
  net.run();
  for (const byte of responseFrame(broker.next(), { groups: [] })) {
    broker.transport.send(Buffer.of(byte));
    net.run();
  }
  assert.equal(traffic().responses - before.responses, 1);
});

test('bytes of requests are those on the wire, size prefix included', () => {
  start();
  const before = traffic();
  let written = 0;
  const take = broker.transport.onBytes;
  broker.transport.onBytes = () => {
    written += broker.transport.written.length;
    take();
  };
  net.app.send(1, Heartbeat, { groupId: 'g', generationId: 1, memberId: 'm' });
  net.run();
  assert.ok(written > 20);
  assert.equal(traffic().requestBytes - before.requestBytes, written);
  assert.ok(net.metrics(1).max('requestBytesMax') >= written);
});

test('latency is the time from the request link to the response', () => {
  start();
  net.advance(60_000);
  net.app.send(1, ListGroups, {});
  net.app.send(1, ListGroups, {});
  net.run();
  net.advance(40);
  broker.reply({ groups: [] });
  net.run();
  net.advance(60);
  broker.reply({ groups: [] });
  net.run();
  const row = net.metrics(1);
  assert.equal(row.max('latencyMsMax'), 100);
  assert.equal(row.average('latencyMs', 'responses'), 70);
  assert.equal(net.metrics().max('latencyMsMax'), 100);
});

test('totals are those of all nodes, the handshake and metadata of the thread included', () => {
  start();
  const [boot, one, all] = [net.metrics(-1), net.metrics(1), net.metrics()];
  assert.equal(all.total('requests'), boot.total('requests') + one.total('requests'));
  assert.equal(boot.total('requests'), 2, 'ApiVersions and Metadata');
  assert.equal(all.total('metadataRefreshes'), 1);
  assert.equal(all.total('accepted'), 0, 'none of them is an application’s');
});

test('accepted requests are counted as succeeded, failed or open', () => {
  start();
  net.app.send(1, ListGroups, {});
  net.app.send(1, Produce, { acks: 0, timeoutMs: 1, topicData: [] });
  net.app.send(7, ListGroups, {});
  net.app.send(1, ListGroups, {});
  net.run();
  const account = () => {
    const row = net.metrics();
    return [row.total('accepted'), row.total('succeeded'), row.total('failed')];
  };
  assert.deepEqual(account(), [4, 1, 1]);
  broker.next();
  broker.transport.send(responseFrame(broker.requestsOf(ListGroups)[0]!, { groups: [] }));
  net.run();
  assert.deepEqual(account(), [4, 2, 1]);
  broker.transport.end();
  net.run();
  assert.deepEqual(account(), [4, 2, 2]);
});

test('connections are counted when they are ready and when they end, and failed attempts are counted too', () => {
  start();
  const row = () => [net.metrics(1).total('connectionsCreated'), net.metrics(1).total('connectionsClosed')];
  assert.deepEqual(row(), [1, 0]);
  net.app.disconnect(1);
  net.run();
  assert.deepEqual(row(), [1, 1]);
  net.serve('one:9092', 'refuses');
  net.app.connect(1);
  net.run();
  assert.deepEqual(row(), [1, 2]);
  net.app.disconnect(1);
  net.run();
  assert.deepEqual(row(), [1, 2], 'there was nothing to close');
});

test('a timeout, a throttle and a body that cannot be read are counted', () => {
  start({ requestTimeoutMs: 500 });
  net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ throttleTimeMs: 200, groups: [] });
  net.advance(200);
  assert.equal(net.metrics(1).max('throttleMsMax'), 200);
  net.app.send(1, ListGroups, {});
  net.run();
  net.advance(500);
  assert.equal(net.metrics(1).total('requestsTimedOut'), 1);
  assert.equal(net.metrics().total('requestsTimedOut'), 1);
  net.ready(1);
  net.app.send(1, ListGroups, {});
  net.run();
  broker.transport.send(responseFrame(broker.next(), { groups: [] }).fill(255, 4, 8));
  net.run();
  assert.equal(net.metrics().total('protocolErrors'), 1);
});

test('a node that left and came back starts at zero, and a node that moved goes on', async () => {
  start();
  net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ groups: [] });
  net.run();
  const requests = traffic().requests;
  const [one] = net.cluster.brokers;
  net.broker('elsewhere:9092');
  net.cluster.brokers = [{ ...one!, host: 'elsewhere' }];
  void net.control.refreshMetadata(null, false);
  await net.advanceSettled(500);
  assert.ok(traffic().requests >= requests);
  net.broker('two:9092', 2);
  net.cluster.brokers = net.cluster.brokers.filter(({ id }) => id === 2);
  void net.control.refreshMetadata(null, false);
  await net.advanceSettled(500);
  assert.equal(net.app.end.counters.nodeRow(1), NO_ROW);
  net.cluster.brokers.push(one!);
  void net.control.refreshMetadata(null, false);
  await net.advanceSettled(500);
  assert.equal(traffic().requests, 0);
});

test('rounds are measured: how long the thread slept, and how long it worked', () => {
  start();
  const before = net.metrics();
  net.advance(10_000);
  net.app.send(1, ListGroups, {});
  net.run();
  const row = net.metrics();
  assert.ok(row.total('rounds') > before.total('rounds'));
  assert.equal(row.total('waitNs') - before.total('waitNs'), 10_000 * 1e6);
  assert.equal(row.total('roundNs'), 0, 'this clock stands still in a round');
  assert.equal(row.total('connectionCount'), net.transports.filter(({ isDestroyed }) => !isDestroyed).length);
});

test('without memory nothing is recorded, and nothing breaks', () => {
  start();
  const off = new Metrics(null, 0);
  assert.equal(off.isOn, false);
  const node = off.nodeAdded(3, true);
  off.requestSent(node, 5, 3);
  off.responseReceived(node, 5, 5, 3);
  off.throttled(node, 5);
  off.connectionCreated(node);
  off.count('startedOver');
  off.countOf(node, 'requestsTimedOut');
  off.set('poolTasks', 1);
  off.roundBegins(1);
  off.roundEnded(1, 1);
  assert.equal(off.memory, null);
  assert.equal(off.nodeAdded(NO_ROW, true), NO_ROW);
});

test('what is recorded from later on has the nodes that were there before, and the windows of all', () => {
  start();
  const metrics = new Metrics(null, 0);
  const [first, second] = [metrics.nodeAdded(0, true), metrics.nodeAdded(1, true)];
  metrics.responseReceived(first, 5, 1000, 3);
  metrics.connectionCreated(first);
  const memory = createClientMetrics(4);
  metrics.begin(memory, 1000);
  const reader = new ClientMetricsReader(memory).values;
  for (const node of [first, second]) metrics.responseReceived(node, 5, 7, 3);
  const values = (now: number) =>
    reader
      .read([TOTALS_ROW, metricsRow(0), metricsRow(1)], now)
      .map((row) => [row.total('responses'), row.recent('responses')]);
  assert.deepEqual(values(1001), [
    [2, 2],
    [1, 1],
    [1, 1],
  ]);
  metrics.roundBegins(1000 + 30_000);
  metrics.roundBegins(1000 + 60_000);
  metrics.roundBegins(1000 + 90_000);
  assert.deepEqual(values(1000 + 90_001), [
    [2, 0],
    [1, 0],
    [1, 0],
  ]);
  assert.equal(metrics.connectionsReady, 1, 'connections are counted from the start');
});
