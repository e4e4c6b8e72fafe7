// Topics in metadata requests and answers: which topics are requested, which errors cause another request, which answers are older
// than what is known.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, range } from '../support/fake-peer.ts';
import { refresh } from './support/refresh.ts';

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

test('a response without brokers keeps the old view and fails the waiting refreshes', async () => {
  start();
  net.advance(1000);
  broker.handlers.set(Metadata.key, () => ({ brokers: [] }));
  const wanted = refresh(net);
  await net.settled();
  assert.equal(wanted.outcome, 'failed');
  assert.equal(wanted.error!.name, 'MetadataEmptyBrokerList');
  assert.ok(net.app.isConnected(1));
  assert.equal(net.app.metadata.length, 1);
});

test('a tracked topic with a retriable error causes another request, a little later each time, and other topics do not', async () => {
  start({ retryBackoffMs: 100, metadataMaxAgeMs: 1_000_000 });
  net.cluster.topics = [
    { name: 'tracked', errorCode: 5 },
    { name: 'other', errorCode: 5 },
  ];
  const wanted = refresh(net, ['tracked']);
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
  refresh(net, ['tracked']);
  await net.advanceSettled(100);
  const asked = askedAt().length;
  net.advance(100_000);
  assert.equal(askedAt().length, asked);
});

test('a tracked partition without a known leader causes another request, and so do error codes of that meaning', async () => {
  const rows = [
    { leaderId: -1, errorCode: 5 },
    { leaderId: 77, errorCode: 0 },
    { leaderId: 1, errorCode: 72 },
  ];
  for (const row of rows) {
    start({ retryBackoffMs: 100, metadataMaxAgeMs: 1_000_000 });
    net.cluster.topics = [{ name: 'tracked', partitions: [{ partitionIndex: 0, ...row }] }];
    const wanted = refresh(net, ['tracked']);
    await net.advanceSettled(100);
    assert.equal(wanted.outcome, 'succeeded');
    const from = askedAt().length - 1;
    net.advance(800);
    const gaps = gapsSince(from);
    assert.deepEqual(gaps, [100, 200, 400], `leader ${row.leaderId}, code ${row.errorCode}`);
    await net.close();
  }
});

test('a missing replica of a partition with a leader does not cause another request', async () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  net.cluster.topics = [{ name: 'tracked', partitions: [{ partitionIndex: 0, leaderId: 1, errorCode: 9 }] }];
  refresh(net, ['tracked']);
  await net.advanceSettled(100);
  const asked = askedAt().length;
  net.advance(100_000);
  assert.equal(askedAt().length, asked);
});

test('a topic without partitions and a topic that nobody tracks do not cause another request', async () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  net.cluster.topics = [
    { name: 'tracked', partitions: [] },
    { name: 'other', partitions: [{ partitionIndex: 0, leaderId: -1, errorCode: 5 }] },
  ];
  const wanted = refresh(net, ['tracked']);
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
  refresh(net, ['bad', 'good']);
  await net.advanceSettled(100);
  refresh(net);
  await net.advanceSettled(100);
  const names = [...broker.requestsOf(Metadata).at(-1)!.body.topics].map(({ name }: { name: string }) => name);
  assert.deepEqual(names, ['good']);
});

test('a permanent error in a response about one topic fails the waiting refresh, but the brokers of the response are used', async () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  net.cluster.brokers.push({ id: 2, host: 'two', port: 9092 });
  net.cluster.topics = [{ name: 'missing', errorCode: 29 }];
  const wanted = refresh(net, ['missing']);
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
  const all = refresh(net, [], true);
  await net.advanceSettled(100);
  assert.equal(all.outcome, 'succeeded', "among all topics the error of one is nobody's");
});

test('a retriable error in a response about one topic fails no refresh, and the topic is requested again', async () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  net.cluster.topics = [{ name: 'soon', errorCode: 3 }];
  const wanted = refresh(net, ['soon']);
  await net.advanceSettled(100);
  assert.equal(wanted.outcome, 'succeeded');
  const asked = askedAt().length;
  net.advance(1000);
  assert.ok(askedAt().length > asked);
});

test('older metadata does not replace a newer leader', async () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  const topics = (leaderId: number, leaderEpoch: number) => [
    { name: 'orders', partitions: [{ partitionIndex: 0, leaderId, leaderEpoch }] },
  ];
  net.cluster.topics = topics(1, 5);
  refresh(net, ['orders']);
  await net.advanceSettled(100);
  net.cluster.topics = topics(2, 4);
  refresh(net);
  await net.advanceSettled(200);
  const { view } = net.app.metadata.at(-1)!;
  const { leaderId, leaderEpoch } = view.topics.at(0).partitions.at(0);
  assert.deepEqual([leaderId, leaderEpoch], [1, 5]);
});

test('a response with a replaced topic id causes more requests until the responses agree', async () => {
  start({ metadataMaxAgeMs: 1_000_000, retryBackoffMs: 100 });
  const topics = (topicId: string) => [{ name: 'orders', topicId, partitions: [] }];
  const [former, present] = ['AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAg'] as const;
  for (const id of [former, present, former]) {
    net.cluster.topics = topics(id);
    refresh(net, ['orders']);
    await net.advanceSettled(100);
  }
  assert.equal(net.app.metadata.at(-1)!.view.topics.at(0).topicId, present);
  const asked = askedAt().length;
  net.cluster.topics = topics(present);
  await net.advanceSettled(1000);
  assert.equal(askedAt().length, asked + 1);
  assert.equal(net.app.metadata.at(-1)!.view.topics.at(0).topicId, present);
});

test('a request asks for no topics, some or all, and never creates a topic from version 4 on', async () => {
  start();
  const bodies = () => broker.requestsOf(Metadata).map(({ body }) => body);
  assert.deepEqual([...bodies()[0].topics], []);
  refresh(net, ['b', 'a']);
  await net.advanceSettled(100);
  assert.deepEqual(
    [...bodies()[1].topics].map(({ name }: { name: string }) => name),
    ['b', 'a'],
  );
  refresh(net, [], true);
  await net.advanceSettled(100);
  assert.equal(bodies()[2].topics, null);
  for (const body of bodies()) assert.equal(body.allowAutoTopicCreation, false);
});

test('versions whose leader epochs are unreliable are not used', () => {
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

test('version 0 asks for all topics by an empty list', async () => {
  net = new FakeNetwork();
  broker = net.broker('one:9092', 1);
  broker.ranges.set(Metadata.key, range(0, 0));
  net.ready(1);
  refresh(net, [], true);
  await net.advanceSettled(100);
  const request = broker.requestsOf(Metadata).at(-1)!;
  assert.equal(request.version, 0);
  assert.equal(request.body.topics.length, 0);
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
