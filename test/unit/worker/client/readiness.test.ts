// The order in which servers are tried, and what a failed wait for a node reports.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { KafkaConnectionError, NoBrokersAvailable, NodeNotReadyError } from '../../../../src/common/errors/errors.ts';
import { watch } from '../support/control-calls.ts';
import { FakeNetwork } from '../support/fake-network.ts';

let net: FakeNetwork;

function open(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork(options);
}

afterEach(() => net.close());

test('the last of many servers is found in half the time if the others are black holes', async () => {
  const servers = Array.from({ length: 30 }, (_, i) => `hole${i}:1`);
  open({ bootstrapServers: [...servers, 'fine:2'], apiVersionAutoTimeoutMs: 2000 });
  for (const server of servers) net.serve(server, 'silent');
  net.broker('fine:2', 1);
  const started = watch(net.control.start());
  await net.settled();
  await net.advanceSettled(1000);
  assert.ok(started.result);
});

test('the causes are data, in the order of the servers', async () => {
  open({ bootstrapServers: 'refuses:1,silent:2,mute:3', apiVersionAutoTimeoutMs: 1000 });
  net.serve('silent:2', 'silent');
  net.broker('mute:3').answers = false;
  const started = watch(net.control.start());
  await net.settled();
  await net.advanceSettled(1000);
  const { error } = started;
  assert.ok(error instanceof NoBrokersAvailable);
  assert.deepEqual(
    error.causes.map(({ host, port }) => `${host}:${port}`),
    ['refuses:1', 'silent:2', 'mute:3'],
  );
  const texts = [
    /ECONNREFUSED/,
    /no answer to the connection attempt so far/,
    /connected, but no answer to ApiVersions so far; it may expect TLS, .*max\.connections.*, or not be a Kafka broker/,
  ];
  for (const [i, cause] of error.causes.entries()) {
    assert.ok(cause.error instanceof KafkaConnectionError);
    assert.match(cause.error.message, texts[i]!);
  }
});

test('checkVersion uses an open connection', async () => {
  open();
  const broker = net.broker('one:9092', 0);
  net.ready(0);
  const requests = broker.requests.length;
  for (const nodeId of [0, null]) {
    const checked = watch(net.control.checkVersion(nodeId, 1000, false));
    await net.settled();
    assert.deepEqual(checked.result?.apiVersion, [4, 4]);
  }
  assert.equal(broker.requests.length, requests);
});

test('checkVersion connects to the requested node, or to a server', async () => {
  for (const nodeId of [-1, null]) {
    open();
    net.broker('one:9092', 1);
    const checked = watch(net.control.checkVersion(nodeId, 1000, false));
    await net.settled();
    assert.ok(checked.result);
    await net.close();
  }
});

test('checkVersion fails for an unknown node and for an unreachable node', async () => {
  open();
  net.broker('one:9092', 1);
  net.cluster.brokers.push({ id: 2, host: 'two', port: 9092 });
  net.ready(1);
  const unknown = watch(net.control.checkVersion(7, 1000, false));
  const refused = watch(net.control.checkVersion(2, 1000, false));
  await net.settled();
  assert.ok(unknown.error instanceof NodeNotReadyError);
  await net.advanceSettled(999);
  assert.ok(refused.isOpen);
  await net.advanceSettled(1);
  assert.ok(refused.error instanceof NodeNotReadyError);
  assert.match(refused.error.message, /node 2 \(two:9092\) was not ready within 1000 ms: .*ECONNREFUSED/);
});

test('checkVersion fails without a server, and with strict at the first failure', async () => {
  for (const isStrict of [false, true]) {
    open({ bootstrapServers: 'refuses:1' });
    const checked = watch(net.control.checkVersion(null, 1000, isStrict));
    await net.settled();
    assert.equal(checked.isOpen, !isStrict);
    await net.advanceSettled(1000);
    assert.ok(checked.error instanceof NoBrokersAvailable);
    assert.match(checked.error.causes[0]!.error.message, /ECONNREFUSED/);
    await net.close();
  }
});
