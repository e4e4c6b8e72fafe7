// When metadata is requested, from which node, and who is told the result.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { Cancelled, KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import { DescribeCluster, ListGroups, Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import { WireReader } from '../../../../src/protocol/wire/wire-reader.ts';
import { Metadata as MetadataOwner, type MetadataUpdate } from '../../../../src/worker/client/metadata.ts';
import type { InFlightRequest } from '../../../../src/worker/requests/request-owner.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, metadataOf, range } from '../support/fake-peer.ts';
import { responseFrame } from '../support/peer-frames.ts';
import { refresh } from './support/refresh.ts';

const nobody = {
  onMetadata() {},
  onStartOver() {},
  onMetadataFailed() {},
  onClusterChanged() {},
  onRepeatedPartition() {},
  onTopicFault() {},
};
let net: FakeNetwork;
let broker: FakeBroker;

function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork(options);
  broker = net.broker('one:9092', 1);
  net.ready(1);
}

afterEach(() => net.close());

/** Times at which metadata was asked for. */
function askedAt(): number[] {
  return broker.requestsOf(Metadata).map(({ at }) => at);
}

/** ms between requests for metadata, from the `from`th on. */
function gapsSince(from: number): number[] {
  const at = askedAt().slice(from);
  return at.slice(1).map((time, i) => time - at[i]!);
}

test('a client asks for metadata as soon as a node is ready, and tells the application', () => {
  start();
  assert.equal(broker.requestsOf(Metadata).length, 1);
  const [update] = net.app.metadata;
  assert.equal(update!.updateId, 1);
  assert.deepEqual(
    [...update!.view.brokers].map(({ nodeId, host, port }) => ({ nodeId, host, port })),
    [{ nodeId: 1, host: 'one', port: 9092 }],
  );
});

test('controllers are asked for the controllers, and the application sees these as the cluster (KIP-919)', () => {
  net = new FakeNetwork({ bootstrapControllers: 'one:9092', bootstrapServers: undefined });
  broker = net.broker('one:9092', 1);
  const brokers = [{ brokerId: 1, host: 'one', port: 9092 }];
  broker.handlers.set(DescribeCluster.key, () => ({ clusterId: 'the-cluster', controllerId: 1, brokers }));
  net.ready(1);
  assert.equal(broker.requestsOf(Metadata).length, 0);
  assert.deepEqual(
    broker.requestsOf(DescribeCluster).map(({ body }) => body.endpointType),
    [2],
  );
  const { clusterId, controllerId, brokers: shown, topics } = net.app.metadata[0]!.view;
  assert.deepEqual([clusterId, controllerId, shown.length, topics.length], ['the-cluster', 1, 1, 0]);
});

test('the end of a refresh is told with the reason why it failed', async () => {
  const metadata = new MetadataOwner(parseConfig({}), nobody, () => 0.5);
  const reason = new KafkaConnectionError('lost');
  const failed = metadata.nextEnd();
  metadata.cannotBegin(reason, 0);
  assert.equal(await failed, reason);
  const closed = metadata.nextEnd();
  metadata.close(reason);
  assert.equal(await closed, null);
});

test('metadata is refreshed by age, counted from the last success', () => {
  start({ metadataMaxAgeMs: 60_000, connectionsMaxIdleMs: -1 });
  net.advance(200_000);
  const [first, ...later] = askedAt();
  assert.deepEqual(
    later.map((at) => at - first!),
    [60_000, 120_000, 180_000],
  );
});

test('age 0 asks again and again, but not more often than retryBackoffMs', () => {
  start({ metadataMaxAgeMs: 0, retryBackoffMs: 250 });
  net.advance(1000);
  const [first, ...later] = askedAt();
  assert.deepEqual(
    later.map((at) => at - first!),
    [250, 500, 750, 1000],
  );
});

test('an explicit refresh waits for retryBackoffMs after the last one', async () => {
  start({ retryBackoffMs: 400 });
  net.advance(100);
  const wanted = refresh(net);
  await net.settled();
  assert.equal(wanted.outcome, 'open');
  await net.advanceSettled(299);
  assert.equal(wanted.outcome, 'open');
  await net.advanceSettled(1);
  assert.equal(wanted.outcome, 'succeeded');
  assert.equal(wanted.updateId, 2);
  assert.equal(net.app.metadata.at(-1)!.updateId, 2, 'what the call promises is in the link');
});

