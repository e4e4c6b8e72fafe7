// A network thread from its start to its end, through its control calls.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../src/common/config/config.ts';
import {
  Cancelled,
  KafkaConnectionError,
  KafkaTimeoutError,
  NoBrokersAvailable,
  NodeNotReadyError,
  UnrecognizedBrokerVersion,
} from '../../../src/common/errors/errors.ts';
import { ApiVersions, ListGroups, Metadata } from '../../../src/protocol/flat/generated/apis.ts';
import { STATE_CLOSED, STATE_RUNNING } from '../../../src/state/counters.ts';
import { watch } from './support/control-calls.ts';
import { FakeNetwork } from './support/fake-network.ts';
import { allRanges, metadataOf, range } from './support/fake-peer.ts';

let net: FakeNetwork;

function open(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork(options);
}

afterEach(() => net.close());

test('the thread runs when it is made', () => {
  open();
  assert.equal(net.app.end.counters.state(), STATE_RUNNING);
});

test('start succeeds in time if the first server refuses, the second is a black hole and the third works', async () => {
  open({ bootstrapServers: 'refuses:1,silent:2,fine:3' });
  net.serve('silent:2', 'silent');
  const fine = net.broker('fine:3', 1);
  fine.ranges.set(0, range(0, 9)).set(1, range(0, 12));
  const started = watch(net.control.start());
  await net.settled();
  await net.advanceSettled(600);
  assert.deepEqual(started.result?.apiVersion, [4, 4]);
  assert.deepEqual(
    started.result?.apiVersions.find(([key]) => key === 1),
    [1, 0, 12],
  );
  assert.deepEqual([...new Set(net.attempted)].sort(), ['fine:3', 'refuses:1', 'silent:2']);
  assert.equal(net.app.metadata.length, 1, 'a client that has started knows the cluster');
});

test('the order of servers does not matter, nor which one metadata tries first', async () => {
  for (const random of [0, 0.4, 0.9]) {
    open({ bootstrapServers: 'silent:1,silent:2,silent:3,fine:4', apiVersionAutoTimeoutMs: 2000 });
    net.random = () => random;
    for (const port of [1, 2, 3]) net.serve(`silent:${port}`, 'silent');
    net.broker('fine:4', 1);
    const started = watch(net.control.start());
    await net.settled();
    await net.advanceSettled(1500);
    assert.ok(started.result, `random ${random}: ${started.error?.message}`);
    await net.close();
  }
});

test('the next server is tried at once after a refusal, while another is silent', async () => {
  open({ bootstrapServers: 'silent:1,refuses:2,refuses:3,refuses:4,refuses:5,fine:6' });
  // Metadata asks for the silent one, and for no other meanwhile.
  net.random = () => 0;
  net.serve('silent:1', 'silent');
  net.broker('fine:6', 1);
  const started = watch(net.control.start());
  await net.settled();
  assert.ok(started.result, 'no time has passed');
});

test('the version is inferred from what the server lists', async () => {
  open();
  const broker = net.broker('one:9092', 1);
  broker.ranges = new Map([
    [0, range(0, 8)],
    [1, range(0, 11)],
    [3, range(0, 9)],
    [18, range(0, 3)],
  ]);
  const started = watch(net.control.start());
  await net.settled();
  assert.deepEqual(started.result?.apiVersion, [2, 4]);
});

test('without any usable server NoBrokersAvailable gives the cause for each', async () => {
  open({ bootstrapServers: 'refuses:1,silent:2,nowhere:3,web:4,closes:5,rude:6' });
  net.serve('silent:2', 'silent');
  net.names.set('nowhere', new Error('getaddrinfo ENOTFOUND nowhere'));
  net.serve('web:4', (transport) => {
    transport.open();
    transport.send(Buffer.from('HTTP/1.1 400 Bad Request\r\n'));
  });
  net.serve('closes:5', (transport) => {
    transport.open();
    transport.end();
  });
  const rude = net.broker('rude:6');
  rude.handlers.set(ApiVersions.key, () => ({ errorCode: 58 }));
  const started = watch(net.control.start());
  await net.settled();
  await net.advanceSettled(1999);
  assert.ok(started.isOpen);
  await net.advanceSettled(1);
  const { error } = started;
  assert.ok(error instanceof NoBrokersAvailable);
  assert.match(error.message, /none of the 6 bootstrap servers could be used within 2000 ms/);
  assert.match(error.message, /refuses:1: .*ECONNREFUSED/);
  assert.match(error.message, /silent:2: no answer to the connection attempt so far/);
  assert.match(error.message, /nowhere:3: name look-up of 'nowhere' failed: getaddrinfo ENOTFOUND/);
  assert.match(error.message, /web:4: .*HTTP/);
  assert.match(error.message, /closes:5: .*closed the connection before it answered ApiVersions.*TLS/);
  assert.match(error.message, /rude:6: .*error code 58/);
  assert.ok(error.cause instanceof KafkaConnectionError);
  assert.equal(error.retriable, true);
});

