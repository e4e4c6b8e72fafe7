// How connections end: timeouts, losses, idleness, purpose; and when the next may begin. Every deadline is met by the
// thread's own timer, since nothing else happens in these tests.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  Cancelled,
  KafkaConnectionError,
  NodeNotReadyError,
  RequestTimedOutError,
} from '../../../../src/common/errors/errors.ts';
import { ApiVersions, Heartbeat, ListGroups, Metadata, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { NODE_CONNECTED, NODE_CONNECTING, NODE_DISCONNECTED, NODE_UNKNOWN } from '../../../../src/state/counters.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, range, responseFrame } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;

/** A bootstrap server, and brokers 1 and 2 behind it; broker 1 is connected. */
function start(options: KafkaClientOptions = {}): { boot: FakeBroker; second: FakeBroker } {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092', ...options });
  const boot = net.broker('boot:9092');
  broker = net.broker('one:9092', 1);
  const second = net.broker('two:9092', 2);
  net.ready(1);
  return { boot, second };
}

afterEach(() => net.close());

const heartbeat = { groupId: 'g', generationId: 1, memberId: 'm' };

test('a request without answer fails at requestTimeoutMs; its connection is closed, the others on it learn why', () => {
  start({ requestTimeoutMs: 1000 });
  const first = net.app.send(1, ListGroups, {});
  net.run();
  net.advance(400);
  const second = net.app.send(1, Heartbeat, heartbeat);
  net.run();
  net.advance(599);
  assert.equal(first.state, 'open');
  net.advance(1);
  assert.ok(first.error instanceof RequestTimedOutError);
  assert.match(first.error.message, /ListGroups to node 1 \(one:9092\) had no response within 1000 ms/);
  assert.equal(first.error.apiKey, ListGroups.key);
  assert.equal(first.error.nodeId, 1);
  assert.equal(typeof first.error.correlationId, 'number');
  assert.ok(second.error instanceof KafkaConnectionError);
  assert.ok(second.error.cause instanceof RequestTimedOutError);
  assert.ok(broker.transport.isDestroyed);
  const failures = net.app.log.filter((entry) => entry.startsWith('failure'));
  assert.deepEqual(failures, ['failure 1', 'failure 2'], 'oldest first');
});

test('a request of its own timeout expires before older ones', () => {
  start({ requestTimeoutMs: 10_000 });
  const patient = net.app.send(1, ListGroups, {});
  const hasty = net.app.send(1, Heartbeat, heartbeat, { timeoutMs: 70 });
  net.run();
  net.advance(69);
  assert.equal(hasty.state, 'open');
  net.advance(1);
  assert.ok(hasty.error instanceof RequestTimedOutError);
  assert.match(hasty.error.message, /within 70 ms/);
  assert.ok(patient.error instanceof KafkaConnectionError);
});

test('a request of its own timeout outlives requestTimeoutMs', () => {
  start({ requestTimeoutMs: 1000 });
  const sent = net.app.send(1, ListGroups, {}, { timeoutMs: 5000 });
  net.run();
  net.advance(4999);
  broker.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
});

test('a response that has arrived beats the deadline, however late it is looked at', () => {
  start({ requestTimeoutMs: 1000 });
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ groups: [{ groupId: 'in time' }] });
  net.now += 60_000;
  net.run();
  assert.equal([...sent.view.groups][0]!.groupId, 'in time');
});

test('half a response does not extend the deadline', () => {
  start({ requestTimeoutMs: 1000 });
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  const frame = responseFrame(broker.next(), { groups: [{ groupId: 'never whole' }] });
  for (let i = 0; i < 10; i++) {
    broker.transport.send(frame.subarray(i, i + 1));
    net.advance(99);
  }
  assert.equal(sent.state, 'open');
  net.advance(10);
  assert.ok(sent.error instanceof RequestTimedOutError);
});

test('a timeout of one node leaves the others alone', () => {
  const { second } = start({ requestTimeoutMs: 1000 });
  net.ready(2);
  const lost = net.app.send(1, ListGroups, {});
  const kept = net.app.send(2, ListGroups, {}, { timeoutMs: 3000 });
  net.run();
  net.advance(1000);
  assert.ok(lost.error instanceof RequestTimedOutError);
  second.reply({ groups: [] });
  net.run();
  assert.equal(kept.state, 'succeeded');
});

