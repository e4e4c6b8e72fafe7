// What the network thread logs about connections and metadata: single events once, repeated faults rarely, at levels that an operator
// can filter.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import type { LogRecord } from '../../../../src/common/logger.ts';
import { ListGroups, Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, metadataOf, responseFrame } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;

/** Node 1 is connected, and everything told so far is read. */
function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork({ connectionsMaxIdleMs: -1, logLevel: 'info', ...options });
  broker = net.broker('one:9092', 1);
  net.ready(1);
  told();
}

afterEach(() => net.close());

/** Records since the last call. */
function told(): LogRecord[] {
  net.thread.logTaken();
  return net.logs.splice(0).flatMap((batch) => [...batch.records]);
}

function summary(records: readonly LogRecord[]): string[] {
  return records.map(({ level, event, nodeId }) => `${level} ${event}${nodeId === null ? '' : ` ${nodeId}`}`);
}

function restart(): void {
  net.serve('one:9092', broker);
  net.advance(2000);
  net.ready(1);
}

test('a broker that is down for an hour is logged a few times, and its return once', () => {
  start();
  net.serve('one:9092', 'refuses');
  broker.transport.end();
  net.run();
  const records: LogRecord[] = told();
  for (let minute = 0; minute < 60; minute++) {
    net.app.connect(1);
    net.advance(60_000);
    records.push(...told());
  }
  const failed = records.filter(({ event, nodeId }) => event === 'connection-failed' && nodeId === 1);
  assert.ok(failed.length >= 3 && failed.length <= 8, `${failed.length} records`);
  assert.match(
    failed[0]!.message,
    /^node 1 \(one:9092\) cannot be connected: .*ECONNREFUSED.*; the next attempt may begin in \d+ ms$/,
  );
  assert.match(failed.at(-1)!.message, /\(seen \d+ times since\)$/);
  assert.equal(failed[0]!.level, 'warn');
  assert.ok(records.length < 40, `${records.length} records in all`);
  restart();
  const back = told().filter(({ event, nodeId }) => event === 'reconnected' && nodeId === 1);
  assert.equal(back.length, 1);
  assert.match(back[0]!.message, /^node 1 \(one:9092\) is connected after \d\d+ failures$/);
});

test('the end of an idle connection is no warning, and the end of one with requests in flight is a warning', () => {
  start();
  broker.transport.end();
  net.run();
  assert.deepEqual(summary(told()), ['info connection-closed 1']);
  net.advance(1000);
  net.ready(1);
  net.app.send(1, ListGroups, {});
  net.run();
  told();
  broker.transport.end();
  net.run();
  const [record] = told();
  assert.deepEqual(summary([record!]), ['warn connection-lost 1']);
  assert.match(record!.message, /was lost with 1 requests in flight/);
});

test('bytes that cannot be read are logged as an error with the reason', () => {
  start();
  net.app.send(1, ListGroups, {});
  net.run();
  broker.transport.send(responseFrame(broker.next(), { groups: [] }).fill(255, 4, 8));
  net.run();
  const [record] = told();
  assert.deepEqual(summary([record!]), ['error protocol-error 1']);
  assert.equal(record!.error!.name, 'CorrelationIdError');
});

test('the record of a timeout names the request', () => {
  start({ requestTimeoutMs: 100 });
  net.app.send(1, ListGroups, {});
  net.run();
  net.advance(100);
  assert.match(told()[0]!.message, /ListGroups to node 1 \(one:9092\) had no response within 100 ms/);
});

test('a failed metadata refresh is logged once, and so is its next success', () => {
  start({ metadataMaxAgeMs: 1000 });
  broker.handlers.set(Metadata.key, () => ({ brokers: [], topics: [] }));
  net.advance(20_000);
  assert.deepEqual(summary(told()), ['warn metadata-failed']);
  broker.handlers.set(Metadata.key, () => metadataOf(net.cluster));
  net.advance(2000);
  const [record] = told();
  assert.equal(record!.event, 'metadata-refreshed');
  assert.match(record!.message, /after \d+ failures/);
});

test('another cluster id is logged as an error once for each change', () => {
  start({ metadataMaxAgeMs: 1000 });
  let clusterId = 'first';
  broker.handlers.set(Metadata.key, () => ({ ...metadataOf(net.cluster), clusterId }));
  net.advance(3000);
  assert.deepEqual(told(), []);
  clusterId = 'second';
  net.advance(5000);
  const records = told();
  assert.deepEqual(summary(records), ['error cluster-changed 1']);
  assert.match(records[0]!.message, /'first'.*'second'/);
});

