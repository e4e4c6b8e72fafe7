// Idle connections: when they are closed, and which connections are not idle.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { NODE_UNKNOWN } from '../../../../src/state/counters.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';

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

test('an idle connection is closed after connectionsMaxIdleMs, without backoff or metadata', () => {
  start({ connectionsMaxIdleMs: 5000, metadataMaxAgeMs: 1_000_000 });
  const metadata = net.app.metadata.length;
  net.advance(4999);
  assert.ok(net.app.isConnected(1));
  net.advance(1);
  assert.equal(net.app.nodeState(1), NODE_UNKNOWN);
  assert.ok(broker.transport.isDestroyed);
  net.ready(1);
  net.advance(1000);
  assert.equal(net.app.metadata.length, metadata);
});

test('a response restarts the idle time', () => {
  start({ connectionsMaxIdleMs: 5000 });
  for (let i = 0; i < 4; i++) {
    net.advance(4000);
    net.app.send(1, ListGroups, {});
    net.run();
    broker.reply({ groups: [] });
    net.run();
  }
  assert.ok(net.app.isConnected(1));
  net.advance(5000);
  assert.equal(net.app.isConnected(1), false);
});

test('a connection with a request in flight is never idle', () => {
  start({ connectionsMaxIdleMs: 1000, requestTimeoutMs: 60_000 });
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  net.advance(50_000);
  assert.equal(sent.state, 'open');
  assert.ok(net.app.isConnected(1));
  broker.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
});

test('a connection that only sends with acks 0 is not idle', () => {
  start({ connectionsMaxIdleMs: 1000 });
  for (let i = 0; i < 5; i++) {
    net.advance(900);
    const sent = net.app.send(1, Produce, { acks: 0, timeoutMs: 10, topicData: [] });
    net.run();
    assert.equal(sent.state, 'succeeded');
  }
  assert.ok(net.app.isConnected(1));
});

for (const connectionsMaxIdleMs of [0, -1]) {
  test(`connectionsMaxIdleMs ${connectionsMaxIdleMs} disables idleness`, () => {
    start({ connectionsMaxIdleMs });
    net.advance(10_000_000);
    assert.ok(net.app.isConnected(1));
  });
}

test('the connection that is idle longest is closed first', () => {
  const { second } = start({ connectionsMaxIdleMs: 5000 });
  net.advance(1000);
  net.ready(2);
  net.advance(1000);
  net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ groups: [] });
  net.run();
  const closed: string[] = [];
  for (const [name, { transport }] of Object.entries({ first: broker, second })) {
    const destroy = transport.destroy.bind(transport);
    transport.destroy = () => {
      closed.push(name);
      destroy();
    };
  }
  // As after a long turn: both are overdue at once.
  net.now += 60_000;
  net.thread.loop.wake();
  net.run();
  assert.deepEqual(closed, ['second']);
  net.advance(10);
  assert.deepEqual(closed, ['second', 'first']);
});

test('the bootstrap connection is closed once a broker is ready and it has nothing in flight', () => {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092' });
  const boot = net.broker('boot:9092');
  broker = net.broker('one:9092', 1);
  net.run();
  assert.ok(net.app.isConnected(-1));
  const sent = net.app.send(-1, ListGroups, {});
  net.run();
  net.ready(1);
  assert.ok(net.app.isConnected(-1), 'not while a request is in flight');
  boot.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
  assert.equal(net.app.nodeState(-1), NODE_UNKNOWN);
  assert.ok(boot.transport.isDestroyed);
});
