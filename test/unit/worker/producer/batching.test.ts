// When batches are sent and how much memory they take: linger, fullness, back pressure, flush, the end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeliveryTimeoutError } from '../../../../src/common/errors/errors.ts';
import { TestProducer } from './support/test-producer.ts';

const started = TestProducer.started;

test('a batch waits lingerMs for more records, then goes with all of them', () => {
  const producer = started({ lingerMs: 20 });
  const first = producer.append('a');
  producer.advance(10);
  const second = producer.append('b');
  producer.poll();
  assert.equal(producer.cluster.produces.length, 0);
  assert.equal(producer.role.nextDeadline(), producer.cluster.now + 10);
  producer.advance(10);
  assert.equal(producer.cluster.produces.length, 1);
  assert.deepEqual(producer.cluster.produces[0]!.batches[0]!.values, ['a', 'b']);
  producer.cluster.answer();
  assert.deepEqual([producer.outcome(first), producer.outcome(second)], ['at 0', 'at 1']);
});

test('a full batch does not wait, and a batch with another behind it does not wait', () => {
  const producer = started({ lingerMs: 1000, batchSizeBytes: 1000 });
  for (let i = 0; i < 12; i++) producer.append('x'.repeat(100));
  producer.poll();
  assert.equal(producer.cluster.produces.length, 1);
  assert.ok(producer.cluster.produces[0]!.batches[0]!.bytes.length >= 900);
});

test('a record that somebody waits for is sent at once, unless a batch of its partition is in flight', () => {
  const producer = started({ lingerMs: 1000 });
  producer.append('a', { lingerMs: -2 });
  producer.poll();
  assert.equal(producer.cluster.produces.length, 1);
  producer.append('b', { lingerMs: -2 });
  producer.append('c', { lingerMs: -2 });
  producer.poll();
  assert.equal(producer.cluster.produces.length, 1);
  producer.cluster.answer();
  producer.poll();
  assert.deepEqual(producer.cluster.produces[0]!.batches[0]!.values, ['b', 'c']);
});

test('lingerMs of a record shortens that of its batch, and never lengthens it', () => {
  const producer = started({ lingerMs: 50 });
  producer.append('a', { lingerMs: 500 });
  producer.poll();
  assert.equal(producer.role.nextDeadline(), producer.cluster.now + 50);
  producer.append('b', { lingerMs: 0 });
  producer.poll();
  assert.equal(producer.cluster.produces.length, 1);
});

test('batchSizeBytes 0 makes one batch of each record', () => {
  const producer = started({ batchSizeBytes: 0 });
  producer.warmUp();
  producer.append('a');
  producer.append('b');
  producer.poll();
  assert.deepEqual(
    producer.cluster.produces.map(({ batches }) => batches[0]!.values),
    [['a'], ['b']],
  );
});

test('one request carries the batches of all partitions of a node, within maxRequestSizeBytes', () => {
  const producer = started({ lingerMs: 0, maxRequestSizeBytes: 3000 }, 6);
  for (let partition = 0; partition < 6; partition++) producer.append('x'.repeat(800), { partition });
  producer.poll();
  const sizes = producer.cluster.produces.map(({ batches }) => batches.length);
  assert.deepEqual(sizes, [3, 3]);
});

test('each node gets its own partitions, and a node that is not ready does not delay others', () => {
  const producer = started({ lingerMs: 0 }, 2);
  producer.cluster.partition('t', 1).leaderId = 2;
  producer.cluster.isUp.set(1, false);
  producer.append('a', { partition: 0 });
  producer.append('b', { partition: 1 });
  producer.poll();
  assert.deepEqual(
    producer.cluster.produces.map(({ brokerId }) => brokerId),
    [2],
  );
  producer.cluster.isUp.set(1, true);
  producer.poll();
  assert.deepEqual(
    producer.cluster.produces.map(({ brokerId }) => brokerId),
    [2, 1],
  );
});

test('a node gets at most maxInFlightRequestsPerConnection requests at a time', () => {
  const producer = started({ batchSizeBytes: 0, maxInFlightRequestsPerConnection: 2 });
  producer.warmUp();
  for (let i = 0; i < 5; i++) producer.append(`${i}`);
  producer.poll();
  assert.equal(producer.cluster.produces.length, 2);
  producer.cluster.answer();
  producer.poll();
  assert.equal(producer.cluster.produces.length, 2);
});

test('batches that wait behind others grow up to eight times batchSizeBytes, and smaller batches are not left behind', () => {
  const producer = started({ lingerMs: 1000, batchSizeBytes: 1000 });
  producer.cluster.isUp.set(1, false);
  for (let i = 0; i < 400; i++) producer.append('x'.repeat(100), { partition: 0 });
  producer.cluster.isUp.set(1, true);
  const sizes: number[] = [];
  producer.advance(1000);
  while (producer.cluster.produces.length > 0) {
    sizes.push(producer.cluster.produces[0]!.batches[0]!.bytes.length);
    producer.cluster.answer();
    producer.poll();
  }
  assert.ok(sizes[0]! <= 1000 + 120, `${sizes[0]} bytes`);
  assert.ok(sizes[1]! > 1800 && sizes[1]! <= 2000 + 120, `${sizes[1]} bytes`);
  assert.ok(Math.max(...sizes) > 7500 && Math.max(...sizes) <= 8000 + 120, `${Math.max(...sizes)} bytes`);
});

