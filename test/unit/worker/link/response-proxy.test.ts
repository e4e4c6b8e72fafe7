// The response link when it is full: channels are muted, deadlines move, and nothing is lost, repeated or out of order.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import {
  Cancelled,
  KafkaConnectionError,
  KafkaProtocolError,
  RequestTimedOutError,
} from '../../../../src/common/errors/errors.ts';
import { Heartbeat, ListGroups, Produce } from '../../../../src/protocol/flat/generated/apis.ts';
import { int32, metadataOf, responseFrame } from '../support/fake-peer.ts';
import { broker, named, nameOf, net, overfill, start } from './support/small-link.ts';

afterEach(() => net.close());

test('a full link delivers everything in order when there is room', () => {
  start();
  const sent = overfill();
  assert.ok(net.app.drain(1) === 1, 'some of it fits');
  net.app.isReading = true;
  net.run();
  assert.deepEqual(
    sent.map((request) => nameOf(request).split(' ')[0]),
    sent.map((_, i) => String(i)),
  );
  assert.deepEqual(
    net.app.log,
    sent.map(({ requestId }) => `response ${requestId}`),
  );
});

test('a link with room for one response delivers all in order', () => {
  start();
  const sent = overfill(60);
  for (let rounds = 0; net.app.open > 0; rounds++) {
    assert.ok(rounds < 100, 'the rest never comes');
    net.app.drain(1);
    net.run();
  }
  assert.deepEqual(
    net.app.log,
    sent.map(({ requestId }) => `response ${requestId}`),
  );
});

test('deadlines stand still while the application does not read, because the broker has answered', () => {
  start({ requestTimeoutMs: 1000 });
  const sent = overfill();
  net.advance(60_000);
  assert.ok(net.app.isConnected(1));
  net.app.isReading = true;
  net.run();
  for (const { state } of sent) assert.equal(state, 'succeeded');
});

test('after the mute a request has the time it had before, and as much again as the mute took', () => {
  start({ requestTimeoutMs: 1000 });
  const sent = [...Array.from({ length: 30 }, () => net.app.send(1, ListGroups, {}))];
  const unanswered = net.app.send(1, ListGroups, {});
  net.run();
  net.advance(300);
  net.app.isReading = false;
  for (const [i] of sent.entries()) broker.reply(named(`${i} ${'x'.repeat(100)}`));
  net.run();
  const mutedMs = 20_000;
  net.advance(mutedMs);
  net.app.isReading = true;
  net.run();
  net.advance(mutedMs + 699);
  assert.equal(unanswered.state, 'open');
  net.advance(1);
  assert.ok(unanswered.error instanceof RequestTimedOutError);
});

test('while one channel is muted the thread sleeps', () => {
  start({ metadataMaxAgeMs: 2 ** 31 - 1, connectionsMaxIdleMs: -1 });
  overfill();
  const turns = net.turns;
  net.advance(100_000);
  assert.ok(net.turns - turns < 10, `${net.turns - turns} turns`);
});

test('a muted channel stops reading its socket: the broker is held back', () => {
  start({ requestTimeoutMs: 1000 });
  const sent = overfill(40, 10_000);
  assert.ok(broker.transport.isPaused);
  assert.ok(broker.transport.unreadBytes > 200_000, `${broker.transport.unreadBytes} bytes unread`);
  net.advance(5000);
  net.app.isReading = true;
  net.run();
  assert.equal(broker.transport.unreadBytes, 0);
  for (const [i, request] of sent.entries()) assert.equal(nameOf(request).split(' ')[0], String(i));
});

test('a slow reader does not make a muted channel hold more and more', () => {
  start();
  const sent = overfill(400, 900);
  let least = Number.POSITIVE_INFINITY;
  while (net.app.open > 0) {
    net.app.drain(1);
    net.run();
    const { unreadBytes } = broker.transport;
    const held = (net.app.open - Math.ceil(unreadBytes / 920)) * 920;
    if (unreadBytes > 0) least = Math.min(least, 96 * 1024 - held);
  }
  assert.ok(least > 0, `${-least} bytes above what a connection may hold`);
  for (const [i, request] of sent.entries()) assert.equal(nameOf(request).split(' ')[0], String(i));
});

