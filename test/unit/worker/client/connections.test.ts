// How connections end: request timeouts, losses and disconnects. The thread's own timer meets every deadline, because nothing else
// happens in these tests.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { Cancelled, KafkaConnectionError, RequestTimedOutError } from '../../../../src/common/errors/errors.ts';
import { ApiVersions, Heartbeat, ListGroups } from '../../../../src/protocol/flat/generated/apis.ts';
import { NODE_DISCONNECTED, NODE_UNKNOWN } from '../../../../src/state/counters.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, range, responseFrame } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;

/** A bootstrap server, and brokers 1 and 2 behind it; broker 1 is connected. */
function start(options: KafkaClientOptions = {}): { boot: FakeBroker; second: FakeBroker } {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092', ...options });
  const boot = net.broker('boot:9092');
  broker = net.broker('one:9092', 1);
  const second = net.broker('two:9092', 2);
  net.ready(1);
  return { boot, second };
}

afterEach(() => net.close());

const heartbeat = { groupId: 'g', generationId: 1, memberId: 'm' };

test('a request without an answer fails at requestTimeoutMs; its connection is closed, and the other requests on it fail with that cause', () => {
  start({ requestTimeoutMs: 1000 });
  const first = net.app.send(1, ListGroups, {});
  net.run();
  net.advance(400);
  const second = net.app.send(1, Heartbeat, heartbeat);
  net.run();
  net.advance(599);
  assert.equal(first.state, 'open');
  net.advance(1);
  assert.ok(first.error instanceof RequestTimedOutError);
  assert.match(first.error.message, /ListGroups to node 1 \(one:9092\) had no response within 1000 ms/);
  assert.equal(first.error.apiKey, ListGroups.key);
  assert.equal(first.error.nodeId, 1);
  assert.equal(typeof first.error.correlationId, 'number');
  assert.ok(second.error instanceof KafkaConnectionError);
  assert.ok(second.error.cause instanceof RequestTimedOutError);
  assert.ok(broker.transport.isDestroyed);
  const failures = net.app.log.filter((entry) => entry.startsWith('failure'));
  assert.deepEqual(failures, ['failure 1', 'failure 2'], 'oldest first');
});

test('a request with its own shorter timeout expires before older requests', () => {
  start({ requestTimeoutMs: 10_000 });
  const patient = net.app.send(1, ListGroups, {});
  const hasty = net.app.send(1, Heartbeat, heartbeat, { timeoutMs: 70 });
  net.run();
  net.advance(69);
  assert.equal(hasty.state, 'open');
  net.advance(1);
  assert.ok(hasty.error instanceof RequestTimedOutError);
  assert.match(hasty.error.message, /within 70 ms/);
  assert.ok(patient.error instanceof KafkaConnectionError);
});

test('a request with its own longer timeout lives longer than requestTimeoutMs', () => {
  start({ requestTimeoutMs: 1000 });
  const sent = net.app.send(1, ListGroups, {}, { timeoutMs: 5000 });
  net.run();
  net.advance(4999);
  broker.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
});

test('a response that arrived before the deadline counts, however late it is read', () => {
  start({ requestTimeoutMs: 1000 });
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ groups: [{ groupId: 'in time' }] });
  net.now += 60_000;
  net.run();
  assert.equal([...sent.view.groups][0]!.groupId, 'in time');
});

test('half a response does not extend the deadline', () => {
  start({ requestTimeoutMs: 1000 });
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  const frame = responseFrame(broker.next(), { groups: [{ groupId: 'never whole' }] });
  for (let i = 0; i < 10; i++) {
    broker.transport.send(frame.subarray(i, i + 1));
    net.advance(99);
  }
  assert.equal(sent.state, 'open');
  net.advance(10);
  assert.ok(sent.error instanceof RequestTimedOutError);
});

test('a timeout of one node does not affect other nodes', () => {
  const { second } = start({ requestTimeoutMs: 1000 });
  net.ready(2);
  const lost = net.app.send(1, ListGroups, {});
  const kept = net.app.send(2, ListGroups, {}, { timeoutMs: 3000 });
  net.run();
  net.advance(1000);
  assert.ok(lost.error instanceof RequestTimedOutError);
  second.reply({ groups: [] });
  net.run();
  assert.equal(kept.state, 'succeeded');
});