test('batches of a topic stop growing after one was too large for the broker', () => {
  const producer = started({ lingerMs: 0, batchSizeBytes: 1000 });
  for (let i = 0; i < 8; i++) producer.append('x'.repeat(100), { partition: 0 });
  producer.poll();
  producer.cluster.answer(undefined, () => 10);
  producer.cluster.isUp.set(1, false);
  for (let i = 0; i < 100; i++) producer.append('x'.repeat(100), { partition: 0 });
  producer.cluster.isUp.set(1, true);
  producer.poll();
  while (producer.cluster.produces.length > 0) {
    for (const { bytes } of producer.cluster.produces[0]!.batches) assert.ok(bytes.length <= 1000 + 120);
    producer.cluster.answer();
    producer.poll();
  }
});

test('memory is bounded: a record without room is not taken, all batches are sent at once, and an answer makes room', () => {
  const producer = started({ lingerMs: 10_000, batchSizeBytes: 1024, memoryBytes: 4096 });
  let taken = 0;
  while (producer.append('x'.repeat(200)) !== null) taken++;
  assert.ok(taken >= 12 && taken <= 20, `${taken} records`);
  assert.ok(producer.role.usedBytes <= 4096);
  producer.poll();
  assert.ok(producer.cluster.produces.length > 0);
  const wakes = producer.cluster.wakes;
  producer.cluster.answer();
  producer.poll();
  assert.ok(producer.cluster.wakes > wakes, 'whoever found no room is told');
  assert.notEqual(producer.append('x'.repeat(200)), null);
});

test('memory is returned only when the socket has taken the bytes, even if the answer came first', () => {
  const producer = started({ lingerMs: 0 });
  producer.cluster.isMemoryHeld = true;
  producer.append('a');
  producer.poll();
  const used = producer.role.usedBytes;
  producer.cluster.answer();
  assert.equal(producer.acknowledged, 1);
  assert.equal(producer.role.usedBytes, used);
  for (const free of producer.cluster.heldMemory) free();
  assert.equal(producer.role.usedBytes, 0);
});

test('a batch that expires in flight keeps its memory until its answer, and fails once', () => {
  const producer = started({ lingerMs: 0, deliveryTimeoutMs: 1000, requestTimeoutMs: 900 });
  const id = producer.append('a');
  producer.poll();
  producer.advance(1000);
  assert.equal(producer.outcome(id), 'DeliveryTimeoutError');
  assert.equal(producer.error(id).maybeWritten, true);
  assert.ok(producer.role.usedBytes > 0);
  producer.cluster.answer();
  assert.equal(producer.role.usedBytes, 0);
  assert.equal(producer.failed, 1);
  assert.equal(producer.acknowledged, 0);
});

test('a batch that cannot be sent expires, and says that it was not sent', () => {
  const producer = started({ lingerMs: 0, deliveryTimeoutMs: 1000, requestTimeoutMs: 900 });
  producer.cluster.isUp.set(1, false);
  const id = producer.append('a');
  producer.poll();
  producer.advance(999);
  assert.equal(producer.outcome(id), 'open');
  producer.advance(1);
  const error = producer.error(id);
  assert.ok(error instanceof DeliveryTimeoutError);
  assert.match(error.message, /1 records for partition 0 of topic 't' expired: the batch was not sent within 1000 ms/);
  assert.equal(error.maybeWritten, false);
  assert.equal(error.retriable, true);
});

test('a flush sends everything at once and ends when the records before it are settled', () => {
  const producer = started({ lingerMs: 10_000, maxBlockMs: 100 });
  let isFlushed = false;
  producer.append('a');
  producer.append('waits for metadata', { topic: 'unknown' });
  producer.role.flush(() => {
    isFlushed = true;
  }, producer.cluster.now);
  producer.poll();
  assert.equal(producer.cluster.produces.length, 1);
  producer.append('later');
  producer.cluster.answer();
  producer.poll();
  assert.equal(isFlushed, false);
  producer.advance(100);
  // The record that was appended later was under way when the last of the others failed, and is not waited for longer.
  for (const sent of [...producer.cluster.produces]) producer.cluster.answer(sent);
  assert.equal(isFlushed, true);
});

test('closing sends waiting records, and fails those without an acknowledgement at the deadline', () => {
  const producer = started({ lingerMs: 10_000 });
  const first = producer.append('a');
  let closedAt = 0;
  producer.role.close(producer.cluster.now + 500, (now) => {
    closedAt = now;
  });
  const late = producer.append('b');
  assert.equal(producer.outcome(late), 'ProducerClosedError');
  producer.poll();
  assert.equal(producer.cluster.produces.length, 1);
  producer.advance(500);
  assert.equal(producer.outcome(first), 'ProducerClosedError');
  assert.equal(producer.error(first).maybeWritten, true);
  assert.equal(closedAt, producer.cluster.now);
});

test('closing ends at once when everything is acknowledged', () => {
  const producer = started({ lingerMs: 10_000 });
  producer.append('a');
  let isClosed = false;
  producer.role.close(Number.POSITIVE_INFINITY, () => {
    isClosed = true;
  });
  producer.poll();
  producer.cluster.answer();
  producer.poll();
  assert.ok(isClosed);
  assert.equal(producer.acknowledged, 1);
});

test('with acks 0 a record is settled when it was written, at offset -1', () => {
  const producer = started({ acks: 0, lingerMs: 0 });
  const id = producer.append('a');
  producer.poll();
  assert.equal(producer.outcome(id), 'at -1');
  assert.equal(producer.role.usedBytes, 0);
});

test('metadata of an unused topic is dropped after metadataMaxIdleMs, and requested again when it is used', () => {
  const producer = started({ metadataMaxIdleMs: 5000, lingerMs: 0 });
  producer.append('a');
  producer.poll();
  producer.cluster.answer();
  producer.advance(4000);
  assert.ok(producer.cluster.tracked.has('t'));
  producer.advance(12_000);
  assert.ok(!producer.cluster.tracked.has('t'));
  producer.append('b');
  assert.ok(producer.cluster.tracked.has('t'));
});