test('a request half-written when it expires takes its connection along', () => {
  start({ requestTimeoutMs: 1000 });
  broker.transport.isBlocked = true;
  const sent = [net.app.send(1, ListGroups, {}), net.app.send(1, ListGroups, {})] as const;
  net.run();
  net.advance(1000);
  assert.ok(sent[0].error instanceof RequestTimedOutError);
  assert.ok(sent[1].error instanceof KafkaConnectionError);
  assert.ok(broker.transport.isDestroyed);
});

test('a lost connection asks for metadata; the node may be connected to again at once when the last attempt is long ago', () => {
  start({ metadataMaxAgeMs: 1_000_000 });
  net.ready(2);
  net.advance(10_000);
  const before = net.app.metadata.length;
  broker.transport.end();
  net.run();
  assert.equal(net.app.nodeState(1), NODE_DISCONNECTED);
  net.advance(200);
  assert.equal(net.app.metadata.length, before + 1);
  net.ready(1);
});

test('a request that times out asks for metadata', () => {
  start({ requestTimeoutMs: 500, metadataMaxAgeMs: 1_000_000 });
  net.ready(2);
  net.advance(1000);
  const before = net.app.metadata.length;
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  net.advance(499);
  assert.equal(net.app.metadata.length, before);
  net.advance(1);
  assert.equal(sent.error.name, 'RequestTimedOutError');
  net.advance(200);
  assert.equal(net.app.metadata.length, before + 1);
});

test('a connection closed on purpose, and a bootstrap server that fails, ask for no metadata', () => {
  const { boot } = start({ metadataMaxAgeMs: 1_000_000, connectionsMaxIdleMs: -1 });
  net.ready(2);
  net.advance(10_000);
  net.ready(-1);
  const before = net.app.metadata.length;
  net.app.disconnect(1);
  net.run();
  net.serve('boot:9092', 'refuses');
  boot.transport.end();
  net.run();
  assert.equal(net.app.nodeState(-1), NODE_DISCONNECTED);
  net.app.connect(-1);
  net.advance(10_000);
  assert.equal(net.app.nodeState(-1), NODE_DISCONNECTED);
  assert.equal(net.app.metadata.length, before);
});

test('in its backoff a node is not connected to, whoever asks', () => {
  const { second } = start({ reconnectBackoffMs: 500, reconnectBackoffMaxMs: 500, metadataMaxAgeMs: 1_000_000 });
  net.serve('two:9092', 'refuses');
  net.app.connect(2);
  net.run();
  const attempts = () => net.attempted.filter((address) => address === 'two:9092').length;
  assert.equal(attempts(), 1);
  net.serve('two:9092', second);
  for (let i = 0; i < 4; i++) {
    net.app.connect(2);
    const sent = net.app.send(2, ListGroups, {});
    net.run();
    assert.ok(sent.error instanceof NodeNotReadyError);
    net.advance(100);
  }
  assert.equal(attempts(), 1);
  net.advance(100);
  net.ready(2);
  assert.equal(attempts(), 2);
});

test('backoff doubles from reconnectBackoffMs to reconnectBackoffMaxMs, counted from the start of the attempt', () => {
  net = new FakeNetwork({ reconnectBackoffMs: 40, reconnectBackoffMaxMs: 500 });
  net.run();
  net.advance(4000);
  const gaps = net.attempts.slice(1).map(({ at }, i) => at - net.attempts[i]!.at);
  assert.deepEqual(gaps.slice(0, 7), [40, 80, 160, 320, 500, 500, 500]);
});

test('jitter spreads the backoff by 20 percent both ways, after the cap', () => {
  for (const [random, factor] of [
    [0, 0.8],
    [0.25, 0.9],
    [0.999999, 1.2],
  ] as const) {
    net = new FakeNetwork({ reconnectBackoffMs: 100, reconnectBackoffMaxMs: 200 });
    net.random = () => random;
    net.run();
    net.advance(3000);
    const gaps = net.attempts.slice(1).map(({ at }, i) => at - net.attempts[i]!.at);
    for (const [i, base] of [100, 200, 200, 200].entries()) {
      assert.ok(Math.abs(gaps[i]! - base * factor) <= 1.01, `${gaps[i]} after ${i}, expected ${base * factor}`);
    }
    void net.close();
  }
});

test('a backoff limit at or below the base means a constant wait', () => {
  net = new FakeNetwork({ reconnectBackoffMs: 70, reconnectBackoffMaxMs: 10 });
  net.random = () => 0;
  net.run();
  net.advance(1000);
  const gaps = net.attempts.slice(1).map(({ at }, i) => at - net.attempts[i]!.at);
  assert.deepEqual(new Set(gaps), new Set([70]));
});

