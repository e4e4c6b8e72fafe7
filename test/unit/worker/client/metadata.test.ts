// When metadata is asked for, of whom, for which topics, and what its answer changes.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { Cancelled, KafkaConnectionError } from '../../../../src/common/errors/errors.ts';
import { fromPlainError } from '../../../../src/common/errors/plain-error.ts';
import { ListGroups, Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { Metadata as MetadataOwner } from '../../../../src/worker/client/metadata.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, metadataOf, range } from '../support/fake-peer.ts';

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

interface Refresh {
  outcome: 'open' | 'succeeded' | 'failed';
  updateId: number;
  error: Error | null;
}

/** A refresh as the control port asks for one. */
function refresh(topics: readonly string[] | null = null, needsAllTopics = false): Refresh {
  const state: Refresh = { outcome: 'open', updateId: 0, error: null };
  net.control.refreshMetadata(topics, needsAllTopics).then((result) => {
    if ('error' in result) {
      state.outcome = 'failed';
      state.error = fromPlainError(result.error);
    } else {
      state.outcome = 'succeeded';
      state.updateId = result.value;
    }
  });
  return state;
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
  const wanted = refresh();
  await net.settled();
  assert.equal(wanted.outcome, 'open');
  await net.advanceSettled(299);
  assert.equal(wanted.outcome, 'open');
  await net.advanceSettled(1);
  assert.equal(wanted.outcome, 'succeeded');
  assert.equal(wanted.updateId, 2);
  assert.equal(net.app.metadata.at(-1)!.updateId, 2, 'what the call promises is in the link');
});

test('however many wait for a refresh, its request can be made, and its end is told to each', async () => {
  const nobody = {
    onMetadata() {},
    onStartOver() {},
    onMetadataFailed() {},
    onClusterChanged() {},
    onRepeatedPartition() {},
    onTopicFault() {},
  };
  const metadata = new MetadataOwner(parseConfig({}), nobody, () => 0.5);
  // More than a function takes as arguments.
  const owner = {};
  const count = 150_000;
  const wanted = Array.from({ length: count }, () => metadata.refresh(owner));
  metadata.begin(12, false);
  for (let i = 0; i < count; i++) wanted.push(metadata.refresh(owner));
  metadata.cannotBegin(new Cancelled('none'), 0);
  const ends = await Promise.allSettled(wanted);
  assert.equal(ends.filter(({ status }) => status === 'rejected').length, 2 * count);
});

