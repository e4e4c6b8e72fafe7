// Nodes in metadata answers: nodes that moved, nodes that left, and bootstrap servers after all nodes have failed.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { ListGroups, Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';
import { refresh } from './support/refresh.ts';

let net: FakeNetwork;
let broker: FakeBroker;

function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork(options);
  broker = net.broker('one:9092', 1);
  net.ready(1);
}

afterEach(() => net.close());

test('a node that moved is connected at its new address at once, and requests at the former address are answered', async () => {
  start();
  net.broker('two:9092');
  net.advance(1000);
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  const old = broker.transport;
  net.cluster.brokers = [
    { id: 1, host: 'two', port: 9092 },
    { id: 7, host: 'seven', port: 9092 },
  ];
  const helper = net.broker('seven:9092');
  net.cluster.brokers = net.cluster.brokers.filter(({ host }) => host !== 'one');
  // Node 1 is busy, so the answer comes from it behind the request above.
  broker.waiting.length = 0;
  refresh(net);
  await net.settled();
  broker.reply({ groups: [] }, broker.requestsOf(ListGroups)[0]);
  await net.settled();
  assert.equal(sent.state, 'succeeded');
  assert.ok(old.isDestroyed);
  assert.ok(net.app.isConnected(1));
  assert.equal(net.attempted.at(-1), 'two:9092');
  assert.equal(helper.transports.length, 0);
});

test('a node that left the cluster is closed and forgotten when its requests are answered', async () => {
  net = new FakeNetwork();
  broker = net.broker('one:9092', 1);
  const gone = net.broker('two:9092', 2);
  net.ready(1);
  net.ready(2);
  net.advance(1000);
  const sent = net.app.send(2, ListGroups, {});
  net.run();
  net.cluster.brokers = net.cluster.brokers.filter(({ id }) => id !== 2);
  // An idle ready node is preferred, and that is node 1.
  refresh(net);
  await net.settled();
  assert.equal(net.app.isConnected(2), false);
  gone.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
  assert.ok(gone.transport.isDestroyed);
  assert.equal(net.app.end.counters.nodeRow(2), -1);
  const late = net.app.send(2, ListGroups, {});
  net.run();
  assert.match(late.error.message, /node 2 is not part of the cluster/);
  net.cluster.brokers.push({ id: 2, host: 'two', port: 9092 });
  refresh(net);
  await net.advanceSettled(100);
  net.ready(2);
});

test('the last entry counts if a response has the same broker twice', () => {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092' });
  net.broker('boot:9092');
  broker = net.broker('right:9092');
  net.cluster.brokers = [
    { id: 1, host: 'wrong', port: 1 },
    { id: 1, host: 'right', port: 9092 },
  ];
  net.ready(1);
  assert.equal(broker.transports.length, 1);
});

test('when every broker has failed, the bootstrap servers are asked again, and their names are resolved again', () => {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092', connectionsMaxIdleMs: -1 });
  net.broker('boot:9092');
  broker = net.broker('one:9092', 1);
  net.ready(1);
  net.serve('one:9092', 'refuses');
  net.cluster.brokers = [];
  const moved = net.broker('new:9092', 5);
  net.names.set('boot', ['10.1.1.1']);
  const again = net.broker('10.1.1.1:9092');
  broker.transport.end();
  net.run();
  net.advance(5000);
  assert.equal(again.requestsOf(Metadata).length, 1);
  net.ready(5);
  assert.equal(moved.transports.length, 1);
});