test('a ready connection resets the backoff', () => {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092' });
  net.run();
  net.advance(2000);
  broker = net.broker('boot:9092');
  net.advance(1200);
  assert.ok(net.app.isConnected(-1));
  const until = net.attempts.length;
  net.serve('boot:9092', 'refuses');
  net.advance(60);
  broker.transport.end();
  for (let i = 0; i < 400; i++) {
    net.app.connect(-1);
    net.advance(1);
  }
  const at = net.attempts.slice(until).map((attempt) => attempt.at);
  assert.equal(at[1]! - at[0]!, 100, 'the second failure in a row again');
});

test('while every node refuses, the thread sleeps between attempts', () => {
  net = new FakeNetwork({ bootstrapServers: 'a:9092,b:9092,c:9092' });
  net.run();
  const turns = net.turns;
  net.advance(60_000);
  assert.ok(net.attempts.length < 250, `${net.attempts.length} attempts in a minute at three servers`);
  assert.ok(net.turns - turns < 2000, `${net.turns - turns} turns in a minute`);
});

test('without anything to do the thread makes no turn', () => {
  start({ connectionsMaxIdleMs: -1 });
  const turns = net.turns;
  net.advance(net.config.metadataMaxAgeMs - 1000);
  assert.ok(net.turns - turns <= 3, `${net.turns - turns} turns`);
});

test('the setup timeout doubles with each failure of that kind, up to its limit, and a success resets it', () => {
  net = new FakeNetwork({
    bootstrapServers: 'boot:9092',
    connectionSetupTimeoutMs: 1000,
    connectionSetupTimeoutMaxMs: 3000,
    reconnectBackoffMs: 0,
    reconnectBackoffMaxMs: 0,
  });
  net.serve('boot:9092', 'silent');
  net.run();
  net.advance(12_000);
  const gaps = net.attempts.slice(1).map(({ at }, i) => at - net.attempts[i]!.at);
  assert.deepEqual(gaps, [1000, 2000, 3000, 3000, 3000]);
  broker = net.broker('boot:9092');
  net.advance(3000);
  assert.ok(net.app.isConnected(-1));
  net.serve('boot:9092', 'silent');
  const until = net.attempts.length;
  broker.transport.end();
  net.run();
  net.advance(1500);
  const at = net.attempts.slice(until).map((attempt) => attempt.at);
  assert.equal(at[1]! - at[0]!, 1000);
});

test('a black hole ends at connectionSetupTimeoutMs, and a send meanwhile says so', () => {
  start({ connectionSetupTimeoutMs: 2000, connectionSetupTimeoutMaxMs: 2000 });
  net.serve('two:9092', 'silent');
  net.app.connect(2);
  net.run();
  assert.equal(net.app.nodeState(2), NODE_CONNECTING);
  const early = net.app.send(2, ListGroups, {});
  net.run();
  assert.ok(early.error instanceof NodeNotReadyError);
  net.advance(1999);
  assert.equal(net.app.nodeState(2), NODE_CONNECTING);
  net.advance(1);
  assert.equal(net.app.nodeState(2), NODE_DISCONNECTED);
  assert.equal(net.app.nodeState(1), NODE_CONNECTED);
});

test('an idle connection is closed after connectionsMaxIdleMs, without backoff or metadata', () => {
  start({ connectionsMaxIdleMs: 5000, metadataMaxAgeMs: 1_000_000 });
  const metadata = net.app.metadata.length;
  net.advance(4999);
  assert.ok(net.app.isConnected(1));
  net.advance(1);
  assert.equal(net.app.nodeState(1), NODE_UNKNOWN);
  assert.ok(broker.transport.isDestroyed);
  net.ready(1);
  net.advance(1000);
  assert.equal(net.app.metadata.length, metadata);
});

test('a response puts idleness off', () => {
  start({ connectionsMaxIdleMs: 5000 });
  for (let i = 0; i < 4; i++) {
    net.advance(4000);
    net.app.send(1, ListGroups, {});
    net.run();
    broker.reply({ groups: [] });
    net.run();
  }
  assert.ok(net.app.isConnected(1));
  net.advance(5000);
  assert.equal(net.app.isConnected(1), false);
});

