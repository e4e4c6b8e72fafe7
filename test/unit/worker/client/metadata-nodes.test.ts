// The node that is asked for metadata: ready nodes come first, and a node that does not answer does not delay a refresh.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { coordinatorNodeId } from '../../../../src/common/node-ids.ts';
import { ListGroups, Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';

let net: FakeNetwork;

function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork({ metadataMaxAgeMs: 1_000_000, connectionsMaxIdleMs: -1, ...options });
}

afterEach(() => net.close());

/** Asks for a refresh, and says later whether there was one. */
async function refresh(): Promise<{ isDone: boolean }> {
  const state = { isDone: false };
  void net.control.refreshMetadata(null, false).then((result) => {
    state.isDone = 'value' in result;
  });
  await net.settled();
  return state;
}

/** Brokers 1 to `count` at `<id>:9092`, known to the client, none of them connected, nor any bootstrap server. */
function knownBrokers(count: number): FakeBroker[] {
  const brokers = Array.from({ length: count }, (_, i) => net.broker(`${i + 1}:9092`, i + 1));
  const boot = net.broker('boot:9092');
  net.run();
  net.advance(1000);
  net.app.disconnect(-1);
  net.run();
  net.serve('boot:9092', 'refuses');
  assert.equal(boot.requestsOf(Metadata).length, 1);
  return brokers;
}

function attemptsSince(start: number): { address: string; afterMs: number }[] {
  return net.attempts.filter(({ at }) => at >= start).map(({ address, at }) => ({ address, afterMs: at - start }));
}

test('an idle ready node is asked before a busy one', async () => {
  start();
  net.broker('one:9092', 1);
  const other = net.broker('two:9092', 2);
  net.ready(1);
  net.ready(2);
  net.app.send(1, ListGroups, {});
  net.advance(1000);
  await refresh();
  assert.equal(other.requestsOf(Metadata).length, 1);
});

test('a busy ready node is asked before one that must be connected', async () => {
  start({ bootstrapServers: 'boot:9092' });
  const [one] = knownBrokers(3);
  net.serve('2:9092', 'silent');
  net.serve('3:9092', 'silent');
  net.ready(1);
  net.app.send(1, ListGroups, {});
  net.advance(1000);
  const since = net.now;
  const wanted = await refresh();
  assert.equal(one!.requestsOf(Metadata).length, 1);
  one!.reply({ groups: [] });
  await net.settled();
  assert.ok(wanted.isDone);
  assert.deepEqual(attemptsSince(since), []);
});

test('the open bootstrap connection is asked while no broker is connected', async () => {
  start({ bootstrapServers: 'boot:9092' });
  const boot = net.broker('boot:9092');
  net.broker('one:9092', 1);
  net.serve('one:9092', 'silent');
  net.run();
  net.advance(1000);
  const wanted = await refresh();
  assert.ok(wanted.isDone);
  assert.equal(boot.requestsOf(Metadata).length, 2);
  assert.deepEqual(net.attempted, ['boot:9092']);
});

test('the client does not wait for a node without room, and connects another node', async () => {
  start({ bootstrapServers: 'boot:9092', maxInFlightRequestsPerConnection: 1 });
  knownBrokers(2);
  net.ready(1);
  net.app.send(1, ListGroups, {});
  net.run();
  const wanted = await refresh();
  assert.equal(net.attempted.at(-1), '2:9092');
  assert.ok(wanted.isDone);
});

test('the reserved place of a full node is used if no other node can be connected', async () => {
  for (const other of ['refuses', 'silent'] as const) {
    start({ bootstrapServers: 'boot:9092', maxInFlightRequestsPerConnection: 1, reconnectBackoffMs: 10_000 });
    const [one] = knownBrokers(2);
    net.serve('2:9092', other);
    net.ready(1);
    net.app.send(1, ListGroups, {});
    net.run();
    const asked = one!.requestsOf(Metadata).length;
    const wanted = await refresh();
    await net.advanceSettled(300);
    assert.equal(one!.requestsOf(Metadata).length, asked + 1, other);
    one!.reply({ groups: [] });
    await net.settled();
    assert.ok(wanted.isDone, other);
    await net.close();
  }
});

test('a black hole delays a refresh for 250 ms, not until its setup timeout', async () => {
  start({ bootstrapServers: 'boot:9092' });
  knownBrokers(2);
  // Chance names the second.
  net.serve('2:9092', 'silent');
  const since = net.now;
  const wanted = await refresh();
  await net.advanceSettled(249);
  assert.deepEqual(attemptsSince(since), [{ address: '2:9092', afterMs: 0 }]);
  assert.equal(wanted.isDone, false);
  await net.advanceSettled(1);
  assert.deepEqual(attemptsSince(since).at(-1), { address: '1:9092', afterMs: 250 });
  assert.ok(wanted.isDone);
});

