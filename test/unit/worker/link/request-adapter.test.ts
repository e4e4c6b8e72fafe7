// The reading of request links: how much at a time, fences, the order of frames for nodes.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { KafkaClientOptions } from '../../../../src/common/config/config.ts';
import { InvalidRequestError } from '../../../../src/common/errors/errors.ts';
import { Heartbeat, ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { FakeNetwork } from '../support/fake-network.ts';
import type { FakeBroker } from '../support/fake-peer.ts';

let net: FakeNetwork;
let broker: FakeBroker;

function start(options: KafkaClientOptions = {}): void {
  net = new FakeNetwork(options);
  broker = net.broker('one:9092', 1);
  net.ready(1);
  net.app.log.length = 0;
}

afterEach(() => net.close());

const heartbeat = (generationId: number) => ({ groupId: 'g', generationId, memberId: 'm' });

test('a turn takes a bounded number of frames; the rest comes with the next turns, in order', () => {
  start();
  const count = 1000;
  for (let i = 0; i < count; i++) net.app.send(1, Heartbeat, heartbeat(i));
  assert.equal(net.thread.loop.turn(net.now), true);
  assert.equal(net.app.end.requests.isEmpty(), false, 'not all at once');
  net.run();
  assert.deepEqual(
    broker.waiting.map(({ body }) => body.generationId),
    Array.from({ length: count }, (_, i) => i),
  );
});

test('a busy application does not delay another', () => {
  start();
  const other = net.attach();
  for (let i = 0; i < 2000; i++) net.app.send(1, Heartbeat, heartbeat(i));
  const theirs = other.send(1, Heartbeat, heartbeat(-7));
  net.thread.loop.turn(net.now);
  net.thread.loop.turn(net.now);
  assert.ok(other.end.requests.isEmpty());
  net.run();
  const place = broker.waiting.findIndex(({ body }) => body.generationId === -7);
  assert.ok(place < 600, `place ${place} of ${broker.waiting.length}`);
  assert.equal(theirs.state, 'open');
});

test('a fence is answered one turn later, after everything that was readable', () => {
  start();
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply({ groups: [] });
  net.app.poll(5);
  net.run();
  assert.equal(sent.state, 'succeeded');
  assert.deepEqual(net.app.log, ['response 1', 'polled 5']);
});

test('sends before a fence are written before it is answered', () => {
  start();
  net.app.send(1, ListGroups, {});
  net.app.poll(1);
  assert.equal(net.thread.loop.turn(net.now), true);
  assert.ok(broker.transport.written.length > 0, 'handed to the socket in the turn that read the fence');
  net.app.drain();
  assert.deepEqual(net.app.polled, []);
  assert.equal(net.thread.loop.turn(net.now), false, 'then there is nothing left to do');
  net.app.drain();
  assert.deepEqual(net.app.polled, [1]);
});

test('many fences are answered in order, each once', () => {
  start();
  for (let i = 1; i <= 50; i++) net.app.poll(i);
  net.run();
  for (let i = 51; i <= 60; i++) net.app.poll(i);
  net.run();
  assert.deepEqual(
    net.app.polled,
    Array.from({ length: 60 }, (_, i) => i + 1),
  );
});

test('a request that cannot be written throws at the sender and posts nothing', () => {
  start();
  assert.throws(() => net.app.send(1, Heartbeat, { ...heartbeat(1), groupId: 7 as never }), InvalidRequestError);
  const fine = net.app.send(1, Heartbeat, heartbeat(2));
  net.run();
  assert.equal(broker.waiting.length, 1);
  assert.equal(fine.state, 'open');
});

test('a request larger than spillBytes is moved, keeps its place and arrives whole', () => {
  start({ requestRingBytes: 4096, responseRingBytes: 4096, spillBytes: 1024, spillBudgetBytes: 1 << 20 });
  const sizes = [10, 3000, 10, 100_000];
  for (const size of sizes) net.app.send(1, ListGroups, { statesFilter: [...chunks('s'.repeat(size))] });
  net.run();
  assert.deepEqual(
    broker.waiting.map(({ body }) => [...body.statesFilter].join('').length),
    sizes,
  );
});

test('connect, send and disconnect are taken in the order they were posted', () => {
  start();
  const before = broker.transports.length;
  const first = net.app.send(1, ListGroups, {});
  net.app.disconnect(1);
  net.app.connect(1);
  net.run();
  assert.equal(first.state, 'failed');
  assert.ok(net.app.isConnected(1));
  assert.equal(broker.transports.length, before + 1);
  assert.ok(broker.transports[before - 1]!.isDestroyed);
});

test('a request with acks 0 is answered when the socket has it, in the order of the sends', () => {
  start();
  const produce = { acks: 0, timeoutMs: 1, topicData: [] };
  net.app.send(99, ListGroups, {});
  net.app.send(1, Produce, produce);
  net.app.send(99, ListGroups, {});
  net.app.send(1, Produce, produce);
  net.run();
  assert.deepEqual(net.app.log, ['failure 1', 'failure 3', 'response 2', 'response 4']);
});

/** Strings are limited to 32767 bytes before flexible versions; states are short anyway. */
function* chunks(text: string): Generator<string> {
  for (let i = 0; i < text.length; i += 1000) yield text.slice(i, i + 1000);
}
