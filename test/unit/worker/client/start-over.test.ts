// When the client goes back to its bootstrap servers, and what happens to connections.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import { ListGroups, Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, metadataOf } from '../support/fake-peer.ts';

let net: FakeNetwork;
let boot: FakeBroker;
let broker: FakeBroker;

/** A cluster of broker 1, connected, behind one bootstrap server. */
function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092', connectionsMaxIdleMs: -1, ...options });
  boot = net.broker('boot:9092');
  broker = net.broker('one:9092', 1);
  net.ready(1);
}

afterEach(() => net.close());

/** The cluster moves to node 5 elsewhere; the bootstrap name leads there, its old address nowhere. */
function move(): FakeBroker {
  net.cluster.brokers = [];
  const moved = net.broker('new:9092', 5);
  net.names.set('boot', ['10.1.1.1']);
  net.broker('10.1.1.1:9092');
  net.serve('boot:9092', 'refuses');
  return moved;
}

test('the bootstrap servers are asked and resolved again if known brokers give no metadata', () => {
  start({ metadataMaxAgeMs: 1000, requestTimeoutMs: 700, metadataRecoveryRebootstrapTriggerMs: 5000 });
  broker.handlers.set(Metadata.key, () => ({ brokers: [], topics: [] }));
  const moved = move();
  const lookups = net.lookups.length;
  net.advance(900);
  const dueAt = 1000;
  net.advance(dueAt + 4800 - 900);
  assert.equal(net.lookups.length, lookups, 'while broker 1 answers it is asked');
  const sent = net.app.send(1, ListGroups, {}, { timeoutMs: 10_000 });
  net.run();
  net.advance(2000);
  assert.ok(net.lookups.slice(lookups).includes('boot'));
  assert.ok(sent.error instanceof KafkaConnectionError);
  assert.match(sent.error.message, /metadataRecoveryRebootstrapTriggerMs/);
  assert.ok(sent.error.retriable);
  net.ready(5);
  assert.equal(moved.transports.length, 1);
});

test('the client starts over once for each interval, not in a loop', () => {
  start({ metadataMaxAgeMs: 1000, metadataRecoveryRebootstrapTriggerMs: 5000, reconnectBackoffMaxMs: 10_000 });
  const before = broker.transports.length;
  broker.handlers.set(Metadata.key, () => ({ brokers: [], topics: [] }));
  boot.handlers.set(Metadata.key, () => ({ brokers: [], topics: [] }));
  net.advance(60_000);
  assert.equal(broker.transports.length, before, 'broker 1 is not asked again before there is metadata');
  const asked = boot.requestsOf(Metadata).length;
  assert.ok(asked > 20 && asked < 80, `${asked} requests in a minute`);
  boot.handlers.set(Metadata.key, () => metadataOf(net.cluster));
  net.advance(3000);
  net.ready(1);
});

test('code 129 in a metadata response ends every connection, and the bootstrap servers are asked', () => {
  start();
  net.advance(1000);
  const moved = move();
  broker.handlers.delete(Metadata.key);
  void net.control.refreshMetadata(null, false);
  net.run();
  const behind = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ errorCode: 129, brokers: [], topics: [] });
  net.run();
  assert.ok(behind.error instanceof KafkaConnectionError);
  assert.match(behind.error.message, /Metadata too old, bootstrap again/);
  assert.ok(broker.transport.isDestroyed);
  net.advance(5000);
  net.ready(5);
  assert.equal(moved.transports.length, 1);
});

test('leader epochs are forgotten after code 129', () => {
  start();
  const topicOf = (leaderEpoch: number, leaderId: number) => [
    { name: 'logs', partitions: [{ partitionIndex: 0, leaderId, leaderEpoch, replicaNodes: [], isrNodes: [] }] },
  ];
  const leader = () => net.app.metadata.at(-1)!.view.topics.at(0).partitions.at(0).leaderId;
  net.cluster.topics = topicOf(9, 1);
  void net.control.refreshMetadata(['logs'], false);
  net.advance(1000);
  assert.equal(leader(), 1);
  broker.handlers.set(Metadata.key, () => ({ errorCode: 129, brokers: [], topics: [] }));
  move();
  net.cluster.topics = topicOf(2, 5);
  void net.control.refreshMetadata(null, false);
  net.advance(5000);
  assert.equal(leader(), 5);
});

test('connections to the former cluster end when another cluster answers, and the two never mix', () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  const other = net.broker('two:9092', 2);
  let clusterId = 'first';
  for (const each of [broker, other])
    each.handlers.set(Metadata.key, () => ({ ...metadataOf(net.cluster), clusterId }));
  void net.control.refreshMetadata(null, false);
  net.advance(1000);
  net.ready(2);
  net.advance(1);
  net.ready(-1);
  const atFormer = net.app.send(1, ListGroups, {});
  net.run();
  clusterId = 'second';
  // Of node 2, which is idle.
  void net.control.refreshMetadata(null, false);
  net.run();
  assert.equal(other.requestsOf(Metadata).length, 1);
  assert.ok(atFormer.error instanceof KafkaConnectionError);
  assert.ok(atFormer.error.retriable);
  assert.match(atFormer.error.message, /the cluster id was 'first' and is now 'second'/);
  assert.deepEqual(
    [-1, 1, 2].map((nodeId) => net.app.isConnected(nodeId)),
    [false, false, true],
  );
  net.ready(1);
  assert.equal(broker.transports.length, 2);
  const atNext = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ groups: [] }, broker.waiting.at(-1));
  net.run();
  assert.equal(atNext.state, 'succeeded');
});

test('another error code of a whole metadata response fails the refresh, which is sent again', () => {
  start({ metadataMaxAgeMs: 1000 });
  const updates = net.app.metadata.length;
  broker.handlers.set(Metadata.key, () => ({ errorCode: 7, brokers: [], topics: [] }));
  net.advance(1500);
  assert.equal(net.app.metadata.length, updates);
  assert.ok(net.app.isConnected(1), 'nothing is closed for it');
  broker.handlers.set(Metadata.key, () => metadataOf(net.cluster));
  net.advance(2000);
  assert.ok(net.app.metadata.length > updates);
});

test('one failed address of several does not ask for metadata and does not count as a failure', () => {
  start();
  const asked = broker.requestsOf(Metadata).length;
  net.names.set('two', ['10.0.0.1', '10.0.0.2']);
  net.cluster.brokers.push({ id: 2, host: 'two', port: 9092 });
  void net.control.refreshMetadata(null, false);
  net.advance(500);
  const second = net.broker('10.0.0.2:9092');
  net.ready(2);
  net.advance(1000);
  assert.equal(second.transports.length, 1);
  assert.equal(broker.requestsOf(Metadata).length, asked + 1, 'only the one that was asked for');
  assert.equal(net.attempted.filter((address) => address === '10.0.0.1:9092').length, 1);
});
