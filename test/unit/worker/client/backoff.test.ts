// When the next connection attempt may begin: the backoff after failures, and the timeout of an attempt.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { NodeNotReadyError } from '../../../../src/common/errors/errors.ts';
import { ListGroups } from '../../../../src/protocol/flat/generated/apis.ts';
import { NODE_CONNECTED, NODE_CONNECTING, NODE_DISCONNECTED } from '../../../../src/state/counters.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';

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

test('a node in backoff is not connected, whoever asks', () => {
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

test('the thread makes no turn when there is nothing to do', () => {
  start({ connectionsMaxIdleMs: -1 });
  const turns = net.turns;
  net.advance(net.config.metadataMaxAgeMs - 1000);
  assert.ok(net.turns - turns <= 3, `${net.turns - turns} turns`);
});

test('the setup timeout doubles with each timeout, up to its limit, and a success resets it', () => {
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

test('an attempt to a black hole ends at connectionSetupTimeoutMs, and the error of a send before that says so', () => {
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