test('any number of callers can wait for a refresh, and each hears of its end', async () => {
  const metadata = new MetadataOwner(parseConfig({}), nobody, () => 0.5);
  // More than a function takes as arguments.
  const owner = {};
  const count = 150_000;
  const wanted = Array.from({ length: count }, () => metadata.refresh(owner, 0));
  metadata.begin(12, false);
  for (let i = 0; i < count; i++) wanted.push(metadata.refresh(owner, 0));
  metadata.cannotBegin(new Cancelled('none'), 0);
  const ends = await Promise.allSettled(wanted);
  assert.equal(ends.filter(({ status }) => status === 'rejected').length, 2 * count);
});

test('the numbers of refreshes wrap, without the number that is before the first one', async () => {
  const told: number[] = [];
  const listener = { ...nobody, onMetadata: ({ updateId }: MetadataUpdate) => told.push(updateId) };
  const metadata = new MetadataOwner(parseConfig({}), listener, () => 0.5);
  metadata.updateId = 2 ** 32 - 2;
  const codec = wireCodec(Metadata.key);
  const answer = { brokers: [{ nodeId: 1, host: 'one', port: 9092 }] };
  const promised: number[] = [];
  for (let i = 0; i < 3; i++) {
    const wanted = metadata.refresh(metadata, i);
    metadata.begin(12, false);
    const request = { codec, version: 12, nodeId: 1 } as InFlightRequest;
    const frame = responseFrame({ codec, version: 12, correlationId: 0 }, answer);
    // Size, correlation id and the header's tagged fields come first.
    metadata.onResponse(request, new WireReader().reset(frame, 9, frame.length), i);
    promised.push(await wanted);
  }
  assert.deepEqual(promised, [2 ** 32 - 1, 1, 2]);
  assert.deepEqual(told, promised);
});

test('the application is told when metadata is due: by its age, or by the backoff after a failure', async () => {
  start({ metadataMaxAgeMs: 60_000, retryBackoffMs: 400 });
  const ttlMs = () => net.app.end.counters.metadataTtlMs(net.now);
  assert.equal(ttlMs(), 60_000);
  net.advance(1000);
  assert.equal(ttlMs(), 59_000);
  broker.handlers.delete(Metadata.key);
  refresh(net);
  await net.settled();
  assert.equal(ttlMs(), 0, 'one is under way');
  broker.reply({ ...metadataOf(net.cluster), brokers: [] });
  net.run();
  assert.equal(ttlMs(), 400);
  net.advance(150);
  assert.equal(ttlMs(), 250);
  broker.handlers.set(Metadata.key, () => metadataOf(net.cluster));
  net.advance(250);
  assert.equal(ttlMs(), 60_000);
});

test('a refresh waits for a request that is sent after the call, not for one in flight', async () => {
  start();
  net.advance(1000);
  broker.handlers.delete(Metadata.key);
  const first = refresh(net);
  await net.settled();
  assert.equal(broker.waiting.length, 1);
  const second = refresh(net, ['orders']);
  await net.settled();
  broker.reply(metadataOf(net.cluster));
  await net.settled();
  assert.equal(first.outcome, 'succeeded');
  assert.equal(second.outcome, 'open', 'the first request did not cover its topics');
  await net.advanceSettled(net.config.retryBackoffMs);
  const [request] = broker.waiting;
  assert.deepEqual(
    [...request!.body.topics].map(({ name }: { name: string }) => name),
    ['orders'],
  );
  broker.reply(metadataOf(net.cluster));
  await net.settled();
  assert.equal(second.outcome, 'succeeded');
  assert.equal(second.updateId, first.updateId + 1);
});

test('one request serves all refreshes that wait', async () => {
  start();
  const all = [refresh(net), refresh(net), refresh(net)];
  await net.advanceSettled(100);
  assert.deepEqual(
    all.map(({ updateId }) => updateId),
    [2, 2, 2],
  );
  assert.equal(askedAt().length, 2);
});

test('a lost connection fails the refresh in flight, and metadata is requested again', async () => {
  start({ reconnectBackoffMs: 0, reconnectBackoffMaxMs: 0 });
  net.advance(1000);
  broker.handlers.delete(Metadata.key);
  const wanted = refresh(net);
  await net.settled();
  broker.transport.end();
  await net.settled();
  assert.equal(wanted.outcome, 'failed');
  assert.ok(wanted.error instanceof KafkaConnectionError);
  broker.handlers.set(Metadata.key, () => metadataOf(net.cluster));
  await net.advanceSettled(500);
  assert.equal(net.app.metadata.at(-1)!.updateId, 2);
});