test('a black hole that the application wants and an unresolved name delay a refresh no longer', async () => {
  for (const isName of [false, true]) {
    start({ bootstrapServers: 'boot:9092' });
    knownBrokers(2);
    net.serve('1:9092', 'silent');
    if (isName) net.names.set('1', 'silent');
    net.app.connect(1);
    net.run();
    const wanted = await refresh();
    await net.advanceSettled(250);
    assert.ok(wanted.isDone);
    net.answerLookups();
    await net.close();
  }
});

test('a connecting coordinator gives no metadata and delays nothing', async () => {
  start({ bootstrapServers: 'boot:9092' });
  knownBrokers(2);
  net.serve('1:9092', 'silent');
  net.app.connect(coordinatorNodeId(1));
  net.run();
  assert.equal(net.attempted.at(-1), '1:9092');
  const wanted = await refresh();
  assert.equal(net.attempted.at(-1), '2:9092');
  assert.ok(wanted.isDone);
});

test('attempts at a time stay few with many black holes, because each attempt waits longer for the next', async () => {
  start({ bootstrapServers: 'boot:9092' });
  knownBrokers(50);
  for (let id = 1; id <= 50; id++) net.serve(`${id}:9092`, 'silent');
  const since = net.now;
  await refresh();
  await net.advanceSettled(9999);
  const attempts = attemptsSince(since);
  assert.deepEqual(
    attempts.map(({ afterMs }) => afterMs),
    [0, 250, 750, 1750, 3750, 6250, 8750],
  );
  assert.equal(new Set(attempts.map(({ address }) => address)).size, attempts.length);
  await net.advanceSettled(50_000);
  const open = net.transports.filter(({ isDestroyed }) => !isDestroyed);
  assert.ok(open.length <= 7, `${open.length} at a time`);
});

test('the second attempt begins within a quarter of a short setup timeout', async () => {
  start({ bootstrapServers: 'boot:9092', connectionSetupTimeoutMs: 100 });
  knownBrokers(2);
  net.serve('2:9092', 'silent');
  const since = net.now;
  const wanted = await refresh();
  await net.advanceSettled(25);
  assert.deepEqual(attemptsSince(since).at(-1), { address: '1:9092', afterMs: 25 });
  assert.ok(wanted.isDone);
});

test('the node that was tried last comes last', async () => {
  start({ bootstrapServers: 'boot:9092' });
  knownBrokers(3);
  // Chance names the second.
  for (const id of [1, 2]) {
    net.advance(1000);
    net.ready(id);
    net.app.disconnect(id);
  }
  net.advance(1000);
  const since = net.now;
  await refresh();
  assert.deepEqual(attemptsSince(since), [{ address: '3:9092', afterMs: 0 }]);
});

test('a throttled broker is not connected for metadata', async () => {
  start({ bootstrapServers: 'boot:9092' });
  const two = knownBrokers(2)[1]!;
  net.advance(1000);
  net.ready(2);
  net.ready(1);
  net.app.disconnect(1);
  net.app.send(2, ListGroups, {});
  net.run();
  two.reply({ groups: [], throttleTimeMs: 5000 });
  net.advance(1000);
  const since = net.now;
  two.transport.end();
  await net.settled();
  // That of the second is longer ago.
  assert.deepEqual(attemptsSince(since), [{ address: '1:9092', afterMs: 0 }]);
});

test('a bootstrap server that is a known broker is not tried in addition to that broker', () => {
  start({ bootstrapServers: ['one:9092', 'two:9092', 'else:9092'], reconnectBackoffMaxMs: 1000 });
  for (const [i, address] of ['one:9092', 'two:9092'].entries()) net.broker(address, i + 1);
  net.ready(1);
  net.advance(1000);
  for (const address of ['one:9092', 'two:9092', 'else:9092']) net.serve(address, 'refuses');
  net.app.disconnect(1);
  void net.control.refreshMetadata(null, false);
  net.run();
  const since = net.now;
  net.advance(60_000);
  const attempts = attemptsSince(since);
  for (const address of ['one:9092', 'two:9092', 'else:9092']) {
    const count = attempts.filter((attempt) => attempt.address === address).length;
    assert.ok(count > 40 && count < 85, `${count} attempts at ${address}`);
  }
});
