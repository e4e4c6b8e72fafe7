// The memory of a producer that several threads share: one that produces without end leaves some for the others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchMemory } from '../../../../src/worker/producer/batch-memory.ts';
import type { RecordOwner } from '../../../../src/worker/producer/record-owner.ts';
import { TestProducer } from './support/test-producer.ts';

const chunk = 1024;
const chunks = 90;

function open(holders: number): BatchMemory {
  const memory = new BatchMemory(chunks * chunk, chunk);
  memory.holders = holders;
  return memory;
}

/** How much each holder gets when they take by turns until none gets more. */
function takeAll(memory: BatchMemory, holders: readonly object[]): number[] {
  const counts = holders.map(() => 0);
  for (let hasTaken = true; hasTaken; ) {
    hasTaken = false;
    for (const [i, holder] of holders.entries()) {
      if (memory.take(chunk, holder) === null) continue;
      counts[i]!++;
      hasTaken = true;
    }
  }
  return counts;
}

test('memory of the largest size can be taken, and not of one byte more', () => {
  for (const maxBytes of [1, chunk, 10 * chunk - 1, 10 * chunk, 10 * chunk + 1]) {
    for (const usualBytes of [1, chunk, 3 * chunk, 3 * chunk + 1]) {
      const fresh = (): BatchMemory => new BatchMemory(maxBytes, usualBytes);
      const { largestBytes } = fresh();
      assert.ok(fresh().take(largestBytes) !== null, `${largestBytes} of ${maxBytes}`);
      assert.equal(fresh().take(largestBytes + 1), null, `${largestBytes + 1} of ${maxBytes}`);
    }
  }
  const memory = new BatchMemory(10 * chunk, chunk);
  memory.limitTo(5 * chunk + 7);
  assert.equal(memory.largestBytes, 5 * chunk);
});

test('a single thread can take all memory', () => {
  assert.deepEqual(takeAll(open(1), [{}]), [chunks]);
});

test('one of several threads takes at most four fifths, and two threads take equal parts', () => {
  assert.deepEqual(takeAll(open(2), [{}]), [(chunks * 4) / 5]);
  assert.deepEqual(takeAll(open(2), [{}, {}]), [40, 40]);
  const memory = open(2);
  takeAll(memory, [{}]);
  assert.ok(takeAll(memory, [{}])[0]! > 0, 'one that comes later gets some');
});

test('a thread without memory can take the rest, however little it is', () => {
  const memory = new BatchMemory(2 * chunk, chunk);
  memory.holders = 2;
  const [first, second] = [{}, {}];
  assert.notEqual(memory.take(chunk, first), null);
  assert.equal(memory.take(chunk, first), null);
  const taken = memory.take(chunk, second);
  assert.notEqual(taken, null);
  memory.give(taken!, second);
  assert.equal(memory.take(chunk, first), null, 'not what the other has just given back');
});

test('returned memory no longer counts', () => {
  const memory = open(2);
  const holder = {};
  const taken: Buffer[] = [];
  for (let piece = memory.take(chunk, holder); piece !== null; piece = memory.take(chunk, holder)) taken.push(piece);
  for (const piece of taken) memory.give(piece, holder);
  assert.equal(memory.usedBytes, 0);
  assert.deepEqual(takeAll(memory, [holder]), [(chunks * 4) / 5]);
});

test('memory from elsewhere counts for the share too', () => {
  const memory = open(2);
  const holder = {};
  assert.ok(memory.reserve(60 * chunk, holder));
  assert.ok(!memory.reserve(20 * chunk, holder));
  assert.ok(memory.reserve(20 * chunk, {}));
  memory.unreserve(60 * chunk, holder);
  assert.ok(memory.reserve(20 * chunk, holder));
});

test('a lower limit takes nothing away, and counts from the next request on', () => {
  const memory = open(1);
  const taken = Array.from({ length: 50 }, () => memory.take(chunk)!);
  memory.limitTo(40 * chunk);
  assert.equal(memory.maxBytes, 40 * chunk);
  assert.equal(memory.take(chunk), null);
  for (const piece of taken.splice(0, 20)) memory.give(piece);
  assert.notEqual(memory.take(chunk), null);
  memory.limitTo(0);
  assert.equal(memory.maxBytes, chunk, 'one batch always fits');
});

for (const topic of ['t', 'unknown']) {
  test(`records of a thread that never stops leave room for those of another, for topic '${topic}'`, () => {
    const producer = TestProducer.started({ lingerMs: 10_000, batchSizeBytes: 1024, memoryBytes: 20 * 1024 });
    const other: RecordOwner = { onBatchSettled: () => {} };
    const value = 'x'.repeat(700);
    producer.role.accumulator.memory.holders = 2;
    let count = 0;
    while (producer.append(value, { topic }) !== null) assert.ok(++count < 100);
    producer.poll();
    assert.ok(count > 10, `${count} records`);
    assert.notEqual(producer.append(value, { topic, partition: topic === 't' ? 0 : -1, owner: other }), null);
  });
}