test('a partition named twice is a warning, and the first counts for its age too', () => {
  start({ metadataMaxAgeMs: 1000 });
  void net.control.trackTopics(['logs'], false);
  const rowOf = (leaderId: number, leaderEpoch: number) => ({
    partitionIndex: 0,
    leaderId,
    leaderEpoch,
    replicaNodes: [],
    isrNodes: [],
  });
  net.cluster.topics = [{ name: 'logs', partitions: [rowOf(1, 5), rowOf(2, 9)] }];
  net.advance(5000);
  const records = told();
  assert.deepEqual(summary(records), ['warn metadata-repeats 1']);
  assert.match(records[0]!.message, /partition logs-0 twice/);
  net.cluster.topics = [{ name: 'logs', partitions: [rowOf(1, 6)] }];
  net.advance(1500);
  assert.equal(net.app.metadata.at(-1)!.view.topics.at(0).partitions.at(0).leaderEpoch, 6, 'not older than 9');
});

test('a missing topic is logged once after the second response, and again if it existed in between', () => {
  start({ metadataMaxAgeMs: 1000 });
  void net.control.trackTopics(['mispelt', 'logs'], false);
  const missing = { name: 'mispelt', errorCode: 3 };
  const logs = { name: 'logs', partitions: [] };
  net.cluster.topics = [missing, logs];
  net.advance(30_000);
  const records = told();
  assert.deepEqual(summary(records), ['warn topic-error']);
  assert.match(records[0]!.message, /"mispelt".*UnknownTopicOrPartition/);
  assert.equal(records[0]!.error?.code, 'KAFKA_UNKNOWN_TOPIC_OR_PARTITION');
  net.cluster.topics = [{ name: 'mispelt', partitions: [] }, logs];
  net.advance(5000);
  net.cluster.topics = [missing, logs];
  net.advance(30_000);
  assert.deepEqual(summary(told()), ['warn topic-error']);
});

test('a topic that is missing in one response is not logged', () => {
  start({ metadataMaxAgeMs: 1000 });
  net.cluster.topics = [{ name: 'new', errorCode: 3 }];
  void net.control.refreshMetadata(['new'], false);
  const answers = net.app.metadata.length;
  while (net.app.metadata.length === answers) net.advance(1);
  assert.equal(net.app.metadata.at(-1)!.view.topics.at(0).errorCode, 3);
  net.cluster.topics = [{ name: 'new', partitions: [] }];
  net.advance(10_000);
  assert.deepEqual(told(), []);
});

test('a topic without permission or with an invalid name is logged at the first response', () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  net.cluster.topics = [
    { name: 'secret', errorCode: 29 },
    { name: 'a/b', errorCode: 17 },
    { name: 'of nobody', errorCode: 29 },
  ];
  void net.control.refreshMetadata(['secret', 'a/b'], false);
  net.advance(1000);
  const records = told();
  assert.deepEqual(summary(records), ['warn topic-error', 'warn topic-error']);
  assert.match(records[0]!.message, /"secret".*TopicAuthorizationFailed/);
  assert.match(records[1]!.message, /"a\/b".*InvalidTopic/);
});

test('nodes that move or leave are logged, and starting over is a warning', () => {
  start({ metadataMaxAgeMs: 1000 });
  const moved = net.broker('new:9092');
  net.cluster.brokers = [{ id: 1, host: 'new', port: 9092 }];
  net.advance(1500);
  assert.ok(summary(told()).includes('info node-changed 1'));
  moved.handlers.set(Metadata.key, () => ({ errorCode: 129, brokers: [], topics: [] }));
  void net.control.refreshMetadata(null, false);
  net.advance(1500);
  assert.ok(summary(told()).includes('warn rebootstrap'));
});

test('throttling is logged at level info, but not for every response', () => {
  start();
  for (let i = 0; i < 5; i++) {
    net.app.send(1, ListGroups, {});
    net.run();
    broker.reply({ throttleTimeMs: 100, groups: [] });
    net.advance(100);
  }
  assert.deepEqual(summary(told()), ['info throttled 1']);
});

test('by default nothing below a warning is logged', () => {
  start({ logLevel: 'warn' });
  broker.transport.end();
  net.advance(1000);
  net.ready(1);
  assert.deepEqual(told(), []);
});

test('every connection and every address is logged at level debug', () => {
  start({ logLevel: 'debug' });
  net.names.set('two', ['10.0.0.1', '10.0.0.2']);
  net.cluster.brokers.push({ id: 2, host: 'two', port: 9092 });
  net.broker('10.0.0.2:9092');
  void net.control.refreshMetadata(null, false);
  net.advance(500);
  net.ready(2);
  const events = summary(told());
  assert.ok(events.includes('debug address-failed 2') && events.includes('debug connected 2'), events.join());
  net.app.disconnect(2);
  net.run();
  assert.deepEqual(summary(told()), ['debug disconnected 2']);
});