test('a connection with a request in flight is never idle', () => {
  start({ connectionsMaxIdleMs: 1000, requestTimeoutMs: 60_000 });
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  net.advance(50_000);
  assert.equal(sent.state, 'open');
  assert.ok(net.app.isConnected(1));
  broker.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
});

test('a producer with acks 0 is not idle: nothing ever answers it', () => {
  start({ connectionsMaxIdleMs: 1000 });
  for (let i = 0; i < 5; i++) {
    net.advance(900);
    const sent = net.app.send(1, Produce, { acks: 0, timeoutMs: 10, topicData: [] });
    net.run();
    assert.equal(sent.state, 'succeeded');
  }
  assert.ok(net.app.isConnected(1));
});

for (const connectionsMaxIdleMs of [0, -1]) {
  test(`connectionsMaxIdleMs ${connectionsMaxIdleMs} disables idleness`, () => {
    start({ connectionsMaxIdleMs });
    net.advance(10_000_000);
    assert.ok(net.app.isConnected(1));
  });
}

test('of several idle connections the longest idle goes first', () => {
  const { second } = start({ connectionsMaxIdleMs: 5000 });
  net.advance(1000);
  net.ready(2);
  net.advance(1000);
  net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ groups: [] });
  net.run();
  const closed: string[] = [];
  for (const [name, { transport }] of Object.entries({ first: broker, second })) {
    const destroy = transport.destroy.bind(transport);
    transport.destroy = () => {
      closed.push(name);
      destroy();
    };
  }
  // As after a long turn: both are overdue at once.
  net.now += 60_000;
  net.thread.loop.wake();
  net.run();
  assert.deepEqual(closed, ['second']);
  net.advance(10);
  assert.deepEqual(closed, ['second', 'first']);
});

test('the bootstrap connection is closed once a broker is ready and it has nothing in flight', () => {
  net = new FakeNetwork({ bootstrapServers: 'boot:9092' });
  const boot = net.broker('boot:9092');
  broker = net.broker('one:9092', 1);
  net.run();
  assert.ok(net.app.isConnected(-1));
  const sent = net.app.send(-1, ListGroups, {});
  net.run();
  net.ready(1);
  assert.ok(net.app.isConnected(-1), 'not while a request is in flight');
  boot.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
  assert.equal(net.app.nodeState(-1), NODE_UNKNOWN);
  assert.ok(boot.transport.isDestroyed);
});

test('disconnect on purpose: requests are cancelled, nothing backs off', () => {
  start();
  const sent = [net.app.send(1, ListGroups, {}), net.app.send(1, ListGroups, {})];
  net.run();
  net.app.disconnect(1);
  net.run();
  for (const { error } of sent) {
    assert.ok(error instanceof Cancelled);
    assert.equal(error.nodeId, 1);
  }
  assert.equal(net.app.nodeState(1), NODE_UNKNOWN);
  assert.ok(broker.transport.isDestroyed);
  net.ready(1);
});

test('disconnect of a node that is backing off forgets its failures', () => {
  start({ reconnectBackoffMs: 1000, reconnectBackoffMaxMs: 60_000 });
  net.serve('two:9092', 'refuses');
  net.app.connect(2);
  net.run();
  assert.equal(net.app.nodeState(2), NODE_DISCONNECTED);
  net.app.disconnect(2);
  net.run();
  assert.equal(net.app.nodeState(2), NODE_UNKNOWN);
  net.broker('two:9092');
  net.ready(2);
});

test('disconnect of a node that is connecting, or that nobody knows', () => {
  start();
  net.serve('two:9092', 'silent');
  net.app.connect(2);
  net.run();
  const transport = net.transports.at(-1)!;
  net.app.disconnect(2);
  net.app.disconnect(99);
  net.run();
  assert.ok(transport.isDestroyed);
  assert.equal(net.app.nodeState(2), NODE_UNKNOWN);
  net.advance(60_000);
  assert.equal(net.attempted.filter((address) => address === 'two:9092').length, 1);
});

test('send and disconnect in one turn: the request is cancelled and nothing reaches the broker', () => {
  start();
  const sent = net.app.send(1, ListGroups, {});
  net.app.disconnect(1);
  net.run();
  assert.ok(sent.error instanceof Cancelled);
  assert.equal(broker.requestsOf(ListGroups).length, 0);
});

// --- throttling

