// Requests that wait for the socket of their connection. Some of them are still being encoded.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SendQueue } from '../../../../src/worker/net/send-queue.ts';

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
