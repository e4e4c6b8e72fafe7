// Requests without response when the peer does not read: they are limited, and they do not wait for ever.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import {
  KafkaClientError,
  KafkaConnectionError,
  NodeNotReadyError,
  RequestTimedOutError,
} from '../../../../src/common/errors/errors.ts';
import { ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { OneWaySends } from '../../../../src/worker/net/one-way-sends.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';

let net: FakeNetwork | null = null;
let broker: FakeBroker;

afterEach(() => net?.close());

/** A broker that is connected and has stopped to read. */
function stalled(): FakeNetwork {
  net = new FakeNetwork({
    bootstrapServers: 'boot:9092',
    requestTimeoutMs: 1000,
    requestRingBytes: 4096,
    responseRingBytes: 65_536,
    spillBytes: 1024,
  });
  net.broker('boot:9092');
  broker = net.broker('one:9092', 1);
  net.ready(1);
  broker.transport.isBlocked = true;
  return net;
}

function oneWay({ app }: FakeNetwork, transactionalId = 'x'.repeat(500)): ReturnType<FakeNetwork['app']['send']> {
  return app.send(1, Produce, { transactionalId, acks: 0, timeoutMs: 1, topicData: [] });
}

test('bytes in the socket count until it has drained, and waiting bytes until they are handed over', () => {
  const sends = new OneWaySends();
  assert.equal(sends.deadline, Number.POSITIVE_INFINITY);
  sends.add(10, 500);
  sends.add(5, 400);
  assert.equal(sends.unwrittenBytes, 15);
  assert.equal(sends.deadline, 400);
  sends.handedOver(true);
  sends.add(7, 900);
  assert.equal(sends.unwrittenBytes, 22);
  assert.equal(sends.deadline, 400);
  sends.drained();
  assert.equal(sends.unwrittenBytes, 7);
  assert.equal(sends.deadline, 900);
  sends.handedOver(false);
  assert.equal(sends.unwrittenBytes, 0);
  assert.equal(sends.deadline, Number.POSITIVE_INFINITY);
});

test('acks 0 requests to a peer that does not read are refused once they hold requestRingBytes', () => {
  const { app } = stalled();
  for (let round = 0; round < 20; round++) {
    oneWay(net!);
    net!.run();
  }
  const accepted = app.sent.filter(({ state }) => state !== 'failed').length;
  assert.ok(accepted >= 4096 / 550 && accepted <= 4096 / 500 + 1, `${accepted} were accepted`);
  const { error } = app.sent.at(-1)!;
  assert.ok(error instanceof NodeNotReadyError);
  assert.match(error.message, /does not read.*the limit is requestRingBytes/);
  const { counters } = app.end;
  assert.ok(counters.isHeldBack(counters.nodeRow(1)), 'the application can see it');
  broker.transport.drain();
  net!.run();
  assert.ok(!counters.isHeldBack(counters.nodeRow(1)));
  const next = oneWay(net!);
  net!.run();
  assert.equal(next.state, 'succeeded');
  assert.equal(broker.requestsOf(Produce).length, accepted + 1, 'what was accepted arrives, what was refused does not');
});

test('a request with a response can still wait behind them, up to the limit in flight', () => {
  stalled();
  for (let round = 0; round < 20; round++) {
    oneWay(net!);
    net!.run();
  }
  const sent = net!.app.send(1, ListGroups, {});
  net!.run();
  assert.equal(sent.state, 'open');
  broker.transport.drain();
  net!.run();
  broker.takeWaiting();
  broker.transport.end();
  net!.run();
  assert.ok(sent.error instanceof KafkaConnectionError);
});

test('any number can be sent at once to a peer that reads', () => {
  const { app } = stalled();
  broker.transport.isBlocked = false;
  for (let i = 0; i < 6; i++) oneWay(net!);
  net!.run();
  for (let i = 0; i < 6; i++) oneWay(net!);
  net!.run();
  assert.ok(app.sent.every(({ state }) => state === 'succeeded'));
  assert.equal(broker.requestsOf(Produce).length, 12);
});

test('a peer that takes none of them within requestTimeoutMs loses its connection, and backs off', () => {
  stalled();
  oneWay(net!);
  net!.run();
  net!.advance(999);
  assert.ok(net!.app.isConnected(1));
  net!.advance(1);
  assert.ok(!net!.app.isConnected(1));
  assert.ok(broker.transports[0]!.isDestroyed);
  const refused = net!.app.send(1, ListGroups, {});
  net!.run();
  assert.ok(refused.error instanceof NodeNotReadyError);
  assert.ok(refused.error.cause instanceof RequestTimedOutError);
  assert.match(refused.error.cause.message, /did not read 5\d\d bytes of requests with acks 0/);
});

test('a request succeeds only when the socket has it, and fails if the connection ends before', () => {
  const { app } = stalled();
  const withSocket = oneWay(net!);
  net!.run();
  assert.equal(withSocket.state, 'succeeded', 'the socket took it, though its peer does not read');
  const waiting = [oneWay(net!), oneWay(net!)];
  net!.run();
  assert.deepEqual(
    waiting.map(({ state }) => state),
    ['open', 'open'],
  );
  broker.transport.drain();
  net!.run();
  assert.deepEqual(
    waiting.map(({ state }) => state),
    ['succeeded', 'succeeded'],
  );
  broker.transport.isBlocked = true;
  oneWay(net!);
  net!.run();
  const lost = [oneWay(net!), oneWay(net!)];
  net!.run();
  broker.transport.fail(new Error('read ECONNRESET'));
  net!.run();
  for (const { error } of lost) assert.ok(error instanceof KafkaConnectionError);
  assert.equal(app.open, 0);
});

test('close(nodeId) and a peer that does not read in time fail requests that the socket does not have', async () => {
  for (const end of [() => net!.app.disconnect(1), () => net!.advance(1000)]) {
    stalled();
    oneWay(net!);
    net!.run();
    const lost = oneWay(net!);
    net!.run();
    assert.equal(lost.state, 'open');
    end();
    net!.run();
    assert.ok(lost.error instanceof KafkaClientError);
    await net!.close();
  }
});