test('the end of a muted connection waits until its responses are delivered', () => {
  start();
  const sent = overfill();
  const unanswered = net.app.send(1, ListGroups, {});
  net.run();
  broker.transport.end();
  net.run();
  net.advance(1000);
  assert.ok(net.app.isConnected(1), 'as far as anybody needs to know');
  net.app.isReading = true;
  net.run();
  for (const { state } of sent) assert.equal(state, 'succeeded');
  assert.ok(unanswered.error instanceof KafkaConnectionError);
});

test('failures without room are kept in order, and nothing overtakes them', () => {
  start();
  const other = net.broker('two:9092', 2);
  net.control.refreshMetadata(null, false);
  net.advance(200);
  net.ready(2);
  const filler = Array.from({ length: 20 }, () => net.app.send(2, ListGroups, {}));
  const failing = Array.from({ length: 12 }, () => net.app.send(1, ListGroups, {}));
  net.run();
  net.app.log.length = 0;
  net.app.isReading = false;
  for (const _ of filler) other.reply(named('x'.repeat(300)));
  net.run();
  broker.transport.fail(new Error('read ECONNRESET'));
  net.run();
  const late = net.app.send(2, ListGroups, {});
  net.run();
  other.reply(named('late'));
  net.run();
  net.app.isReading = true;
  net.run();
  for (const { state } of filler) assert.equal(state, 'succeeded');
  for (const { error } of failing) assert.ok(error instanceof KafkaConnectionError);
  assert.equal(nameOf(late), 'late');
  const failures = net.app.log.filter((entry) => entry.startsWith('failure'));
  assert.deepEqual(
    failures,
    failing.map(({ requestId }) => `failure ${requestId}`),
  );
});

test('a response that fits does not overtake a failure that did not fit', () => {
  start({ spillBytes: 2032 });
  const { responses } = net.app.end;
  let pollId = 1;
  const poll = (): void => {
    net.app.poll(pollId++);
    net.run();
  };
  // From the start of the ring, so that what is left at the end is in one piece.
  while (responses.position % 4096 >= 16) poll();
  const sent = net.app.send(1, Heartbeat, { groupId: 'g', generationId: 1, memberId: 'm' });
  net.run();
  net.app.isReading = false;
  // Frames of 16 bytes; 640 are left: enough for the response, too little for an error with its stack.
  for (let i = 0; i < 216; i++) poll();
  const refused = net.app.send(99, ListGroups, {});
  net.run();
  broker.reply({});
  net.run();
  net.app.isReading = true;
  net.run();
  assert.deepEqual(net.app.log.slice(-2), [`failure ${refused.requestId}`, `response ${sent.requestId}`]);
});

test('all requests that fail while the application does not read are reported', () => {
  start();
  overfill(20);
  const refused = Array.from({ length: 300 }, () => net.app.send(99, ListGroups, {}));
  const silent = Array.from({ length: 300 }, () => net.app.send(1, Produce, { acks: 0, timeoutMs: 1, topicData: [] }));
  net.run();
  net.app.isReading = true;
  net.run();
  for (const { state } of refused) assert.equal(state, 'failed');
  for (const { state } of silent) assert.equal(state, 'succeeded');
});

test('polls are answered after the responses that were held back', () => {
  start();
  overfill(20);
  for (let i = 0; i < 5; i++) net.app.send(99, ListGroups, {});
  net.app.poll(1);
  net.run();
  net.app.isReading = true;
  net.run();
  const polled = net.app.log.indexOf('polled 1');
  const lastFailure = net.app.log.findLastIndex((entry) => entry.startsWith('failure'));
  assert.ok(polled > lastFailure, net.app.log.join(', '));
});

test('only the newest of several metadata updates without room is delivered', async () => {
  start({ spillBytes: 2032 });
  // Enough brokers that an update is larger than what is left of the link.
  for (let id = 10; id < 40; id++) net.cluster.brokers.push({ id, host: `host-${id}.example.org`, port: 9092 });
  net.app.isReading = false;
  for (let i = 0; i < 6; i++) {
    void net.control.refreshMetadata(null, false);
    await net.advanceSettled(200);
  }
  const before = net.app.metadata.length;
  net.app.isReading = true;
  net.run();
  const updates = net.app.metadata.slice(before).map(({ updateId }) => updateId);
  assert.ok(updates.length < 6, `updates ${updates}`);
  assert.equal(updates.at(-1), 7);
  assert.deepEqual(
    updates,
    [...updates].sort((a, b) => a - b),
  );
});