test('what an application is told of when metadata is due: its age, or the backoff after a failure', async () => {
  start({ metadataMaxAgeMs: 60_000, retryBackoffMs: 400 });
  const ttlMs = () => net.app.end.counters.metadataTtlMs(net.now);
  assert.equal(ttlMs(), 60_000);
  net.advance(1000);
  assert.equal(ttlMs(), 59_000);
  broker.handlers.delete(Metadata.key);
  refresh();
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

test('a refresh is bound to a request sent after the call, not to one under way', async () => {
  start();
  net.advance(1000);
  broker.handlers.delete(Metadata.key);
  const first = refresh();
  await net.settled();
  assert.equal(broker.waiting.length, 1);
  const second = refresh(['orders']);
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

test('refreshes asked for while one waits are served by the same request', async () => {
  start();
  const all = [refresh(), refresh(), refresh()];
  await net.advanceSettled(100);
  assert.deepEqual(
    all.map(({ updateId }) => updateId),
    [2, 2, 2],
  );
  assert.equal(askedAt().length, 2);
});

test('a lost connection fails the refresh under way; it is asked for again by itself', async () => {
  start({ reconnectBackoffMs: 0, reconnectBackoffMaxMs: 0 });
  net.advance(1000);
  broker.handlers.delete(Metadata.key);
  const wanted = refresh();
  await net.settled();
  broker.transport.end();
  await net.settled();
  assert.equal(wanted.outcome, 'failed');
  assert.ok(wanted.error instanceof KafkaConnectionError);
  broker.handlers.set(Metadata.key, () => metadataOf(net.cluster));
  await net.advanceSettled(500);
  assert.equal(net.app.metadata.at(-1)!.updateId, 2);
});

test('a refresh cancelled by closing its node is no news for the log', async () => {
  start();
  net.advance(1000);
  broker.handlers.delete(Metadata.key);
  const wanted = refresh();
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
  refresh();
  await net.settled();
  assert.equal(other.requestsOf(Metadata).length, 1);
});

test('an answer without brokers keeps the old view and fails whoever waits', async () => {
  start();
  net.advance(1000);
  broker.handlers.set(Metadata.key, () => ({ brokers: [] }));
  const wanted = refresh();
  await net.settled();
  assert.equal(wanted.outcome, 'failed');
  assert.equal(wanted.error!.name, 'MetadataEmptyBrokerList');
  assert.ok(net.app.isConnected(1));
  assert.equal(net.app.metadata.length, 1);
});

test('a tracked topic with a retriable error asks again, a little later each time; others do not', async () => {
  start({ retryBackoffMs: 100, metadataMaxAgeMs: 1_000_000 });
  net.cluster.topics = [
    { name: 'tracked', errorCode: 5 },
    { name: 'other', errorCode: 5 },
  ];
  const wanted = refresh(['tracked']);
  await net.advanceSettled(100);
  assert.equal(wanted.outcome, 'succeeded', 'the rest of the answer counts');
  const from = askedAt().length - 1;
  net.advance(1500);
  const gaps = gapsSince(from);
  assert.deepEqual(gaps.slice(0, 4), [100, 200, 400, 800]);
  net.cluster.topics = [{ name: 'other', errorCode: 5 }];
  net.advance(1000);
  const settled = askedAt().length;
  net.advance(100_000);
  assert.equal(askedAt().length, settled);
});

test('a topic error that is not retriable does not ask again', async () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  net.cluster.topics = [{ name: 'tracked', errorCode: 29 }];
  refresh(['tracked']);
  await net.advanceSettled(100);
  const asked = askedAt().length;
  net.advance(100_000);
  assert.equal(askedAt().length, asked);
});

test('a tracked partition without a leader, or with one that is no broker, asks again; so do codes that say so', async () => {
  const rows = [
    { leaderId: -1, errorCode: 5 },
    { leaderId: 77, errorCode: 0 },
    { leaderId: 1, errorCode: 72 },
  ];
  for (const row of rows) {
    start({ retryBackoffMs: 100, metadataMaxAgeMs: 1_000_000 });
    net.cluster.topics = [{ name: 'tracked', partitions: [{ partitionIndex: 0, ...row }] }];
    const wanted = refresh(['tracked']);
    await net.advanceSettled(100);
    assert.equal(wanted.outcome, 'succeeded');
    const from = askedAt().length - 1;
    net.advance(800);
    const gaps = gapsSince(from);
    assert.deepEqual(gaps, [100, 200, 400], `leader ${row.leaderId}, code ${row.errorCode}`);
    await net.close();
  }
});

test('a missing replica of a partition that has a leader does not ask again', async () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  net.cluster.topics = [{ name: 'tracked', partitions: [{ partitionIndex: 0, leaderId: 1, errorCode: 9 }] }];
  refresh(['tracked']);
  await net.advanceSettled(100);
  const asked = askedAt().length;
  net.advance(100_000);
  assert.equal(askedAt().length, asked);
});

test('a topic without partitions is no reason to ask again, nor is one without error that nobody tracks', async () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  net.cluster.topics = [
    { name: 'tracked', partitions: [] },
    { name: 'other', partitions: [{ partitionIndex: 0, leaderId: -1, errorCode: 5 }] },
  ];
  const wanted = refresh(['tracked']);
  await net.advanceSettled(100);
  assert.equal(wanted.outcome, 'succeeded');
  const asked = askedAt().length;
  net.advance(100_000);
  assert.equal(askedAt().length, asked);
});

test('a topic that the broker calls invalid is not asked for again', async () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  net.cluster.topics = [
    { name: 'bad', errorCode: 17 },
    { name: 'good', partitions: [] },
  ];
  refresh(['bad', 'good']);
  await net.advanceSettled(100);
  refresh();
  await net.advanceSettled(100);
  const names = [...broker.requestsOf(Metadata).at(-1)!.body.topics].map(({ name }: { name: string }) => name);
  assert.deepEqual(names, ['good']);
});

