// The interface through which roles use brokers: readiness, lanes, one answer for each request, memory of bodies, features.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  IllegalStateError,
  IncompatibleBrokerVersion,
  InvalidRequestError,
  KafkaConnectionError,
  RequestTimedOutError,
  TooManyInFlightRequests,
  UnknownBrokerIdError,
} from '../../../../src/common/errors/errors.ts';
import { mainLane } from '../../../../src/common/node-ids.ts';
import { ApiVersions, Fetch, ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import type { FetchResponseView } from '../../../../src/protocol/flat/generated/fetch.ts';
import type { ListGroupsResponseView } from '../../../../src/protocol/flat/generated/list-groups.ts';
import { WireWriter } from '../../../../src/protocol/wire/wire-writer.ts';
import { anyBroker, type BrokerRequest, type Destination } from '../../../../src/worker/client/broker-requests.ts';
import type { Role } from '../../../../src/worker/client/role.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, range } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;

/** A role that does nothing by itself, and notes its turns. */
class IdleRole implements Role {
  turns = 0;
  act: (now: number) => void = () => {};
  deadline = Number.POSITIVE_INFINITY;

  poll(now: number): void {
    this.turns++;
    this.act(now);
  }

  nextDeadline(): number {
    return this.deadline;
  }
}

let role: IdleRole;

function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork(options);
  broker = net.broker('one:9092', 1);
  net.ready(1);
  role = new IdleRole();
  net.thread.roles.add(role);
}

afterEach(() => net.close());

const fetchLane: Destination = { brokerId: 1, lane: 'fetch' };
const main: Destination = { brokerId: 1, lane: mainLane };

interface Outcome {
  ends: number;
  response: unknown;
  version: number;
  error: Error | null;
  frees: number;
  release: () => void;
}

type Changes = Partial<BrokerRequest>;

/** Sends ListGroups, or what `changes` says. */
function send(to: Destination, changes: Changes = {}): Outcome {
  const outcome: Outcome = { ends: 0, response: undefined, version: -1, error: null, frees: 0, release: () => {} };
  net.thread.roleHost.requests.send(
    {
      to,
      api: ListGroups as BrokerRequest['api'],
      request: {},
      timeoutMs: 1000,
      onResponse(response, version, _now, release) {
        outcome.ends++;
        outcome.release = release;
        outcome.response = response;
        outcome.version = version;
      },
      onFailure(error) {
        outcome.ends++;
        outcome.error = error;
      },
      onBodyFree() {
        outcome.frees++;
      },
      ...changes,
    },
    net.now,
  );
  return outcome;
}

function connect(to: Destination): void {
  const { requests } = net.thread.roleHost;
  if (!requests.isReady(to, net.now)) net.run();
  assert.ok(requests.isReady(to, net.now));
}

test('a lane is a separate connection, and a long wait on it delays nothing else', () => {
  start();
  const { requests } = net.thread.roleHost;
  assert.equal(requests.isReady(fetchLane, net.now), false);
  assert.equal(requests.readyAt(fetchLane, net.now), Number.POSITIVE_INFINITY, 'an event will tell');
  net.run();
  assert.equal(requests.isReady(fetchLane, net.now), true);
  const slow = send(fetchLane);
  const quick = send(main);
  net.run();
  assert.equal(requests.inFlight(fetchLane), 1);
  assert.equal(broker.waiting.length, 2);
  assert.notEqual(broker.waiting[0]!.transport, broker.waiting[1]!.transport);
  broker.reply({ groups: [{ groupId: 'quick' }] }, broker.waiting[1]);
  net.run();
  assert.equal(slow.ends, 0);
  assert.equal((quick.response as ListGroupsResponseView).groups.at(0).groupId, 'quick');
  broker.reply({ groups: [] });
  net.run();
  assert.equal(slow.ends, 1);
  assert.equal(quick.ends, 1);
});

test('a lane has its own row in the node table, and is removed with its broker', () => {
  start({ metadataMaxAgeMs: 1_000_000, retryBackoffMs: 0 });
  connect(fetchLane);
  const { counters } = net.app.end;
  const nodeId = counters.laneNodeId(1, 'fetch')!;
  const row = counters.nodeRow(nodeId);
  assert.ok(nodeId < -1_000_000, `${nodeId} is no id of a broker or a bootstrap server`);
  assert.equal(counters.brokerId(row), 1);
  assert.equal(counters.lane(row), 'fetch');
  assert.ok(net.app.isConnected(nodeId));
  const sent = send(fetchLane);
  net.broker('two:9092', 2);
  net.cluster.brokers.shift();
  void net.control.refreshMetadata(null, false);
  net.run();
  assert.equal(net.app.isConnected(nodeId), false, 'nothing new is sent there');
  broker.reply({ groups: [] });
  net.run();
  assert.deepEqual([sent.ends, sent.error], [1, null], 'what was under way is answered');
  assert.equal(counters.laneNodeId(1, 'fetch'), null);
});

