// Connection attempts: name look-up, addresses one after another, attempts that are given up.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  type KafkaClientError,
  KafkaConnectionError,
  NodeNotReadyError,
  TlsAuthenticationError,
} from '../../../../src/common/errors/errors.ts';
import { ListGroups, Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { NODE_CONNECTING, NODE_DISCONNECTED } from '../../../../src/state/counters.ts';
import { FakeNetwork } from '../support/fake-network.ts';

let net: FakeNetwork;

function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092', ...options });
}

afterEach(() => net.close());

function whyNot(nodeId = -1): KafkaClientError {
  const sent = net.app.send(nodeId, ListGroups, {});
  net.run();
  assert.ok(sent.error instanceof NodeNotReadyError);
  return sent.error.cause as KafkaClientError;
}

test('addresses of a name are tried in order, without a pause', () => {
  start();
  net.names.set('boot', ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  net.broker('10.0.0.3:9092');
  net.run();
  assert.deepEqual(net.attempts, [
    { address: '10.0.0.1:9092', at: 1000 },
    { address: '10.0.0.2:9092', at: 1000 },
    { address: '10.0.0.3:9092', at: 1000 },
  ]);
  assert.ok(net.app.isConnected(-1));
  assert.equal(net.lookups.length, 1);
});

test('an open connection stays when the addresses of its name change, and the next one goes to a new address', () => {
  start();
  net.names.set('boot', ['10.0.0.1']);
  const former = net.broker('10.0.0.1:9092');
  net.run();
  assert.ok(net.app.isConnected(-1));
  net.names.set('boot', ['10.0.0.9']);
  net.broker('10.0.0.9:9092');
  net.advance(1000);
  const sent = net.app.send(-1, ListGroups, {});
  net.run();
  former.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
  assert.deepEqual(net.attempted, ['10.0.0.1:9092'], 'nothing was looked up or connected meanwhile');
  former.transport.end();
  net.run();
  net.advance(1000);
  net.ready(-1);
  assert.deepEqual([...new Set(net.attempted.slice(1))], ['10.0.0.9:9092']);
});

test('refusals by all addresses count as one failure, and then the name is looked up again', () => {
  start();
  net.names.set('boot', ['10.0.0.1', '10.0.0.2']);
  net.run();
  assert.equal(net.attempts.length, 2);
  assert.equal(net.app.nodeState(-1), NODE_DISCONNECTED);
  assert.match(whyNot().message, /connection to 10\.0\.0\.2:9092 failed: connect ECONNREFUSED/);
  net.advance(50);
  assert.equal(net.attempts.length, 4);
  assert.equal(net.lookups.length, 2);
});

test('an IPv6 address that a broker advertises in brackets is used without them', () => {
  start();
  net.broker('boot:9092');
  net.cluster.brokers.push({ id: 7, host: '[::1]', port: 9092 });
  net.names.set('::1', ['::1']);
  net.run();
  net.app.connect(7);
  net.run();
  assert.ok(net.attempted.includes('::1:9092'), net.attempted.join());
});

test('the next look-up finds changed addresses', () => {
  start();
  net.names.set('boot', ['10.0.0.1']);
  net.run();
  net.names.set('boot', ['10.0.0.9']);
  net.broker('10.0.0.9:9092');
  net.advance(50);
  assert.ok(net.app.isConnected(-1));
});

test('all addresses share one setup deadline', () => {
  start({ connectionSetupTimeoutMs: 1000 });
  net.names.set('boot', ['10.0.0.1', '10.0.0.2']);
  net.serve('10.0.0.1:9092', 'silent');
  net.serve('10.0.0.2:9092', 'silent');
  net.run();
  net.advance(700);
  net.transports[0]!.fail(new Error('connect EHOSTUNREACH'));
  net.run();
  assert.deepEqual(net.attempted, ['10.0.0.1:9092', '10.0.0.2:9092']);
  net.advance(299);
  assert.equal(net.app.nodeState(-1), NODE_CONNECTING);
  net.advance(1);
  assert.match(whyNot().message, /connection setup with boot:9092 did not finish in time/);
});

test('an address that used up the deadline is not tried first in the next attempt', () => {
  start({ connectionSetupTimeoutMs: 1000 });
  net.names.set('boot', ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  net.serve('10.0.0.1:9092', 'silent');
  net.broker('10.0.0.2:9092');
  net.run();
  net.advance(1100);
  assert.deepEqual(net.attempted, ['10.0.0.1:9092', '10.0.0.2:9092']);
  assert.ok(net.app.isConnected(-1));
});

test('a lost connection is opened again at another address, and one that was closed on purpose at the first address', () => {
  start({ requestTimeoutMs: 1000 });
  net.names.set('boot', ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
  const brokers = [1, 2, 3].map((i) => net.broker(`10.0.0.${i}:9092`));
  net.run();
  assert.deepEqual(net.attempted, ['10.0.0.1:9092']);
  // A black hole from now on, for whatever is sent and whoever connects.
  brokers[0]!.answers = false;
  net.app.send(-1, ListGroups, {});
  net.run();
  net.advance(1000);
  net.ready(-1);
  assert.deepEqual(net.attempted.slice(1), ['10.0.0.2:9092']);
  brokers[0]!.answers = true;
  net.app.disconnect(-1);
  net.run();
  net.ready(-1);
  assert.deepEqual(net.attempted.slice(2), ['10.0.0.1:9092']);
});

test('two node ids at one address have separate connections and backoffs', () => {
  start({ reconnectBackoffMs: 500, reconnectBackoffMaxMs: 500 });
  const broker = net.broker('boot:9092');
  net.cluster.brokers = [1, 2].map((id) => ({ id, host: 'boot', port: 9092 }));
  net.ready(1);
  net.ready(2);
  net.app.send(1, ListGroups, {});
  net.run();
  const [toFirst] = broker.takeWaiting().map(({ transport }) => transport);
  net.serve('boot:9092', 'refuses');
  net.advance(1000);
  toFirst!.end();
  net.run();
  net.app.connect(1);
  net.run();
  assert.equal(net.app.nodeState(1), NODE_DISCONNECTED);
  assert.ok(net.app.isConnected(2));
  net.app.disconnect(2);
  net.serve('boot:9092', broker);
  net.run();
  net.app.connect(1);
  net.ready(2);
  assert.equal(net.app.nodeState(1), NODE_DISCONNECTED, 'its own backoff goes on');
});

test('a name that does not resolve is a failed attempt with backoff', () => {
  start();
  net.names.set('boot', Object.assign(new Error('getaddrinfo ENOTFOUND boot'), { code: 'ENOTFOUND' }));
  net.run();
  assert.equal(net.attempts.length, 0);
  const error = whyNot();
  assert.ok(error instanceof KafkaConnectionError);
  assert.match(error.message, /name look-up of 'boot' failed: getaddrinfo ENOTFOUND boot/);
  assert.equal((error.cause as NodeJS.ErrnoException).code, 'ENOTFOUND');
  net.advance(49);
  assert.equal(net.lookups.length, 1);
  net.advance(1);
  assert.equal(net.lookups.length, 2);
  net.advance(60_000);
  assert.ok(net.lookups.length < 70, `${net.lookups.length} look-ups in a minute`);
});

test('a name without addresses is a failed attempt', () => {
  start();
  net.names.set('boot', []);
  net.run();
  assert.match(whyNot().message, /name look-up of 'boot' failed: no address/);
});

test('a look-up without an answer ends at the setup timeout, and a late answer is ignored', () => {
  start({ connectionSetupTimeoutMs: 500, reconnectBackoffMs: 5000, reconnectBackoffMaxMs: 5000 });
  net.names.set('boot', 'silent');
  net.run();
  assert.equal(net.app.nodeState(-1), NODE_CONNECTING);
  net.advance(500);
  assert.equal(net.app.nodeState(-1), NODE_DISCONNECTED);
  net.answerLookups();
  net.run();
  assert.equal(net.attempts.length, 0);
  assert.equal(net.app.nodeState(-1), NODE_DISCONNECTED);
});

test('the answer of an earlier look-up is not used for a later attempt', () => {
  start({ connectionSetupTimeoutMs: 500, reconnectBackoffMs: 0, reconnectBackoffMaxMs: 0 });
  net.names.set('boot', 'silent');
  net.run();
  net.advance(500);
  assert.equal(net.lookups.length, 2);
  net.broker('10.0.0.1:9092');
  net.answerLookup(['10.9.9.9']);
  net.run();
  assert.deepEqual(net.attempted, []);
  net.answerLookup(['10.0.0.1']);
  net.run();
  assert.deepEqual(net.attempted, ['10.0.0.1:9092']);
  assert.ok(net.app.isConnected(-1));
});

test('a node can be closed while its name is looked up', () => {
  start();
  net.names.set('boot', 'silent');
  net.run();
  net.cluster.brokers.push({ id: 1, host: 'one', port: 9092 });
  net.app.disconnect(-1);
  net.names.set('boot', 'silent');
  net.run();
  net.answerLookups();
  net.run();
  // Metadata wants the node again at once, with a look-up of its own: the first answer serves nobody.
  assert.equal(net.lookups.length, 2);
  assert.equal(net.attempts.length, 1);
});

for (const port of [-1, 70_000]) {
  test(`port ${port} in metadata fails only the connection of that node`, () => {
    start();
    net.broker('boot:9092');
    net.cluster.brokers.push({ id: 1, host: 'one', port }, { id: 2, host: 'two', port: 9092 });
    net.broker('two:9092');
    net.run();
    net.app.connect(1);
    net.run();
    assert.deepEqual(net.fatal, []);
    const error = whyNot(1);
    assert.ok(error instanceof KafkaConnectionError);
    assert.match(error.message, new RegExp(`port ${port}`));
    net.ready(2);
  });
}

test('an address that cannot be opened at all is followed by the next one', () => {
  start();
  net.names.set('boot', ['10.0.0.1', '10.0.0.2']);
  net.serve('10.0.0.1:9092', () => {
    throw new Error('no IPv6 here');
  });
  net.broker('10.0.0.2:9092');
  net.run();
  assert.deepEqual(net.fatal, []);
  assert.ok(net.app.isConnected(-1));
});

test('a resolver that throws is a failed look-up', () => {
  start();
  net.lookups.push = () => {
    throw new TypeError('hostname is malformed');
  };
  net.run();
  assert.deepEqual(net.fatal, []);
  assert.match(whyNot().message, /name look-up of 'boot' failed: hostname is malformed/);
});

test('a node has one attempt at a time, however often a connection is requested', () => {
  start();
  net.serve('boot:9092', 'silent');
  for (let i = 0; i < 10; i++) net.app.connect(-1);
  net.run();
  for (let i = 0; i < 10; i++) net.app.connect(-1);
  net.run();
  assert.equal(net.attempts.length, 1);
});

test('a lost connection asks for metadata, even if addresses are left that were not tried', () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  net.names.set('one', ['10.0.0.1', '10.0.0.2']);
  net.cluster.brokers = [{ id: 1, host: 'one', port: 9092 }];
  const brokers = ['boot', '10.0.0.1', '10.0.0.2'].map((host) => net.broker(`${host}:9092`));
  net.ready(1);
  net.advance(1000);
  const asked = () => brokers.flatMap((broker) => broker.requestsOf(Metadata)).length;
  const looked = () => net.lookups.filter((name) => name === 'one').length;
  const before = { asked: asked(), looked: looked() };
  brokers[1]!.transport.end();
  net.run();
  net.ready(1);
  assert.deepEqual({ asked: asked(), looked: looked() }, { asked: before.asked + 1, looked: before.looked + 1 });
});

/** Node 1 is ready, node 2 hangs while it is connected to. */
function startHanging(): void {
  start();
  net.broker('boot:9092');
  net.serve('hole:9092', 'silent');
  net.cluster.brokers = [
    { id: 1, host: 'boot', port: 9092 },
    { id: 2, host: 'hole', port: 9092 },
  ];
  net.ready(1);
  net.app.connect(2);
  net.run();
  assert.equal(net.app.nodeState(2), NODE_CONNECTING);
}

test('an attempt ends when its node leaves the cluster', async () => {
  startHanging();
  const attempt = net.transports.at(-1)!;
  net.cluster.brokers.pop();
  void net.control.refreshMetadata(null, false);
  await net.advanceSettled(100);
  assert.equal(attempt.isDestroyed, true);
  assert.equal(net.app.end.counters.nodeRow(2), -1);
  const attempts = net.attempts.length;
  net.advance(60_000);
  assert.equal(net.attempts.length, attempts);
});

test('a node that moves while it is connecting is connected at its new address at once', async () => {
  startHanging();
  const moved = net.broker('fine:9092');
  net.cluster.brokers[1] = { id: 2, host: 'fine', port: 9092 };
  void net.control.refreshMetadata(null, false);
  await net.advanceSettled(100);
  net.ready(2);
  assert.equal(moved.transports.length, 1);
});

test('an error of the transport is not an answer to the version exchange: no older version is tried, and the node backs off', () => {
  start();
  const verdict = new TlsAuthenticationError('the broker requires a client certificate');
  net.serve('boot:9092', (transport) => {
    // TLS 1.3: the connection stands for a moment before the broker refuses it.
    transport.open();
    transport.onBytes = () => transport.fail(verdict);
  });
  net.run();
  assert.equal(net.attempts.length, 1);
  assert.equal(net.app.nodeState(-1), NODE_DISCONNECTED);
  assert.equal(whyNot().message, verdict.message);
  assert.ok(whyNot() instanceof TlsAuthenticationError);
  assert.equal(whyNot().nodeId, -1);
  net.advance(49);
  assert.equal(net.attempts.length, 1);
  net.advance(1);
  assert.equal(net.attempts.length, 2);
});

test('the error of a late attempt says what it was waiting for', () => {
  start({ connectionSetupTimeoutMs: 500 });
  net.serve('boot:9092', (transport) => {
    Object.assign(transport, { describeWait: () => 'the proxy did not answer' });
  });
  net.run();
  net.advance(500);
  assert.match(
    whyNot().message,
    /did not finish in time \(connectionSetupTimeoutMs\); the proxy did not answer \[KAFKA_\w+\]$/,
  );
});