test('of one topic alone an error that will not pass fails whoever waits, and the brokers of the answer are used all the same', async () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  net.cluster.brokers.push({ id: 2, host: 'two', port: 9092 });
  net.cluster.topics = [{ name: 'missing', errorCode: 29 }];
  const wanted = refresh(['missing']);
  await net.advanceSettled(100);
  assert.equal(wanted.outcome, 'failed');
  assert.equal(wanted.error!.name, 'TopicAuthorizationFailedError');
  assert.match(wanted.error!.message, /topic "missing"/);
  const { view } = net.app.metadata.at(-1)!;
  assert.deepEqual(
    view.brokers.map(({ nodeId }) => nodeId),
    [1, 2],
  );
  const asked = askedAt().length;
  net.advance(100_000);
  assert.equal(askedAt().length, asked, 'it is not asked for again and again');
  const all = refresh([], true);
  await net.advanceSettled(100);
  assert.equal(all.outcome, 'succeeded', "among all topics the error of one is nobody's");
});

test('of one topic alone an error that may pass fails nobody: it is asked about again', async () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  net.cluster.topics = [{ name: 'soon', errorCode: 3 }];
  const wanted = refresh(['soon']);
  await net.advanceSettled(100);
  assert.equal(wanted.outcome, 'succeeded');
  const asked = askedAt().length;
  net.advance(1000);
  assert.ok(askedAt().length > asked);
});

test('older metadata does not undo a newer leader', async () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  const topics = (leaderId: number, leaderEpoch: number) => [
    { name: 'orders', partitions: [{ partitionIndex: 0, leaderId, leaderEpoch }] },
  ];
  net.cluster.topics = topics(1, 5);
  refresh(['orders']);
  await net.advanceSettled(100);
  net.cluster.topics = topics(2, 4);
  refresh();
  await net.advanceSettled(200);
  const { view } = net.app.metadata.at(-1)!;
  const { leaderId, leaderEpoch } = view.topics.at(0).partitions.at(0);
  assert.deepEqual([leaderId, leaderEpoch], [1, 5]);
});

test('an answer that names a replaced topic id is asked for again until answers agree', async () => {
  start({ metadataMaxAgeMs: 1_000_000, retryBackoffMs: 100 });
  const topics = (topicId: string) => [{ name: 'orders', topicId, partitions: [] }];
  const [former, present] = ['AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAg'] as const;
  for (const id of [former, present, former]) {
    net.cluster.topics = topics(id);
    refresh(['orders']);
    await net.advanceSettled(100);
  }
  assert.equal(net.app.metadata.at(-1)!.view.topics.at(0).topicId, present);
  const asked = askedAt().length;
  net.cluster.topics = topics(present);
  await net.advanceSettled(1000);
  assert.equal(askedAt().length, asked + 1);
  assert.equal(net.app.metadata.at(-1)!.view.topics.at(0).topicId, present);
});

test('what a request asks for: no topics, some, or all; never creating any from version 4 on', async () => {
  start();
  const bodies = () => broker.requestsOf(Metadata).map(({ body }) => body);
  assert.deepEqual([...bodies()[0].topics], []);
  refresh(['b', 'a']);
  await net.advanceSettled(100);
  assert.deepEqual(
    [...bodies()[1].topics].map(({ name }: { name: string }) => name),
    ['b', 'a'],
  );
  refresh([], true);
  await net.advanceSettled(100);
  assert.equal(bodies()[2].topics, null);
  for (const body of bodies()) assert.equal(body.allowAutoTopicCreation, false);
});

test('the versions whose leader epochs cannot be trusted are not asked for', () => {
  for (const [max, asked] of [
    [6, 6],
    [7, 6],
    [8, 6],
    [9, 9],
  ] as const) {
    net = new FakeNetwork();
    broker = net.broker('one:9092', 1);
    broker.ranges.set(Metadata.key, range(0, max));
    net.ready(1);
    assert.equal(broker.requestsOf(Metadata)[0]!.version, asked);
    net.close();
  }
});

