// Requests and responses through a whole network thread: their order, acks 0, correlation ids, and errors that must stay on one
// connection. There is no clock and no socket.

import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  CorrelationIdError,
  InvalidReceiveError,
  KafkaConnectionError,
  NodeNotReadyError,
} from '../../../../src/common/errors/errors.ts';
import { Heartbeat, ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { wireCodec } from '../../../../src/protocol/wire/codecs.ts';
import { Channel } from '../../../../src/worker/net/channel.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, int32, range, responseFrame } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;

/** One broker, connected as node 1. */
function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork(options);
  broker = net.broker('one:9092', 1);
  net.ready(1);
}

afterEach(() => {
  mock.restoreAll();
  net.close();
});

const groupsOf = (...ids: string[]) => ({ groups: ids.map((groupId) => ({ groupId })) });

function groupIds(request: { view: { groups: Iterable<{ groupId: string }> } }): string[] {
  return [...request.view.groups].map(({ groupId }) => groupId);
}

test('a request travels to the node and its response comes back, in the highest version both know', () => {
  start({ clientId: 'somebody' });
  broker.ranges.set(ListGroups.key, range(1, 4));
  net.app.disconnect(1);
  net.ready(1);
  const sent = net.app.send(1, ListGroups, { statesFilter: ['Stable'] });
  net.run();
  const [request] = broker.waiting;
  assert.equal(request!.version, 4);
  assert.equal(request!.clientId, 'somebody');
  assert.deepEqual([...request!.body.statesFilter], ['Stable']);
  assert.equal(sent.state, 'open');
  broker.reply(groupsOf('a', 'b'));
  net.run();
  assert.deepEqual(groupIds(sent), ['a', 'b']);
});

test('requests of one turn leave in one system call, in order', () => {
  start();
  const before = broker.transport.writes;
  for (let i = 0; i < 4; i++) net.app.send(1, Heartbeat, { groupId: `g${i}`, generationId: i, memberId: 'm' });
  net.run();
  assert.equal(broker.transport.writes - before, 4);
  assert.equal(broker.transport.corks, 0, 'corked as often as uncorked');
  assert.deepEqual(
    broker.waiting.map(({ body }) => body.groupId),
    ['g0', 'g1', 'g2', 'g3'],
  );
});

test('requests wait while the peer does not read, and leave in order once it does', () => {
  start();
  const { transport } = broker;
  transport.isBlocked = true;
  const first = net.app.send(1, ListGroups, {});
  net.run();
  const writes = transport.writes;
  const second = net.app.send(1, ListGroups, {});
  const third = net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(transport.writes, writes, 'nothing is written behind a full send buffer');
  transport.drain();
  net.run();
  assert.equal(broker.waiting.length, 3);
  for (let i = 0; i < 3; i++) broker.reply(groupsOf(`g${i}`));
  net.run();
  assert.deepEqual([first, second, third].flatMap(groupIds), ['g0', 'g1', 'g2']);
});

test('a response together with the end of the stream is delivered before the connection closes', () => {
  start();
  const answered = net.app.send(1, ListGroups, {});
  const unanswered = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply(groupsOf('last words'));
  broker.transport.end();
  net.run();
  assert.deepEqual(groupIds(answered), ['last words']);
  assert.ok(unanswered.error instanceof KafkaConnectionError);
  assert.match(unanswered.error.message, /one:9092 closed the connection/);
  assert.equal(unanswered.error.nodeId, 1);
  assert.equal(net.app.isConnected(1), false);
});

test('a reset names its cause and fails everything in flight, oldest first', () => {
  start();
  const sent = [net.app.send(1, ListGroups, {}), net.app.send(1, ListGroups, {})];
  net.run();
  broker.transport.fail(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  net.run();
  for (const { error } of sent) {
    assert.ok(error instanceof KafkaConnectionError);
    assert.match(error.message, /ECONNRESET/);
    assert.equal((error.cause as NodeJS.ErrnoException).code, 'ECONNRESET');
  }
  assert.deepEqual(net.app.log.slice(-2), ['failure 1', 'failure 2']);
});

test('a Produce with acks 0 succeeds once it is handed to the socket, and is not in flight', () => {
  start();
  const silent = net.app.send(1, Produce, { acks: 0, timeoutMs: 1000, topicData: [] });
  const loud = net.app.send(1, Produce, { acks: 1, timeoutMs: 1000, topicData: [] });
  net.run();
  assert.equal(silent.state, 'succeeded');
  assert.equal(silent.response, null);
  assert.equal(loud.state, 'open');
  assert.deepEqual(
    broker.waiting.map(({ body }) => body.acks),
    [0, 1],
  );
  broker.next();
  broker.reply({});
  net.run();
  assert.equal(loud.state, 'succeeded');
});

test('a broker that answers acks 0 breaks the order and loses its connection', () => {
  start();
  net.app.send(1, Produce, { acks: 0, timeoutMs: 1000, topicData: [] });
  const sent = net.app.send(1, Produce, { acks: 1, timeoutMs: 1000, topicData: [] });
  net.run();
  broker.reply({});
  net.run();
  assert.ok(sent.error instanceof CorrelationIdError);
});

test('a send to a node that is not connected fails and begins a connection', () => {
  net = new FakeNetwork();
  broker = net.broker('one:9092', 1);
  net.run();
  assert.equal(net.app.isConnected(1), false);
  const early = net.app.send(1, ListGroups, {});
  net.run();
  assert.ok(early.error instanceof NodeNotReadyError);
  assert.match(early.error.message, /node 1 \(one:9092\) is not connected/);
  assert.ok(net.app.isConnected(1));
});

test('a send to an unknown node fails', () => {
  start();
  const sent = net.app.send(77, ListGroups, {});
  net.run();
  assert.ok(sent.error instanceof NodeNotReadyError);
  assert.match(sent.error.message, /node 77 is not part of the cluster/);
});

/** Two brokers, each with a request in flight: the first will go wrong, and the other one is to be left alone. */
function startBesideAnother() {
  net = new FakeNetwork();
  broker = net.broker('one:9092', 1);
  const other = net.broker('two:9092', 2);
  net.ready(1);
  net.ready(2);
  const bad = net.app.send(1, ListGroups, {});
  const good = net.app.send(2, ListGroups, {});
  net.run();
  return { other, bad, good };
}

test('an answer with code 35 is data of its request, and the connection stays', () => {
  start();
  const refused = net.app.send(1, ListGroups, {});
  const next = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ errorCode: 35, groups: [] });
  broker.reply(groupsOf('next'));
  net.run();
  assert.equal(refused.view.errorCode, 35);
  assert.deepEqual(groupIds(next), ['next']);
  assert.ok(net.app.isConnected(1));
  assert.equal(broker.transport.isDestroyed, false);
});

