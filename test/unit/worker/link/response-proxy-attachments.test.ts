// Several attachments whose response links are full: a full link does not delay the other attachments.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { KafkaProtocolError } from '../../../../src/common/errors/errors.ts';
import { ListGroups } from '../../../../src/protocol/flat/generated/apis.ts';
import { RESPONSE } from '../../../../src/ring/frames/kinds.ts';
import { int32 } from '../support/fake-peer.ts';
import { broker, named, nameOf, net, overfill, start } from './support/small-link.ts';

afterEach(() => net.close());

test('a full attachment delays no other: its responses are moved aside, and come in order when it reads', () => {
  start();
  const second = net.broker('two:9092', 2);
  void net.control.refreshMetadata(null, false);
  net.advance(200);
  net.ready(2);
  const other = net.attach();
  net.run();
  const mine = overfill(30);
  const behind = other.send(1, ListGroups, {});
  const elsewhere = other.send(2, ListGroups, {});
  net.run();
  broker.reply(named('behind'));
  second.reply(named('elsewhere'));
  net.run();
  assert.equal(nameOf(elsewhere), 'elsewhere');
  assert.equal(nameOf(behind), 'behind', 'on the same connection too');
  assert.ok(mine.some(({ state }) => state === 'open'));
  net.app.isReading = true;
  net.run();
  assert.deepEqual(
    mine.map((request) => nameOf(request).split(' ')[0]),
    mine.map((_, i) => String(i)),
  );
});

test('an attachment whose responses fill its memory sends nothing more until it reads, and others go on', () => {
  start();
  const other = net.attach();
  net.run();
  const mine = overfill(40, 5000);
  net.app.isReading = false;
  const more = net.app.send(1, ListGroups, {});
  const theirs = other.send(1, ListGroups, {});
  net.run();
  assert.equal(broker.waiting.length, 1, 'only the request of the other');
  broker.reply(named('theirs'));
  net.run();
  assert.equal(nameOf(theirs), 'theirs');
  net.app.isReading = true;
  net.run();
  assert.equal(broker.waiting.length, 1);
  broker.reply(named('more'));
  net.run();
  assert.equal(nameOf(more), 'more');
  for (const request of mine) assert.equal(request.state, 'succeeded');
});

test('a single attachment is held back by its connection until another is attached', () => {
  start();
  const mine = overfill(40);
  assert.ok(net.metrics().total('mutedConnections') > 0);
  const other = net.attach();
  net.run();
  const theirs = other.send(1, ListGroups, {});
  net.run();
  broker.reply(named('theirs'));
  net.run();
  assert.equal(nameOf(theirs), 'theirs');
  net.app.isReading = true;
  net.run();
  for (const request of mine) assert.equal(request.state, 'succeeded');
});

test('a body that was moved aside and cannot be read fails its request and ends its connection', () => {
  start();
  net.attach();
  net.run();
  const mine = overfill(39);
  net.app.isReading = false;
  const bad = net.app.send(1, ListGroups, {});
  net.run();
  const request = broker.next();
  broker.transport.send(Buffer.concat([int32(8), int32(request.correlationId), int32(-1)]));
  net.run();
  assert.equal(bad.state, 'open');
  net.app.isReading = true;
  net.run();
  assert.ok(bad.error instanceof KafkaProtocolError);
  for (const { state } of mine) assert.equal(state, 'succeeded');
});

test('responses for a thread that has ended are discarded, others go on, and the counts stay right', () => {
  start();
  const other = net.attach();
  net.run();
  void net.control.trackTopics(['mine'], false);
  overfill(10, 2000);
  net.app.isReading = false;
  net.app.send(1, ListGroups, {});
  const theirs = other.send(1, ListGroups, {});
  net.run();
  net.detach(net.app);
  broker.reply(named('late'));
  broker.reply(named('theirs'));
  net.run();
  assert.equal(nameOf(theirs), 'theirs');
  const recorded = net.metrics();
  assert.equal(recorded.total('accepted'), recorded.total('succeeded') + recorded.total('failed'));
});

test('wrong bytes in a ring end only its attachment', () => {
  start();
  const bad = net.attach();
  net.run();
  const ring = bad.end.requests;
  bad.send(1, ListGroups, {});
  ring.commitEmpty(RESPONSE, 7, 7);
  const mine = net.app.send(1, ListGroups, {});
  net.run();
  assert.deepEqual(
    net.broken.map(({ message }) => message),
    ['a frame of kind 16 is in a link of requests, where no such frame is written [KAFKA_RING_CORRUPT]'],
  );
  net.forget(bad);
  while (mine.state === 'open') {
    broker.reply(named('x'));
    net.run();
  }
  assert.equal(nameOf(mine), 'x');
});
