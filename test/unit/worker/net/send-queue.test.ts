// Requests that wait for the socket of their connection. Some of them are still being encoded.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OneWayFrame, SendQueue } from '../../../../src/worker/net/send-queue.ts';

const bytes = (text: string) => Buffer.from(text);
const taken = (queue: SendQueue) => queue.take().map(String).join(' ');

test('requests are taken once, in order', () => {
  const queue = new SendQueue();
  assert.equal(queue.isEmpty, true);
  queue.push(bytes('a'));
  queue.push(bytes('b'));
  assert.equal(queue.isEmpty, false);
  assert.equal(taken(queue), 'a b');
  assert.equal(queue.isEmpty, true);
  assert.equal(taken(queue), '');
});

test('requests behind a reserved place wait until it is filled', () => {
  const queue = new SendQueue();
  queue.push(bytes('a'));
  const place = queue.reserve(() => {});
  queue.push(bytes('c'));
  assert.equal(taken(queue), 'a');
  assert.equal(taken(queue), '');
  assert.equal(queue.isEmpty, false);
  place.fill(bytes('b'));
  queue.push(bytes('d'));
  assert.equal(taken(queue), 'b c d');
});

test('places filled in another order are taken in the order they were reserved', () => {
  const queue = new SendQueue();
  const places = [0, 1, 2].map(() => queue.reserve(() => {}));
  places[2]!.fill(bytes('2'));
  assert.equal(taken(queue), '');
  places[0]!.fill(bytes('0'));
  assert.equal(taken(queue), '0');
  places[1]!.fill(bytes('1'));
  assert.equal(taken(queue), '1 2');
});

test('a dropped place is skipped', () => {
  const queue = new SendQueue();
  const first = queue.reserve(() => {});
  queue.push(bytes('b'));
  const last = queue.reserve(() => {});
  first.drop();
  assert.equal(taken(queue), 'b');
  last.drop();
  assert.equal(taken(queue), '');
  assert.equal(queue.isEmpty, true);
});

test('the owner of a reserved place is told when it is taken or dropped', () => {
  const queue = new SendQueue();
  const told: string[] = [];
  queue.reserve(() => told.push('filled')).fill(bytes('a'));
  queue.reserve(() => told.push('dropped')).drop();
  assert.deepEqual(told, ['filled', 'dropped']);
});

test('a place filled after the queue was cleared goes nowhere', () => {
  const queue = new SendQueue();
  const place = queue.reserve(() => {});
  queue.clear();
  assert.equal(queue.isEmpty, true);
  queue.push(bytes('new'));
  place.fill(bytes('old'));
  assert.equal(taken(queue), 'new');
});

test('the bytes that wait are known at any time: of requests, of places when they are filled, and of another queue', () => {
  const [queue, other] = [new SendQueue(), new SendQueue()];
  const size = (): number => queue.byteLength;
  queue.push(bytes('aaa'));
  const [first, second] = [queue.reserve(() => {}), queue.reserve(() => {})];
  queue.push(new OneWayFrame(bytes('dd'), { onHandedOver: () => {}, onFailure: () => {} }));
  assert.equal(size(), 5);
  first.fill(bytes('bbbb'));
  assert.equal(size(), 9);
  assert.equal(taken(queue), 'aaa bbbb');
  assert.equal(size(), 2);
  const third = other.reserve(() => {});
  other.push(bytes('f'));
  queue.append(other);
  assert.deepEqual([size(), other.byteLength], [3, 0]);
  third.fill(bytes('eeeee'));
  assert.equal(size(), 8);
  second.drop();
  assert.equal(queue.take().length, 3);
  assert.equal(size(), 0);
  queue.push(bytes('x'));
  queue.reserve(() => {}).fill(bytes('y'));
  queue.clear();
  assert.equal(size(), 0);
});
