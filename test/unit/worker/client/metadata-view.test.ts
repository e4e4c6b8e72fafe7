// The cluster view of roles: the newest metadata, hints, and the topics that all of them track.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import type { MetadataResponseTopic } from '../../../../src/protocol/flat/generated/metadata.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker, FakeRequest } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;
let orders: MetadataResponseTopic;
const role = {};
const id = 'AAAAAAAAAAAAAAAAAAAABQ';

beforeEach(() => {
  net = new FakeNetwork({ metadataMaxAgeMs: 1_000_000, retryBackoffMs: 100 });
  broker = net.broker('one:9092', 1);
  net.broker('two:9092', 2);
  orders = {
    name: 'orders',
    topicId: id,
    partitions: [
      { partitionIndex: 1, leaderId: 2, leaderEpoch: 4 },
      { partitionIndex: 0, leaderId: 1, leaderEpoch: 3 },
      { partitionIndex: 2, leaderId: 9, leaderEpoch: 1 },
    ],
  };
  net.cluster.topics = [orders];
  net.ready(1);
});

afterEach(() => net.close());

const view = () => net.thread.roleHost.cluster;

function refresh(): void {
  view().requestUpdate();
  net.advance(1000);
}

function lastAsked(): FakeRequest {
  return broker.requestsOf(Metadata).at(-1)!;
}

function askedTopics(): string[] {
  return [...lastAsked().body.topics].map(({ name }) => name).sort();
}

test('shows leaders, partitions, ids and errors of the newest metadata', () => {
  let updates = 0;
  const stop = view().onUpdate(() => {
    updates++;
    assert.equal(view().partitionCount('orders'), 3, 'everything is new already');
  });
  view().addTopic(role, 'orders');
  net.advance(1000);
  assert.ok(updates >= 1);
  assert.deepEqual(view().leader('orders', 0), { leaderId: 1, leaderEpoch: 3 });
  assert.deepEqual(view().leader('orders', 1), { leaderId: 2, leaderEpoch: 4 });
  assert.deepEqual(view().leader('orders', 2), { leaderId: -1, leaderEpoch: 1 }, 'nobody lists that broker');
  assert.equal(view().leader('orders', 3), null);
  assert.equal(view().leader('others', 0), null);
  assert.equal(view().topicId('orders'), id);
  assert.equal(view().topicName(id), 'orders');
  assert.equal(view().topicError('orders'), 0);
  assert.equal(view().topicError('others'), null);
  assert.deepEqual([...view().brokers.keys()], [1, 2]);
  stop();
  const before = updates;
  refresh();
  assert.equal(updates, before);
});

test('a newer leader in a response counts at once, and an older one does not', () => {
  refresh();
  const hint = (leaderEpoch: number, leaderId: number) => ({
    brokers: [],
    leaders: [{ topic: '', topicId: id, partition: 0, leaderId, leaderEpoch }],
  });
  view().learn(hint(7, 2));
  assert.deepEqual(view().leader('orders', 0), { leaderId: 2, leaderEpoch: 7 });
  view().learn(hint(6, 1));
  assert.deepEqual(view().leader('orders', 0), { leaderId: 2, leaderEpoch: 7 });
  refresh();
  assert.deepEqual(view().leader('orders', 0), { leaderId: 2, leaderEpoch: 7 }, 'metadata lags behind');
});

test('metadata covers the topics that somebody asks for', () => {
  void net.control.trackTopics(['orders'], false);
  const other = {};
  view().addTopic(role, 'payments');
  view().addTopic(other, 'payments');
  net.advance(1000);
  assert.deepEqual(askedTopics(), ['orders', 'payments']);
  view().forget(role);
  refresh();
  assert.deepEqual(askedTopics(), ['orders', 'payments'], 'one of two still asks');
  view().removeTopic(other, 'payments');
  refresh();
  assert.deepEqual(askedTopics(), ['orders']);
  view().setNeedsAllTopics(role, true);
  net.advance(1000);
  assert.equal(lastAsked().body.topics, null, 'all topics');
});

test('a topic that a role names first is asked for at once, and only once before the backoff', () => {
  net.advance(1000);
  view().requestUpdate();
  net.run();
  const before = broker.requestsOf(Metadata).length;
  const asked = (): number => broker.requestsOf(Metadata).length - before;
  view().requestUpdate();
  net.run();
  assert.equal(asked(), 0, 'an update waits for the backoff');
  view().addTopic(role, 'payments');
  net.run();
  assert.equal(asked(), 1);
  assert.deepEqual(askedTopics(), ['payments']);
  view().addTopic({}, 'payments');
  view().requestUpdate();
  net.run();
  assert.equal(asked(), 1, 'the topic is known to be asked for');
});

test('a topic that a role names first waits for the backoff after a refresh that failed', () => {
  broker.handlers.set(Metadata.key, () => ({ brokers: [] }));
  refresh();
  const before = broker.requestsOf(Metadata).length;
  view().addTopic(role, 'payments');
  net.run();
  assert.equal(broker.requestsOf(Metadata).length, before);
  net.advance(1200);
  assert.ok(broker.requestsOf(Metadata).length > before);
});

test('a request may create a topic only if that topic may be created', () => {
  const asked = (): { topics: string[]; mayCreate: boolean }[] =>
    broker.requestsOf(Metadata).map(({ body }) => ({
      topics: [...body.topics].map(({ name }) => name).sort(),
      mayCreate: body.allowAutoTopicCreation,
    }));
  void net.control.trackTopics(['missing'], false);
  const missing = { name: 'missing', errorCode: 3 };
  net.cluster.topics = [orders, missing, { name: 'new', errorCode: 3 }];
  view().addTopic(role, 'new', { mayCreate: true });
  net.advance(5000);
  const creating = asked().filter(({ mayCreate }) => mayCreate);
  assert.ok(creating.length > 0);
  for (const { topics } of creating) assert.deepEqual(topics, ['new']);
  assert.ok(
    asked().some(({ topics, mayCreate }) => !mayCreate && topics.length === 2),
    'complete ones take turns with them',
  );
  assert.equal(view().topicError('missing'), 3, 'an answer of a complete request');
  net.cluster.topics = [orders, missing, { name: 'new', partitions: [{ partitionIndex: 0, leaderId: 1 }] }];
  net.advance(5000);
  const before = asked().length;
  refresh();
  assert.equal(view().partitionCount('new'), 1);
  for (const { mayCreate } of asked().slice(before)) assert.equal(mayCreate, false, 'it exists');
});