test('a refresh that is cancelled because its node is closed is not logged', async () => {
  start();
  net.advance(1000);
  broker.handlers.delete(Metadata.key);
  const wanted = refresh(net);
  await net.settled();
  net.app.disconnect(1);
  await net.settled();
  assert.equal(wanted.outcome, 'failed');
  assert.equal(wanted.error!.name, 'Cancelled');
  const told = net.logs.flatMap(({ records }) => records.map(({ event }) => event));
  assert.ok(!told.includes('metadata-failed'), told.join());
});

test('failures in a row are spaced out, up to a second', () => {
  start({ retryBackoffMs: 100 });
  broker.handlers.set(Metadata.key, () => ({ brokers: [] }));
  net.advance(net.config.metadataMaxAgeMs);
  const from = askedAt().length - 1;
  net.advance(6000);
  const gaps = gapsSince(from);
  assert.deepEqual(gaps.slice(0, 6), [100, 200, 400, 800, 1000, 1000]);
  broker.handlers.set(Metadata.key, () => metadataOf(net.cluster));
  net.advance(1000);
  assert.equal(net.app.metadata.at(-1)!.updateId, 2);
  // A success forgets them.
  broker.handlers.set(Metadata.key, () => ({ brokers: [] }));
  const succeeded = askedAt().length;
  net.advance(net.config.metadataMaxAgeMs + 1000);
  const later = askedAt().slice(succeeded);
  assert.deepEqual(
    later.slice(1, 4).map((time, i) => time - later[i]!),
    [100, 200, 400],
  );
});

test('metadata is asked of a node that is not throttled', async () => {
  net = new FakeNetwork();
  net.random = () => 0;
  broker = net.broker('one:9092', 1);
  const other = net.broker('two:9092', 2);
  net.ready(1);
  net.ready(2);
  net.advance(1000);
  net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ throttleTimeMs: 10_000, groups: [] });
  net.run();
  refresh(net);
  await net.settled();
  assert.equal(other.requestsOf(Metadata).length, 1);
});

test('a node without Metadata fails the refresh and keeps its connection', async () => {
  net = new FakeNetwork({ bootstrapServers: 'controller:9093' });
  broker = net.broker('controller:9093');
  broker.ranges.delete(Metadata.key);
  net.run();
  assert.ok(net.app.isConnected(-1));
  const wanted = refresh(net);
  await net.advanceSettled(100);
  assert.equal(wanted.outcome, 'failed');
  assert.equal(wanted.error!.name, 'IncompatibleBrokerVersion');
  const sent = net.app.send(-1, ListGroups, {});
  net.run();
  broker.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
  const turns = net.turns;
  net.advance(30_000);
  assert.ok(net.turns - turns < 200, `${net.turns - turns} turns in half a minute`);
});

test('a response that cannot be decoded fails the refresh and ends the connection', async () => {
  start();
  net.advance(1000);
  broker.handlers.set(Metadata.key, () => Buffer.from('0000000800000002ffffffff', 'hex'));
  broker.ranges.set(Metadata.key, range(0, 0));
  net.app.disconnect(1);
  net.ready(1);
  const wanted = refresh(net);
  await net.advanceSettled(1000);
  assert.equal(wanted.outcome, 'failed');
  assert.equal(wanted.error!.name, 'KafkaProtocolError');
});

test('a metadata request counts for maxInFlightRequestsPerConnection, but a connection keeps a place for it', async () => {
  start({ maxInFlightRequestsPerConnection: 1, metadataMaxAgeMs: 1_000_000 });
  net.advance(1000);
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  const [first, second] = [refresh(net), refresh(net)];
  await net.settled();
  assert.equal(askedAt().length, 2, 'one request for both, behind that of the application');
  const { counters } = net.app.end;
  assert.equal(counters.internalInFlight(counters.nodeRow(1)), 1);
  broker.reply({ groups: [] });
  await net.settled();
  assert.equal(sent.state, 'succeeded');
  assert.deepEqual([first.outcome, second.outcome], ['succeeded', 'succeeded']);
});

test('a refresh is sent even if the application sends its next request with every answer', async () => {
  start({ maxInFlightRequestsPerConnection: 1, metadataMaxAgeMs: 1_000_000 });
  net.advance(1000);
  net.app.send(1, ListGroups, {});
  net.run();
  const wanted = refresh(net);
  assert.equal(wanted.outcome, 'open');
  broker.reply({ groups: [] });
  // Before the thread has had its turn with the answer.
  net.app.send(1, ListGroups, {});
  await net.settled();
  assert.equal(wanted.outcome, 'succeeded');
});