test('an idle lane is closed, and opened again when it is needed', () => {
  start({ connectionsMaxIdleMs: 5000, metadataMaxAgeMs: 1_000_000 });
  connect(fetchLane);
  const nodeId = net.app.end.counters.laneNodeId(1, 'fetch')!;
  net.advance(5001);
  assert.equal(net.app.isConnected(nodeId), false);
  connect(fetchLane);
  assert.equal(net.app.end.counters.laneNodeId(1, 'fetch'), nodeId, 'it stays the same node');
});

test('a request that cannot be sent fails inside the call, for every reason', () => {
  start({ maxInFlightRequestsPerConnection: 1 });
  assert.ok(send({ brokerId: 7, lane: 'fetch' }).error instanceof UnknownBrokerIdError);
  assert.match(send(fetchLane).error!.message, /node 1 \(one:9092, lane fetch\) is not connected/);
  net.run();
  const wrong = { api: Produce as BrokerRequest['api'], request: { acks: 'all' } };
  assert.ok(send(fetchLane, wrong).error instanceof InvalidRequestError);
  assert.ok(send(fetchLane, { minVersion: 99, maxVersion: 100 }).error instanceof IncompatibleBrokerVersion);
  const first = send(fetchLane);
  const second = send(fetchLane);
  assert.ok(second.error instanceof TooManyInFlightRequests);
  assert.equal(net.thread.roleHost.requests.isReady(fetchLane, net.now), false);
  net.run();
  broker.reply({ groups: [] });
  net.run();
  assert.equal(first.ends, 1);
  assert.equal(first.error, null);
});

test('a broker that has left the cluster gives the reason why it is not ready, and nobody waits for it', () => {
  start();
  const { requests } = net.thread.roleHost;
  assert.equal(requests.isReady(main, net.now), true);
  assert.equal(requests.lastError(main), null);
  for (const lane of [mainLane, 'group']) {
    const gone = { brokerId: 77, lane };
    assert.equal(requests.isReady(gone, net.now), false);
    assert.ok(requests.lastError(gone) instanceof UnknownBrokerIdError);
  }
});

test('every request ends once: by its timeout, or with its connection', () => {
  start({ reconnectBackoffMs: 0 });
  connect(fetchLane);
  const late = send(fetchLane, { timeoutMs: 500 });
  const behind = send(fetchLane, { timeoutMs: 5000 });
  net.advance(600);
  assert.ok(late.error instanceof RequestTimedOutError);
  assert.ok(behind.error instanceof KafkaConnectionError);
  connect(fetchLane);
  const lost = send(fetchLane);
  net.run();
  broker.transport.end();
  net.run();
  assert.ok(lost.error instanceof KafkaConnectionError);
  for (const { ends } of [late, behind, lost]) assert.equal(ends, 1);
});

test('a role is polled after each answer, before the thread sleeps, and at its deadline', () => {
  start();
  connect(fetchLane);
  net.run();
  let turns = role.turns;
  net.thread.roleHost.wake();
  net.run();
  assert.ok(role.turns > turns, 'woken');
  const sent = send(fetchLane);
  net.run();
  turns = role.turns;
  let endsSeen = -1;
  role.act = () => (endsSeen = sent.ends);
  broker.reply({ groups: [] });
  net.run();
  assert.ok(role.turns > turns);
  assert.equal(endsSeen, 1, 'the answer was there in its turn');
  turns = role.turns;
  role.deadline = net.now + 250;
  net.thread.roleHost.wake();
  net.run();
  turns = role.turns;
  net.advance(249);
  assert.equal(role.turns, turns);
  role.act = () => (role.deadline = Number.POSITIVE_INFINITY);
  net.advance(2);
  assert.ok(role.turns > turns);
});

test('requests that a role sends when it is polled are at the socket when the thread sleeps', () => {
  start();
  connect(fetchLane);
  let sent: Outcome | null = null;
  role.act = () => (sent ??= send(fetchLane));
  net.thread.roleHost.wake();
  net.run();
  assert.equal(broker.waiting.length, 1);
  broker.reply({ groups: [] });
  net.run();
  assert.equal(sent!.ends, 1);
});

test('the highest common version is used, or a lower one that the role asks for', () => {
  start();
  broker.ranges.set(ListGroups.key, range(1, 4));
  net.app.disconnect(1);
  net.ready(1);
  assert.deepEqual(net.thread.roleHost.requests.versionRange(1, ListGroups), { min: 1, max: 4 });
  assert.equal(net.thread.roleHost.requests.versionRange(2, ListGroups), null);
  const sent = [send(main), send(main, { maxVersion: 2 })];
  net.run();
  broker.reply({ groups: [] });
  broker.reply({ groups: [] });
  net.run();
  assert.deepEqual(
    sent.map(({ version }) => version),
    [4, 2],
  );
});

test('a request to any broker goes to the least loaded ready broker', () => {
  start();
  const any: Destination = { brokerId: anyBroker, lane: mainLane };
  assert.equal(net.thread.roleHost.requests.isReady(any, net.now), true);
  const sent = send(any);
  net.run();
  broker.reply({ groups: [] });
  net.run();
  assert.equal(sent.ends, 1);
});

