// Connections after the machine was suspended. The monotonic clock stood still too, so no deadline has passed.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { ListGroups } from '../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from './support/fake-network.ts';
import type { FakeBroker } from './support/fake-peer.ts';

let net: FakeNetwork;
let one: FakeBroker;
let polls = 0;

function start(): void {
  net = new FakeNetwork({ logLevel: 'info' });
  one = net.broker('one:9092', 1);
  net.broker('two:9092', 2);
  net.ready(1);
  net.ready(2);
}

afterEach(() => net.close());

/** The wall clock goes on, or back, by itself; then something happens. */
function pass(wallMs: number): void {
  net.wallAheadMs += wallMs;
  net.app.poll(++polls);
  net.run();
}

function events(): string[] {
  return net.logs.flatMap(({ records }) => records.map(({ event }) => event)).filter((event) => event === 'resumed');
}

test('idle connections are closed before a request is written to them', () => {
  start();
  net.wallAheadMs += 600_000;
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  assert.equal(sent.state, 'failed', 'not written to a peer that may be gone');
  assert.equal(one.waiting.length, 0);
  assert.equal(net.app.isConnected(2), false);
  assert.deepEqual(events(), ['resumed']);
  net.ready(1);
});

test('a connection with a request in flight stays until its deadline', () => {
  start();
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  pass(600_000);
  assert.equal(net.app.isConnected(1), true);
  assert.equal(net.app.isConnected(2), false);
  one.reply({ groups: [] });
  net.run();
  assert.equal(sent.state, 'succeeded');
});

test('short pauses, a clock that is slowed or set back, change nothing', () => {
  start();
  for (const ms of [29_999, -3_600_000, 20_000, 20_000, 20_000]) pass(ms);
  assert.equal(net.app.isConnected(1), true);
  assert.equal(net.app.isConnected(2), true);
  assert.deepEqual(events(), []);
});