test('a server that refuses at first and comes up within the budget is used', async () => {
  open();
  const started = watch(net.control.start());
  await net.settled();
  await net.advanceSettled(1000);
  assert.ok(started.isOpen, 'a refusal is not the end while there is time');
  net.broker('one:9092', 1);
  await net.advanceSettled(999);
  assert.ok(started.result);
});

test('a server whose answer arrived in time counts, however late the thread reads it', async () => {
  open({ apiVersionAutoTimeoutMs: 2000 });
  const broker = net.broker('one:9092', 1);
  broker.answers = false;
  const started = watch(net.control.start());
  await net.settled();
  broker.answers = true;
  broker.reply({
    apiKeys: [...allRanges()].map(([apiKey, { min, max }]) => ({ apiKey, minVersion: min, maxVersion: max })),
  });
  net.now += 10_000;
  await net.settled();
  assert.equal(started.error, undefined);
  assert.ok(started.result);
});

test('a server that is ready before the start is asked for is used', async () => {
  open();
  net.broker('one:9092', 1);
  net.run();
  assert.ok(net.app.isConnected(-1));
  const started = watch(net.control.start());
  await net.settled();
  assert.ok(started.result, String(started.error));
});

test('start with apiVersion waits for no server, and tells the ranges of such brokers', async () => {
  open({ apiVersion: [2, 8, 1] });
  const started = watch(net.control.start());
  for (let i = 0; i < 10; i++) await Promise.resolve();
  assert.deepEqual(started.result?.apiVersion, [2, 8]);
  assert.deepEqual(
    started.result?.apiVersions.find(([key]) => key === 1),
    [1, 0, 12],
  );
  assert.deepEqual(net.attempts, []);
});

test('an apiVersion older than every broker is refused', async () => {
  open({ apiVersion: [0, 7] });
  const started = watch(net.control.start());
  for (let i = 0; i < 10; i++) await Promise.resolve();
  assert.ok(started.error instanceof UnrecognizedBrokerVersion);
  assert.match(
    started.error.message,
    /apiVersion \[0, 7\] is older than every known broker; the oldest is \[0, 8, 0\]/,
  );
});

test('metadata that does not come in time does not keep a client from starting', async () => {
  open({ apiVersionAutoTimeoutMs: 2000 });
  const broker = net.broker('one:9092', 1);
  broker.handlers.delete(Metadata.key);
  const started = watch(net.control.start());
  await net.settled();
  await net.advanceSettled(1999);
  assert.ok(started.isOpen);
  await net.advanceSettled(1);
  assert.ok(started.result);
});

test('a first metadata request that fails is repeated within the budget', async () => {
  open({ apiVersionAutoTimeoutMs: 2000 });
  const broker = net.broker('one:9092', 1);
  let answers = 0;
  broker.handlers.set(Metadata.key, () => (++answers < 3 ? { brokers: [] } : metadataOf(net.cluster)));
  const started = watch(net.control.start());
  await net.advanceSettled(1000);
  assert.ok(started.result);
  assert.equal(net.app.metadata.length, 1);
});

test('awaitReady connects the node, and resolves with its versions', async () => {
  open();
  const broker = net.broker('one:9092', 1);
  broker.ranges.set(1, range(0, 12));
  net.run();
  const ready = watch(net.control.awaitReady(1, 1000));
  await net.settled();
  assert.ok(net.app.isConnected(1));
  assert.deepEqual(
    ready.result?.apiVersions.find(([key]) => key === 1),
    [1, 0, 12],
  );
  const again = watch(net.control.awaitReady(1, 1000));
  await net.settled();
  assert.ok(again.result, 'of a node that is ready already');
});

test('awaitReady of an unknown node fails at once', async () => {
  open();
  const ready = watch(net.control.awaitReady(42, 1000));
  await net.settled();
  assert.ok(ready.error instanceof NodeNotReadyError);
  assert.equal(ready.error.nodeId, 42);
});