function throttled(version: number, throttleTimeMs: number): void {
  start();
  broker.ranges.set(ListGroups.key, range(0, version));
  net.app.disconnect(1);
  net.ready(1);
  net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ throttleTimeMs, groups: [] });
  net.run();
}

test('a throttle time makes the node unready until it is over; what is in flight goes on with more time', () => {
  start({ requestTimeoutMs: 1000 });
  const first = net.app.send(1, ListGroups, {});
  const second = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ throttleTimeMs: 500, groups: [] });
  net.run();
  assert.equal(first.state, 'succeeded', 'delivered at once');
  const refused = net.app.send(1, ListGroups, {});
  net.run();
  assert.ok(refused.error instanceof NodeNotReadyError);
  assert.match(refused.error.message, /another 500 ms \(quota\)/);
  assert.ok(net.app.isConnected(1));
  net.advance(500);
  const third = net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(third.state, 'open');
  net.advance(999);
  assert.equal(second.state, 'open', '1000 ms and the 500 of the throttle');
  net.advance(1);
  assert.ok(second.error instanceof RequestTimedOutError);
});

test('a shorter throttle does not end a longer one', () => {
  start();
  for (let i = 0; i < 2; i++) net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ throttleTimeMs: 800, groups: [] });
  broker.reply({ throttleTimeMs: 100, groups: [] });
  net.run();
  net.advance(799);
  const refused = net.app.send(1, ListGroups, {});
  net.run();
  assert.ok(refused.error instanceof NodeNotReadyError);
  net.advance(1);
  const accepted = net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(accepted.state, 'open');
});

test('throttles that overlap lengthen deadlines by the time they cover together', () => {
  start({ requestTimeoutMs: 1000 });
  const [, , last] = Array.from({ length: 3 }, () => net.app.send(1, ListGroups, {}));
  net.run();
  for (let i = 0; i < 2; i++) broker.reply({ throttleTimeMs: 400, groups: [] });
  net.run();
  net.advance(1399);
  assert.equal(last!.state, 'open');
  net.advance(1);
  assert.ok(last!.error instanceof RequestTimedOutError);
});

test('a huge throttle time keeps no request open for longer than twice its limit, and the node unready all the while', () => {
  start({ requestTimeoutMs: 1000 });
  const [, hasty, patient] = [1000, 1000, 5000].map((timeoutMs) => net.app.send(1, ListGroups, {}, { timeoutMs }));
  net.run();
  broker.reply({ throttleTimeMs: 2 ** 31 - 1, groups: [] });
  net.run();
  net.advance(1999);
  assert.equal(hasty!.state, 'open');
  const refused = net.app.send(1, ListGroups, {});
  net.run();
  assert.ok(refused.error instanceof NodeNotReadyError);
  net.advance(1);
  assert.ok(hasty!.error instanceof RequestTimedOutError);
  assert.ok(patient!.error instanceof KafkaConnectionError, 'the connection went with it');
});

test('brokers that wait before they answer are not waited for again', () => {
  throttled(1, 5000);
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(sent.state, 'open');
});

test('a negative throttle time is ignored, and the response is delivered once', () => {
  throttled(2, -1);
  assert.equal(net.app.sent.at(-1)!.state, 'succeeded');
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(sent.state, 'open');
});

test('a huge throttle time still lets the node be closed', () => {
  throttled(2, 2 ** 31 - 1);
  net.app.disconnect(1);
  net.run();
  assert.equal(net.app.nodeState(1), NODE_UNKNOWN);
  net.ready(1);
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(sent.state, 'open', 'the new connection knows nothing of it');
});

test('metadata that is due while its only node is throttled is asked for when the throttle ends', () => {
  net = new FakeNetwork({ connectionsMaxIdleMs: -1, metadataMaxAgeMs: 5000 });
  broker = net.broker('one:9092', 1);
  net.ready(1);
  net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ throttleTimeMs: 20_000, groups: [] });
  net.run();
  const before = broker.requestsOf(Metadata).length;
  net.advance(19_999);
  assert.equal(broker.requestsOf(Metadata).length, before);
  net.advance(2);
  assert.equal(broker.requestsOf(Metadata).length, before + 1);
});

test('the version exchange of every connection is its own', () => {
  start();
  broker.ranges.set(ListGroups.key, range(0, 1));
  broker.transport.end();
  net.run();
  net.advance(100);
  net.ready(1);
  net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(broker.waiting[0]!.version, 1);
  assert.equal(broker.requestsOf(ApiVersions).length, 2);
});