test('an error on one connection does not affect the others', () => {
  const { other, bad, good } = startBesideAnother();
  broker.transport.send(int32(-5));
  other.reply(groupsOf('untouched'));
  net.run();
  assert.ok(bad.error instanceof InvalidReceiveError);
  assert.deepEqual(groupIds(good), ['untouched']);
  assert.ok(net.app.isConnected(2));
});

test('an exception in our code ends only its connection, is counted and logged, and the thread goes on', (t) => {
  const { other, bad, good } = startBesideAnother();
  const fault = new RangeError('a fault of ours');
  const decode = t.mock.method(wireCodec(ListGroups.key), 'decodeResponse', () => {
    throw fault;
  });
  broker.reply(groupsOf('x'));
  net.run();
  decode.mock.restore();
  other.reply(groupsOf('untouched'));
  net.run();
  assert.match(bad.error.message, /unexpected error in the network thread/);
  assert.equal((bad.error.cause as Error).message, fault.message);
  assert.equal(net.app.isConnected(1), false);
  assert.deepEqual(groupIds(good), ['untouched']);
  assert.equal(net.metrics().total('unexpectedErrors'), 1);
  const events = net.logs.flatMap(({ records }) => records.map(({ event }) => event));
  assert.ok(events.includes('unexpected-error'), String(events));
  assert.deepEqual(net.fatal, []);
  net.advance(100);
  net.ready(1);
});

test('correlation ids start again with each connection', () => {
  start();
  net.app.send(1, ListGroups, {});
  net.run();
  broker.transport.end();
  net.run();
  net.advance(100);
  net.ready(1);
  net.app.send(1, ListGroups, {});
  net.run();
  const ids = broker.requests
    .filter(({ transport }) => transport === broker.transport)
    .map(({ correlationId }) => correlationId);
  assert.deepEqual(ids.slice(0, 2), [1, 2]);
});

test('correlation ids of requests in flight go on at 1 after the largest int32, and responses find them', () => {
  start();
  const { nextCorrelationId } = Channel.prototype;
  let isFirst = true;
  mock.method(Channel.prototype, 'nextCorrelationId', function (this: Channel): number {
    // As after two thousand million requests.
    if (isFirst) this.lastCorrelationId = 2 ** 31 - 3;
    isFirst = false;
    return nextCorrelationId.call(this);
  });
  const sent = [1, 2, 3, 4].map(() => net.app.send(1, ListGroups, {}));
  net.run();
  const requests = broker.takeWaiting();
  assert.deepEqual(
    requests.map(({ correlationId }) => correlationId),
    [2 ** 31 - 2, 2 ** 31 - 1, 1, 2],
  );
  broker.transport.send(Buffer.concat(requests.map((request, i) => responseFrame(request, groupsOf(`g${i}`)))));
  net.run();
  assert.deepEqual(sent.flatMap(groupIds), ['g0', 'g1', 'g2', 'g3']);
});

test('the limit of requests in flight counts the requests of all threads together', () => {
  start({ maxInFlightRequestsPerConnection: 3 });
  const other = net.attach();
  const mine = [1, 2].map(() => net.app.send(1, ListGroups, {}));
  net.run();
  const theirs = [1, 2].map(() => other.send(1, ListGroups, {}));
  net.run();
  assert.equal(broker.waiting.length, 3);
  assert.equal(theirs[1]!.state, 'open', 'it waits for a place');
  broker.reply(groupsOf('a'));
  net.run();
  assert.equal(mine[0]!.state, 'succeeded');
  assert.equal(broker.waiting.length, 3);
  while (broker.waiting.length > 0) broker.reply(groupsOf('b'));
  net.run();
  assert.deepEqual(theirs.flatMap(groupIds), ['b', 'b']);
});

test('a request is counted as answered before its response is visible', () => {
  start();
  const { counters } = net.app.end;
  const inFlight = () => counters.inFlight(counters.nodeRow(1));
  const seen: number[] = [];
  const { responses } = net.app.end;
  const next = responses.next.bind(responses);
  responses.next = () => {
    const isThere = next();
    if (isThere) seen.push(inFlight());
    return isThere;
  };
  net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(inFlight(), 1);
  broker.reply(groupsOf('a'));
  net.run();
  assert.deepEqual(seen, [0]);
});
