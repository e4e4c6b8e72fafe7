// Several threads on one connection share its places in flight: what waits for a place, whose turn it is, and how waiting ends.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  Cancelled,
  InvalidRequestError,
  NodeNotReadyError,
  RequestTimedOutError,
  TooManyInFlightRequests,
} from '../../../../src/common/errors/errors.ts';
import { mainLane } from '../../../../src/common/node-ids.ts';
import { ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import type { BrokerRequest } from '../../../../src/worker/client/broker-requests.ts';
import type { Role } from '../../../../src/worker/client/role.ts';
import type { FakeApplication, SentRequest } from '../support/fake-application.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker, FakeRequest } from '../support/fake-peer.ts';

const max = 3;
let net: FakeNetwork;
let broker: FakeBroker;
let other: FakeApplication;

function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork({
    maxInFlightRequestsPerConnection: max,
    metadataMaxAgeMs: 1_000_000,
    connectionsMaxIdleMs: -1,
    requestTimeoutMs: 10_000,
    retryBackoffMs: 0,
    ...options,
  });
  broker = net.broker('one:9092', 1);
  net.ready(1);
  other = net.attach();
  net.run();
}

afterEach(() => net.close());

/** Requests that say whose they are. */
function send(app: FakeApplication, name: string, count = 1, timeoutMs = -1): SentRequest[] {
  return Array.from({ length: count }, () => {
    const sent = app.send(1, ListGroups, { statesFilter: [name] }, { timeoutMs });
    return sent as SentRequest;
  });
}

/** Whose requests have reached the broker, oldest first. */
function arrived(requests: readonly FakeRequest[] = broker.requestsOf(ListGroups)): string[] {
  return requests.map(({ body }) => body.statesFilter.at(0));
}

function answer(): void {
  // A Produce with acks 0 gets no answer.
  while (broker.waiting[0]?.apiKey === Produce.key) broker.next();
  if (broker.waiting.length > 0) broker.reply({ groups: [] });
  net.run();
}

/** Answers all, one after the other. */
function answerAll(): void {
  while (broker.waiting.length > 0) answer();
}

const waiting = (): number => {
  net.thread.loop.wake();
  net.run();
  return net.metrics().total('waitingRequests');
};

test('a thread that sends its next request with every answer does not keep the others from a place', () => {
  start();
  send(net.app, 'busy', max);
  net.run();
  const [one] = send(other, 'one');
  net.run();
  assert.equal(one!.state, 'open', 'it is not refused');
  assert.equal(waiting(), 1);
  let answers = 0;
  while (one!.state === 'open') {
    answer();
    answers++;
    send(net.app, 'busy');
    net.run();
    assert.ok(answers <= max + 1, `${answers} answers to the busy thread`);
    assert.ok(broker.waiting.length <= max, 'the limit counts the requests of all threads');
  }
  assert.equal(arrived().indexOf('one'), max, 'the first place that became free was for it');
  assert.equal(waiting(), 0);
  answerAll();
});

test('threads that all want more than there is take turns, and each keeps its order', () => {
  start();
  const third = net.attach();
  net.run();
  const apps = [net.app, other, third];
  const sent = apps.map((app, i) => send(app, `thread ${i}`, max));
  net.run();
  assert.equal(broker.waiting.length, max);
  assert.equal(waiting(), 2 * max);
  // Each sends its next request when it has an answer.
  for (let i = 0; i < 60; i++) {
    answer();
    apps.forEach((app, n) => {
      if (app.open < max) sent[n]!.push(...send(app, `thread ${n}`));
    });
    net.run();
  }
  const [a, b, c] = [0, 1, 2].map((n) => arrived().filter((name) => name === `thread ${n}`).length) as [
    number,
    number,
    number,
  ];
  assert.ok(Math.max(a, b, c) - Math.min(a, b, c) <= max, `${a}, ${b} and ${c} requests`);
  answerAll();
  for (const [n, app] of apps.entries()) {
    const ids = sent[n]!.map(({ requestId }) => `response ${requestId}`);
    assert.deepEqual(
      app.log.filter((entry) => entry.startsWith('response')),
      ids,
    );
  }
});

