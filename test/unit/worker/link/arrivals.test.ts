// Since when the records of a link wait, while there is no memory to take them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Arrivals } from '../../../../src/worker/link/arrivals.ts';

test('a record waits since all frames up to it were first seen there', () => {
  const arrivals = new Arrivals(3200);
  assert.ok(arrivals.isEmpty);
  arrivals.note(100, 1000);
  arrivals.note(200, 1100);
  arrivals.note(300, 1200);
  assert.equal(arrivals.timeOf(40, 5000), 1000);
  assert.equal(arrivals.timeOf(100, 5000), 1000);
  assert.equal(arrivals.timeOf(101, 5000), 1100);
  assert.equal(arrivals.timeOf(300, 5000), 1200);
  assert.equal(arrivals.timeOf(301, 5000), 5000, 'it came later');
  assert.ok(arrivals.isEmpty);
});

test('what is seen again has not come again', () => {
  const arrivals = new Arrivals(3200);
  arrivals.note(100, 1000);
  arrivals.note(100, 2000);
  assert.equal(arrivals.timeOf(100, 5000), 1000);
  assert.equal(arrivals.timeOf(101, 5000), 5000);
});

test('positions wrap', () => {
  const arrivals = new Arrivals(3200);
  arrivals.note(0xfffffff8, 1000);
  arrivals.note(16, 1100);
  assert.equal(arrivals.timeOf(0xfffffff0, 5000), 1000);
  assert.equal(arrivals.timeOf(8, 5000), 1100);
});

test('the times are few, however often it is looked: a record may be given up late by one step', () => {
  const arrivals = new Arrivals(3200);
  let now = 1000;
  for (let position = 8; position <= 80_000; position += 8) arrivals.note(position, now++);
  for (let position = 8; position <= 80_000; position += 8) {
    const came = 1000 + (position - 8) / 8;
    const at = arrivals.timeOf(position, now);
    // More than two limits were over: what came after that counts from the moment at which it is taken.
    if (came < 1000 + 2 * 3200) assert.ok(at >= came && at <= came + 100, `${position}: ${came}, ${at}`);
  }
});