test('awaitReady tries again until its time is over, and names the last cause', async () => {
  open();
  net.broker('one:9092', 1);
  net.cluster.brokers.push({ id: 2, host: 'two', port: 9092 });
  net.ready(1);
  const ready = watch(net.control.awaitReady(2, 3000));
  await net.settled();
  await net.advanceSettled(2999);
  assert.ok(ready.isOpen);
  assert.ok(net.attempted.filter((address) => address === 'two:9092').length > 3);
  await net.advanceSettled(1);
  assert.ok(ready.error instanceof KafkaTimeoutError);
  assert.match(ready.error.message, /node 2 \(two:9092\) was not ready within 3000 ms/);
  assert.match((ready.error.cause as Error).message, /ECONNREFUSED/);
});

test('several waits for several nodes end each on its own', async () => {
  open();
  net.broker('one:9092', 1);
  net.broker('two:9092', 2);
  net.cluster.brokers.push({ id: 3, host: 'three', port: 9092 });
  net.run();
  const calls = [
    watch(net.control.awaitReady(1, 500)),
    watch(net.control.awaitReady(2, 500)),
    watch(net.control.awaitReady(3, 500)),
  ];
  await net.advanceSettled(500);
  assert.ok(calls[0]!.result);
  assert.ok(calls[1]!.result);
  assert.ok(calls[2]!.error instanceof KafkaTimeoutError);
});

test('close cancels every request once and closes every connection, whatever its state', async () => {
  open();
  net.broker('one:9092', 1);
  net.broker('two:9092', 2);
  net.cluster.brokers.push({ id: 3, host: 'three', port: 9092 }, { id: 4, host: 'four', port: 9092 });
  net.serve('three:9092', 'silent');
  net.names.set('four', 'silent');
  net.ready(1);
  net.ready(2);
  net.app.connect(3);
  net.app.connect(4);
  const sent = [1, 1, 2, 1].map((nodeId) => net.app.send(nodeId, ListGroups, {}));
  net.run();
  await net.close();
  for (const { error } of sent) assert.ok(error instanceof Cancelled);
  assert.equal(net.app.end.counters.state(), STATE_CLOSED);
});

test('close twice is one close', async () => {
  open();
  net.broker('one:9092', 1);
  net.ready(1);
  assert.deepEqual(await net.control.close(), { value: null });
  assert.deepEqual(await net.control.close(), { value: null });
});

test('close ends every wait: start, awaitReady, and refreshes', async () => {
  open({ bootstrapServers: 'one:9092' });
  const broker = net.broker('one:9092', 1);
  broker.handlers.delete(Metadata.key);
  net.run();
  const started = watch(net.control.start());
  const ready = watch(net.control.awaitReady(-1, 10_000));
  const underWay = watch(net.control.refreshMetadata(null, false));
  const notSent = watch(net.control.refreshMetadata(['t'], false));
  await net.settled();
  await net.close();
  await net.settled();
  for (const call of [started, ready, underWay, notSent]) assert.equal(call.isOpen, false);
  assert.ok(underWay.error instanceof Cancelled);
  assert.ok(notSent.error instanceof Cancelled);
});

test('close works while start still waits for the first server', async () => {
  open();
  net.serve('one:9092', 'silent');
  const started = watch(net.control.start());
  await net.settled();
  await net.close();
  await net.settled();
  assert.ok(started.error instanceof Cancelled);
});

test('calls after close fail instead of waiting for ever', async () => {
  open();
  net.broker('one:9092', 1);
  net.ready(1);
  await net.close();
  const ready = watch(net.control.awaitReady(-1, 1000));
  const refreshed = watch(net.control.refreshMetadata(null, false));
  for (let i = 0; i < 10; i++) await Promise.resolve();
  assert.ok(ready.error instanceof Cancelled);
  assert.ok(refreshed.error instanceof Cancelled);
});

test('an attachment that comes later gets the newest metadata', () => {
  open();
  net.broker('one:9092', 1);
  net.ready(1);
  const late = net.attach();
  net.run();
  assert.deepEqual(late.log, ['metadata 1']);
});

test('requests of two attachments share a connection and get their own answers', () => {
  open();
  const broker = net.broker('one:9092', 1);
  net.ready(1);
  const other = net.attach();
  const mine = net.app.send(1, ListGroups, {});
  const theirs = other.send(1, ListGroups, {});
  net.run();
  assert.equal(broker.transports.filter(({ isDestroyed }) => !isDestroyed).length, 1);
  broker.reply({ groups: [{ groupId: 'mine' }] });
  broker.reply({ groups: [{ groupId: 'theirs' }] });
  net.run();
  assert.equal([...mine.view.groups][0]!.groupId, 'mine');
  assert.equal([...theirs.view.groups][0]!.groupId, 'theirs');
});
