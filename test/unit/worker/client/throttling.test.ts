// Throttle times in responses: the node is not ready, and the deadlines of its requests move.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import {
  KafkaConnectionError,
  KafkaTimeoutError,
  NodeNotReadyError,
  RequestTimedOutError,
} from '../../../../src/common/errors/errors.ts';
import { ListGroups, Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { NODE_UNKNOWN } from '../../../../src/state/counters.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import { type FakeBroker, range } from '../support/fake-peer.ts';
import { refresh } from './support/refresh.ts';

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

test('a throttle time makes the node unready until it is over, and requests in flight get more time', () => {
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

test('a huge throttle time keeps the node unready, but no request open for longer than twice its limit', () => {
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

test('the client does not wait for brokers that have waited before they answered', () => {
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

test('a node with a huge throttle time can be closed', () => {
  throttled(2, 2 ** 31 - 1);
  net.app.disconnect(1);
  net.run();
  assert.equal(net.app.nodeState(1), NODE_UNKNOWN);
  net.ready(1);
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(sent.state, 'open', 'the new connection knows nothing of it');
});

test('a refresh that is awaited ends at its own limit, however long the only node throttles, and a later one succeeds', async () => {
  net = new FakeNetwork({ connectionsMaxIdleMs: -1, requestTimeoutMs: 10_000 });
  broker = net.broker('one:9092', 1);
  net.ready(1);
  net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ throttleTimeMs: 2 ** 31 - 1, groups: [] });
  net.run();
  const first = refresh(net);
  await net.advanceSettled(5000);
  const second = refresh(net);
  await net.advanceSettled(14_999);
  assert.equal(first.outcome, 'open');
  await net.advanceSettled(1);
  assert.ok(first.error instanceof KafkaTimeoutError, String(first.error));
  assert.match(
    first.error.message,
    /within 20000 ms \(twice requestTimeoutMs\): .*throttled for another \d+ ms \(quota\)/,
  );
  assert.ok(first.error.cause instanceof NodeNotReadyError);
  assert.equal(second.outcome, 'open', 'each has its own limit');
  await net.advanceSettled(5000);
  assert.equal(second.outcome, 'failed');
  // Throttle times are limited to five minutes.
  await net.advanceSettled(275_000);
  const last = refresh(net);
  await net.advanceSettled(10_000);
  assert.equal(last.outcome, 'succeeded', String(last.error));
});

test('metadata that is due while its only node is throttled is requested when the throttle time ends', () => {
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