test('the limit holds for each thread alone too, whether its requests are in flight or wait', () => {
  start();
  send(net.app, 'busy', max);
  net.run();
  const mine = send(other, 'other', max + 1);
  net.run();
  const states = mine.map(({ state }) => state);
  assert.deepEqual(states, [...Array.from({ length: max }, () => 'open'), 'failed']);
  const { error } = mine[max]!;
  assert.ok(error instanceof TooManyInFlightRequests);
  assert.match(error.message, /node 1 \(one:9092\) has 3 requests in flight, the limit is 3/);
  assert.deepEqual([error.nodeId, error.retriable], [1, true]);
  answerAll();
});

test('a request that gets no answer keeps its place behind those that wait', () => {
  start();
  send(net.app, 'busy', max);
  net.run();
  const [asked] = send(other, 'asked');
  const produced = other.send(1, Produce, { acks: 0, timeoutMs: 1000, topicData: [] });
  net.run();
  assert.equal(broker.requestsOf(Produce).length, 0);
  answer();
  assert.equal(broker.requestsOf(Produce).length, 0, 'there is one place, and it was for the first');
  assert.equal(arrived().at(-1), 'asked');
  answer();
  assert.equal(broker.requestsOf(Produce).length, 1);
  assert.deepEqual([asked!.state, produced.state], ['open', 'succeeded']);
  answerAll();
});

test('a request whose time is over before it has a place fails, and the connection stays', () => {
  start();
  send(net.app, 'busy', max);
  net.run();
  const [late] = send(other, 'late', 1, 500);
  const [patient] = send(other, 'patient');
  net.run();
  net.advance(499);
  assert.equal(late!.state, 'open');
  net.advance(1);
  assert.ok(late!.error instanceof RequestTimedOutError);
  assert.match(late!.error.message, /ListGroups to node 1 .* was not sent within 500 ms: requests of other threads/);
  assert.equal(late!.error.nodeId, 1);
  assert.ok(net.app.isConnected(1));
  answerAll();
  assert.equal(patient!.state, 'succeeded');
  assert.ok(!arrived().includes('late'));
});

test('the time for which a request waits counts for its timeout', () => {
  start();
  send(net.app, 'busy', max);
  net.run();
  const [sent] = send(other, 'other', 1, 1000);
  net.run();
  net.advance(900);
  answer();
  assert.equal(arrived().at(-1), 'other');
  net.advance(99);
  assert.equal(sent!.state, 'open');
  net.advance(1);
  assert.ok(sent!.error instanceof RequestTimedOutError);
  assert.match(sent!.error.message, /had no response within 1000 ms/);
});

test('requests that wait at a lost connection fail as not sent, and close(nodeId) cancels them', () => {
  start();
  send(net.app, 'busy', max);
  const [lost] = send(other, 'other');
  net.run();
  broker.transport.end();
  net.run();
  assert.ok(lost!.error instanceof NodeNotReadyError);
  assert.match(lost!.error.message, /^not sent to node 1/);
  assert.deepEqual([lost!.error.retriable, (lost!.error.cause as Error | undefined) instanceof Error], [true, true]);
  net.advance(1000);
  net.ready(1);
  send(net.app, 'busy', max);
  const [closed] = send(other, 'other');
  net.run();
  net.app.disconnect(1);
  net.run();
  assert.ok(closed!.error instanceof Cancelled);
  net.ready(1);
});

test('requests that wait are not sent to a place that their node has left', () => {
  start();
  // Somebody has to answer for the cluster.
  net.broker('three:9092', 3);
  void net.control.refreshMetadata(null, false);
  net.ready(3);
  const mine = send(net.app, 'busy', max);
  const [sent] = send(other, 'other');
  net.run();
  const moved = net.broker('two:9092');
  net.cluster.brokers = [
    { id: 1, host: 'two', port: 9092 },
    { id: 3, host: 'three', port: 9092 },
  ];
  void net.control.refreshMetadata(null, false);
  net.advance(1000);
  assert.ok(sent!.error instanceof NodeNotReadyError);
  assert.ok(net.app.isConnected(1), 'at the new place');
  send(other, 'again');
  net.run();
  assert.deepEqual(arrived(moved.requestsOf(ListGroups)), ['again']);
  answerAll();
  assert.ok(mine.every(({ state }) => state === 'succeeded'));
  moved.reply({ groups: [] });
  net.run();
});

test('what a thread that has ended had waiting is never sent', () => {
  start();
  send(net.app, 'busy', max);
  send(other, 'other', max);
  net.run();
  net.detach(other);
  net.run();
  assert.equal(waiting(), 0);
  answerAll();
  assert.ok(!arrived().includes('other'));
});