test('a request that is half written when it expires ends its connection', () => {
  start({ requestTimeoutMs: 1000 });
  broker.transport.isBlocked = true;
  const sent = [net.app.send(1, ListGroups, {}), net.app.send(1, ListGroups, {})] as const;
  net.run();
  net.advance(1000);
  assert.ok(sent[0].error instanceof RequestTimedOutError);
  assert.ok(sent[1].error instanceof KafkaConnectionError);
  assert.ok(broker.transport.isDestroyed);
});

test('a lost connection asks for metadata, and the node can be connected again at once if the last attempt was long ago', () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  net.ready(2);
  net.advance(10_000);
  const before = net.app.metadata.length;
  broker.transport.end();
  net.run();
  assert.equal(net.app.nodeState(1), NODE_DISCONNECTED);
  net.advance(200);
  assert.equal(net.app.metadata.length, before + 1);
  net.ready(1);
});

test('a request that times out asks for metadata', () => {
  start({ requestTimeoutMs: 500, metadataMaxAgeMs: 1_000_000 });
  net.ready(2);
  net.advance(1000);
  const before = net.app.metadata.length;
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  net.advance(499);
  assert.equal(net.app.metadata.length, before);
  net.advance(1);
  assert.equal(sent.error.name, 'RequestTimedOutError');
  net.advance(200);
  assert.equal(net.app.metadata.length, before + 1);
});

test('a connection that is closed on purpose and a bootstrap server that fails do not ask for metadata', () => {
  const { boot } = start({ metadataMaxAgeMs: 1_000_000, connectionsMaxIdleMs: -1 });
  net.ready(2);
  net.advance(10_000);
  net.ready(-1);
  const before = net.app.metadata.length;
  net.app.disconnect(1);
  net.run();
  net.serve('boot:9092', 'refuses');
  boot.transport.end();
  net.run();
  assert.equal(net.app.nodeState(-1), NODE_DISCONNECTED);
  net.app.connect(-1);
  net.advance(10_000);
  assert.equal(net.app.nodeState(-1), NODE_DISCONNECTED);
  assert.equal(net.app.metadata.length, before);
});

test('disconnect cancels requests and causes no backoff', () => {
  start();
  const sent = [net.app.send(1, ListGroups, {}), net.app.send(1, ListGroups, {})];
  net.run();
  net.app.disconnect(1);
  net.run();
  for (const { error } of sent) {
    assert.ok(error instanceof Cancelled);
    assert.equal(error.nodeId, 1);
  }
  assert.equal(net.app.nodeState(1), NODE_UNKNOWN);
  assert.ok(broker.transport.isDestroyed);
  net.ready(1);
});

test('disconnect of a node that is backing off forgets its failures', () => {
  start({ reconnectBackoffMs: 1000, reconnectBackoffMaxMs: 60_000 });
  net.serve('two:9092', 'refuses');
  net.app.connect(2);
  net.run();
  assert.equal(net.app.nodeState(2), NODE_DISCONNECTED);
  net.app.disconnect(2);
  net.run();
  assert.equal(net.app.nodeState(2), NODE_UNKNOWN);
  net.broker('two:9092');
  net.ready(2);
});

test('disconnect of a connecting node ends the attempt, and disconnect of an unknown node does nothing', () => {
  start();
  net.serve('two:9092', 'silent');
  net.app.connect(2);
  net.run();
  const transport = net.transports.at(-1)!;
  net.app.disconnect(2);
  net.app.disconnect(99);
  net.run();
  assert.ok(transport.isDestroyed);
  assert.equal(net.app.nodeState(2), NODE_UNKNOWN);
  net.advance(60_000);
  assert.equal(net.attempted.filter((address) => address === 'two:9092').length, 1);
});

test('send and disconnect in one turn cancel the request, and nothing reaches the broker', () => {
  start();
  const sent = net.app.send(1, ListGroups, {});
  net.app.disconnect(1);
  net.run();
  assert.ok(sent.error instanceof Cancelled);
  assert.equal(broker.requestsOf(ListGroups).length, 0);
});

test('every connection has its own version exchange', () => {
  start();
  broker.ranges.set(ListGroups.key, range(0, 1));
  broker.transport.end();
  net.run();
  net.advance(100);
  net.ready(1);
  net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(broker.waiting[0]!.version, 1);
  assert.equal(broker.requestsOf(ApiVersions).length, 2);
});