test('version 0 has no null: all topics are an empty list', async () => {
  net = new FakeNetwork();
  broker = net.broker('one:9092', 1);
  broker.ranges.set(Metadata.key, range(0, 0));
  net.ready(1);
  refresh([], true);
  await net.advanceSettled(100);
  const request = broker.requestsOf(Metadata).at(-1)!;
  assert.equal(request.version, 0);
  assert.equal(request.body.topics.length, 0);
});

test('a node that moved is connected to at its new place at once; what is under way at the former one is answered', async () => {
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
  refresh();
  await net.settled();
  broker.reply({ groups: [] }, broker.requestsOf(ListGroups)[0]);
  await net.settled();
  assert.equal(sent.state, 'succeeded');
  assert.ok(old.isDestroyed);
  assert.ok(net.app.isConnected(1));
  assert.equal(net.attempted.at(-1), 'two:9092');
  assert.equal(helper.transports.length, 0);
});

test('a node that left the cluster is closed and forgotten, when what is under way is answered', async () => {
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
  refresh();
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
  refresh();
  await net.advanceSettled(100);
  net.ready(2);
});

test('a bootstrap server is asked for the topics of bootstrapTopicsFilter while none are tracked, a broker is not', () => {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092', bootstrapTopicsFilter: ['logs'], metadataMaxAgeMs: 1000 });
  const boot = net.broker('boot:9092');
  broker = net.broker('one:9092', 1);
  const namesAsked = (of: typeof boot): string[] =>
    [...of.requestsOf(Metadata).at(-1)!.body.topics].map(({ name }: { name: string }) => name);
  net.ready(-1);
  assert.deepEqual(namesAsked(boot), ['logs']);
  net.ready(1);
  net.advance(2000);
  assert.deepEqual(namesAsked(broker), []);
});

test('the same broker twice: the last one counts', () => {
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

test('when every broker has failed the bootstrap servers are asked again, their names resolved again', () => {
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

test('a node without Metadata fails the refresh and keeps its connection', async () => {
  net = new FakeNetwork({ bootstrapServers: 'controller:9093' });
  broker = net.broker('controller:9093');
  broker.ranges.delete(Metadata.key);
  net.run();
  assert.ok(net.app.isConnected(-1));
  const wanted = refresh();
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

test('one that cannot be decoded fails the refresh and the connection', async () => {
  start();
  net.advance(1000);
  broker.handlers.set(Metadata.key, () => Buffer.from('0000000800000002ffffffff', 'hex'));
  broker.ranges.set(Metadata.key, range(0, 0));
  net.app.disconnect(1);
  net.ready(1);
  const wanted = refresh();
  await net.advanceSettled(1000);
  assert.equal(wanted.outcome, 'failed');
  assert.equal(wanted.error!.name, 'KafkaProtocolError');
});

test('a metadata request counts against maxInFlightRequestsPerConnection, but a connection at its limit keeps a place for it', async () => {
  start({ maxInFlightRequestsPerConnection: 1, metadataMaxAgeMs: 1_000_000 });
  net.advance(1000);
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  const [first, second] = [refresh(), refresh()];
  await net.settled();
  assert.equal(askedAt().length, 2, 'one request for both, behind that of the application');
  const { counters } = net.app.end;
  assert.equal(counters.internalInFlight(counters.nodeRow(1)), 1);
  broker.reply({ groups: [] });
  await net.settled();
  assert.equal(sent.state, 'succeeded');
  assert.deepEqual([first.outcome, second.outcome], ['succeeded', 'succeeded']);
});

test('a refresh does not lose against an application that sends its next request with every answer', async () => {
  start({ maxInFlightRequestsPerConnection: 1, metadataMaxAgeMs: 1_000_000 });
  net.advance(1000);
  net.app.send(1, ListGroups, {});
  net.run();
  const wanted = refresh();
  assert.equal(wanted.outcome, 'open');
  broker.reply({ groups: [] });
  // Before the thread has had its turn with the answer.
  net.app.send(1, ListGroups, {});
  await net.settled();
  assert.equal(wanted.outcome, 'succeeded');
});