test('records stay raw if a role asks for that', () => {
  start();
  const records = Buffer.from('these are no records');
  const answer = { responses: [{ topic: 't', partitions: [{ partitionIndex: 0, records }] }] };
  const sent = send(main, {
    api: Fetch as BrokerRequest['api'],
    maxVersion: 12,
    request: { maxWaitMs: 0, minBytes: 0, topics: [] },
    records: 'raw',
  });
  net.run();
  assert.equal(sent.error, null);
  broker.reply(answer);
  net.run();
  const view = sent.response as {
    responses: { at(i: number): { partitions: { at(i: number): { records: { raw: Buffer } } } } };
  };
  assert.deepEqual(view.responses.at(0).partitions.at(0).records.raw, records);
});

for (const byteCount of [100, 200_000])
  test(`lent records of ${byteCount} bytes can be read until they are released`, () => {
    start();
    const records = Buffer.alloc(byteCount, 'these are no records');
    const answer = { responses: [{ topic: 't', partitions: [{ partitionIndex: 0, records }] }] };
    const sent = send(main, {
      api: Fetch as BrokerRequest['api'],
      maxVersion: 12,
      request: { maxWaitMs: 0, minBytes: 0, topics: [] },
      records: 'lent',
    });
    net.run();
    broker.reply(answer);
    net.run();
    const view = sent.response as FetchResponseView;
    const { records: lent } = view.responses.at(0).partitions.at(0);
    // Another frame of that size comes, and must not get the same memory.
    send(main);
    net.run();
    broker.reply({ groups: [{ groupId: 'x'.repeat(30_000) }] });
    net.run();
    assert.ok(lent.raw!.equals(records));
    sent.release();
    if (byteCount > 64 * 1024) assert.throws(() => lent.raw, IllegalStateError);
  });

/** A Produce request of version 3 to 8 without topics, cut at some place. */
function produceBody(acks: number): Uint8Array[] {
  const writer = new WireWriter();
  writer.int16(-1);
  writer.int16(acks);
  writer.int32(1000);
  writer.int32(0);
  const bytes = writer.finish();
  return [bytes.subarray(0, 3), bytes.subarray(3)];
}

test('a body in pieces is sent unchanged, and its memory is free when it is written and answered', () => {
  start();
  const produce: Changes = { api: Produce as BrokerRequest['api'], request: { acks: 1 }, maxVersion: 8 };
  const sent = send(main, { ...produce, encodeBody: (version) => produceBody(version === 8 ? 1 : -2) });
  net.run();
  const [request] = broker.waiting;
  assert.equal(request!.body.acks, 1);
  assert.equal(request!.body.timeoutMs, 1000);
  const { transport } = request!;
  assert.equal(sent.frees, 0);
  transport.unsentBytes = 1;
  broker.reply({ responses: [] });
  net.run();
  assert.equal(sent.ends, 1);
  assert.equal(sent.frees, 0, 'the socket still holds a part of it');
  transport.unsentBytes = 0;
  net.thread.roleHost.wake();
  net.run();
  assert.equal(sent.frees, 1);
  const lost = send(main, { ...produce, encodeBody: () => produceBody(1) });
  net.run();
  transport.end();
  net.run();
  assert.equal(lost.ends, 1);
  assert.equal(lost.frees, 1, 'free with its connection');
  const refused = send({ brokerId: 9, lane: '' }, { ...produce, encodeBody: () => produceBody(1) });
  assert.equal(refused.frees, 1, 'never used');
});

test('a body in pieces that has no response is free when the socket has it', () => {
  start();
  const produce: Changes = { api: Produce as BrokerRequest['api'], request: { acks: 0 }, maxVersion: 8 };
  const sent = send(main, { ...produce, encodeBody: () => produceBody(0) });
  assert.equal(sent.ends, 0);
  net.run();
  assert.deepEqual(
    { ends: sent.ends, response: sent.response, frees: sent.frees },
    { ends: 1, response: null, frees: 1 },
  );
  assert.equal(broker.requestsOf(Produce)[0]!.body.acks, 0);
  broker.takeWaiting();
});

test('features come from the answer with the highest epoch', () => {
  start();
  const answerWith = (epoch: number, level: number) => () => ({
    apiKeys: [...broker.ranges].map(([apiKey, { min, max }]) => ({ apiKey, minVersion: min, maxVersion: max })),
    finalizedFeaturesEpoch: epoch,
    finalizedFeatures: [{ name: 'transaction.version', maxVersionLevel: level, minVersionLevel: level }],
  });
  const reconnectWith = (epoch: number, level: number): number | null => {
    broker.handlers.set(ApiVersions.key, answerWith(epoch, level));
    net.app.disconnect(1);
    net.ready(1);
    return net.thread.roleHost.requests.finalizedFeature('transaction.version');
  };
  assert.equal(net.thread.roleHost.requests.finalizedFeature('transaction.version'), null);
  assert.equal(reconnectWith(5, 2), 2);
  assert.equal(reconnectWith(4, 1), 2, 'an older answer');
  assert.equal(reconnectWith(-1, 0), 2, 'a broker that does not know');
  assert.equal(reconnectWith(6, 1), 1);
});