test('a response above spillBytes is moved, and keeps its place', () => {
  start();
  const sent = Array.from({ length: 4 }, () => net.app.send(1, ListGroups, {}));
  net.run();
  for (const size of [10, 5000, 10, 50_000]) broker.reply(named('x'.repeat(size)));
  net.run();
  assert.deepEqual(
    sent.map((request) => nameOf(request).length),
    [10, 5000, 10, 50_000],
  );
  assert.equal(net.app.log.length, 4);
});

test('a spent spill budget mutes channels, and a body larger than the budget travels alone', () => {
  start();
  const sent = Array.from({ length: 5 }, () => net.app.send(1, ListGroups, {}));
  net.run();
  net.app.isReading = false;
  for (const size of [200_000, 30_000, 30_000, 200_000, 10]) broker.reply(named('x'.repeat(size)));
  net.run();
  assert.equal(net.app.drain(), 1, 'the first, alone');
  net.run();
  const second = net.app.drain();
  assert.ok(second === 1 || second === 2, `${second} within the budget`);
  net.app.isReading = true;
  net.run();
  assert.deepEqual(
    sent.map((request) => nameOf(request).length),
    [200_000, 30_000, 30_000, 200_000, 10],
  );
});

test('disconnect of a muted node cancels what was not delivered', () => {
  start();
  const sent = overfill(40);
  net.app.disconnect(1);
  net.run();
  net.app.isReading = true;
  net.run();
  const delivered = sent.findIndex(({ state }) => state === 'failed');
  assert.ok(delivered > 0, 'what was in the link is delivered');
  for (const request of sent.slice(delivered)) assert.ok(request.error instanceof Cancelled);
  net.ready(1);
});

test('a bad frame behind a muted response is handled after that response', () => {
  start();
  const sent = overfill(30);
  const culprit = net.app.send(1, ListGroups, {});
  net.run();
  broker.next();
  broker.transport.send(int32(-1));
  net.run();
  assert.equal(culprit.state, 'open');
  net.app.isReading = true;
  net.run();
  for (const { state } of sent) assert.equal(state, 'succeeded');
  assert.ok(culprit.error instanceof KafkaProtocolError);
});

test('a response that cannot be decoded leaves no half frame in the link', () => {
  start();
  const culprit = net.app.send(1, ListGroups, {});
  net.run();
  const frame = responseFrame(broker.next(), { groups: Array.from({ length: 50 }, () => ({ groupId: 'g' })) });
  frame.fill(0xff, frame.length - 40);
  broker.transport.send(frame);
  net.run();
  assert.ok(culprit.error instanceof KafkaProtocolError);
  net.advance(100);
  net.ready(1);
  const sent = net.app.send(1, ListGroups, {});
  net.run();
  broker.reply(named('fine'));
  net.run();
  assert.equal(nameOf(sent), 'fine');
});

test('metadata is delivered while responses wait, if there is room for it', () => {
  start();
  const second = net.broker('two:9092', 2);
  void net.control.refreshMetadata(null, false);
  net.advance(200);
  net.ready(2);
  overfill(30);
  void net.control.refreshMetadata(null, false);
  net.advance(200);
  assert.ok(second.requests.length > 0);
  net.app.isReading = true;
  net.run();
  assert.equal(net.app.metadata.at(-1)!.updateId, 3);
  assert.deepEqual(
    [...net.app.metadata.at(-1)!.view.brokers].map(({ nodeId }) => nodeId),
    metadataOf(net.cluster).brokers!.map(({ nodeId }) => nodeId),
  );
});

test('closing with a full link settles what fits, and the end of the thread settles the rest', async () => {
  start();
  const sent = overfill(40);
  await net.close();
  for (const { state } of sent) assert.notEqual(state, 'open');
});