test('a throttled node gets the requests that wait when the time is over, and their deadlines move', () => {
  start();
  send(net.app, 'busy', max);
  net.run();
  const [sent] = send(other, 'other', 1, 1000);
  net.run();
  net.advance(600);
  broker.reply({ throttleTimeMs: 900, groups: [] });
  net.run();
  assert.ok(!arrived().includes('other'));
  net.advance(899);
  assert.equal(sent!.state, 'open', '1000 ms and the 900 of the throttle');
  assert.ok(!arrived().includes('other'));
  net.advance(1);
  assert.equal(arrived().at(-1), 'other');
  answerAll();
});

test('requests that wait count against the memory of their thread, and then no more are taken from it', () => {
  start({ spillBudgetBytes: 64 * 1024, spillBytes: 1024, maxInFlightRequestsPerConnection: 20 });
  send(net.app, 'busy', 20);
  net.run();
  const large = [1, 2, 3].flatMap(() => {
    const sent = send(other, 'x'.repeat(30_000));
    net.run();
    return sent;
  });
  assert.equal(waiting(), 3, 'with the third, the limit is passed');
  const [small] = send(other, 'small');
  net.run();
  assert.equal(waiting(), 3);
  assert.ok(!other.end.requests.isEmpty(), 'it stays in the memory of its thread');
  const third = net.attach();
  send(third, 'third');
  net.run();
  answer();
  answer();
  assert.ok(arrived().includes('third'), 'other threads have their turns');
  answerAll();
  assert.ok([...large, small!].every(({ state }) => state === 'succeeded'));
});

test('a request that turns out to be too large when it has a place fails alone', () => {
  start({ maxRequestSizeBytes: 20_000 });
  send(net.app, 'busy', max);
  net.run();
  const [large] = send(other, 'x'.repeat(30_000));
  const [small] = send(other, 'small');
  net.run();
  answer();
  assert.ok(large!.error instanceof InvalidRequestError);
  assert.equal(arrived().at(-1), 'small', 'the place is for the next one');
  answerAll();
  assert.equal(small!.state, 'succeeded');
});

test('threads that keep all places leave one to the network thread itself when it wants one', () => {
  start();
  send(net.app, 'busy', max);
  send(other, 'other', max);
  net.run();
  const { requests } = net.thread.roleHost;
  const to = { brokerId: 1, lane: mainLane };
  let isSent = false;
  const role: Role = {
    poll(now) {
      if (isSent || !requests.isReady(to, now)) return;
      isSent = true;
      const api = ListGroups as BrokerRequest['api'];
      const request = { statesFilter: ['role'] };
      requests.send({ to, api, request, timeoutMs: 1000, onResponse() {}, onFailure: assert.fail }, now);
    },
    nextDeadline: () => Number.POSITIVE_INFINITY,
  };
  net.thread.roles.add(role);
  net.thread.loop.wake();
  net.run();
  assert.ok(!isSent);
  answer();
  assert.deepEqual(arrived().slice(max), ['role', 'other'], 'both have a place');
  net.thread.roles.delete(role);
  answerAll();
});

/** A role that sends whenever it may. */
function greedy(name: string, lane: string, isOver: () => boolean): Role {
  const { requests } = net.thread.roleHost;
  const to = { brokerId: 1, lane };
  return {
    poll(now) {
      const api = ListGroups as BrokerRequest['api'];
      const request = { statesFilter: [name] };
      while (!isOver() && requests.isReady(to, now))
        requests.send({ to, api, request, timeoutMs: 1000, onResponse() {}, onFailure: assert.fail }, now);
    },
    nextDeadline: () => Number.POSITIVE_INFINITY,
  };
}

test('producers and consumers that send without end take turns on a connection, whoever was there first', () => {
  start();
  let isOver = false;
  const roles = ['first', 'second', 'third'].map((name) => greedy(name, 'produce', () => isOver));
  for (const role of roles) net.thread.roles.add(role);
  net.thread.loop.wake();
  net.run();
  for (let i = 0; i < 30; i++) answer();
  isOver = true;
  const names = arrived();
  assert.deepEqual(names.slice(0, max), ['first', 'first', 'first'], 'nobody else wanted a place');
  for (const name of ['first', 'second', 'third'])
    assert.equal(names.slice(max).filter((each) => each === name).length, 10, name);
  answerAll();
  for (const role of roles) net.thread.roles.delete(role);
});
