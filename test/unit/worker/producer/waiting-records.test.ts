// Records that cannot go into a batch at once: for want of memory or metadata, or ever, because they are too large.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TopicMetadataTimeoutError } from '../../../../src/common/errors/errors.ts';
import { TestProducer } from './support/test-producer.ts';

const started = TestProducer.started;

test('a record that has waited for memory has what is left of its own time, not a new time', () => {
  const producer = started({ lingerMs: 0, deliveryTimeoutMs: 1000, requestTimeoutMs: 900 });
  producer.cluster.isUp.set(1, false);
  const id = producer.append('a', { waitsSince: producer.cluster.now - 600 });
  producer.advance(399);
  assert.equal(producer.outcome(id), 'open');
  producer.advance(1);
  assert.equal(producer.outcome(id), 'DeliveryTimeoutError');
  assert.match(producer.error(id).message, /within 1000 ms/);
});

test('a record that waits for memory after its metadata has come has no new time either', () => {
  const options = { lingerMs: 0, deliveryTimeoutMs: 1000, requestTimeoutMs: 900, batchSizeBytes: 1500 };
  const producer = started({ ...options, memoryBytes: 5000 });
  producer.cluster.isUp.set(1, false);
  const ids = [
    producer.append('1'),
    producer.append('2', { topic: 'new', partition: 0 }),
    producer.append('3', { topic: 'new', partition: 1 }),
  ];
  producer.cluster.addTopic('new', 2);
  producer.poll();
  producer.advance(999);
  assert.deepEqual(
    ids.map((id) => producer.outcome(id)),
    ['open', 'open', 'open'],
  );
  // There is memory for the last one only when the others have failed.
  producer.advance(1);
  producer.poll();
  assert.deepEqual(
    ids.map((id) => producer.outcome(id)),
    ['DeliveryTimeoutError', 'DeliveryTimeoutError', 'DeliveryTimeoutError'],
  );
});

test('records for a topic that is not known wait for metadata, in order, without holding up other topics', () => {
  const producer = started({ lingerMs: 0 });
  const first = producer.append('1', { topic: 'new' });
  const second = producer.append('2', { topic: 'new' });
  const other = producer.append('x');
  producer.poll();
  assert.ok(producer.cluster.tracked.has('new'));
  producer.cluster.answer();
  assert.deepEqual([producer.outcome(first), producer.outcome(other)], ['open', 'at 0']);
  producer.cluster.addTopic('new');
  const third = producer.append('3', { topic: 'new' });
  producer.poll();
  producer.cluster.answer();
  assert.deepEqual(producer.cluster.partition('new').values, ['1', '2', '3']);
  assert.deepEqual(
    [first, second, third].map((id) => producer.outcome(id)),
    ['at 0', 'at 1', 'at 2'],
  );
});

test('a record never passes one that waits for metadata and may go to the same partition', () => {
  for (const [name, before, after] of [
    ['both name the partition', 0, 0],
    ['only the later one names it', -1, 0],
    ['only the earlier one names it', 0, -1],
  ] as const) {
    const producer = started({ lingerMs: 0 });
    producer.append('1', { topic: 'new', partition: before });
    producer.cluster.addTopic('new');
    producer.append('2', { topic: 'new', partition: after });
    producer.poll();
    producer.cluster.answer();
    assert.deepEqual(producer.cluster.partition('new').values, ['1', '2'], name);
  }
});

test('a record does not wait behind one of another partition or of a missing partition', () => {
  const producer = started({ lingerMs: 0 });
  producer.append('never', { topic: 'new', partition: 7 });
  producer.append('first', { topic: 'new', partition: 1 });
  producer.cluster.addTopic('new', 2);
  producer.append('now', { topic: 'new', partition: 0 });
  producer.poll();
  producer.append('any', { topic: 'new' });
  producer.poll();
  while (producer.cluster.produces.length > 0) {
    producer.cluster.answer();
    producer.poll();
  }
  assert.equal(producer.acknowledged, 3);
});

test('records that wait for metadata can fill the memory, and are sent when metadata comes', () => {
  const producer = started({ lingerMs: 0, batchSizeBytes: 2000, memoryBytes: 8192 });
  let taken = 0;
  while (producer.append(`${taken}`, { topic: 'new' }) !== null) taken++;
  assert.ok(taken > 10);
  producer.cluster.addTopic('new', 3);
  for (let round = 0; round < 20; round++) {
    producer.poll();
    for (const sent of [...producer.cluster.produces]) producer.cluster.answer(sent);
  }
  assert.equal(producer.acknowledged, taken);
  assert.equal(producer.role.usedBytes, 0);
});

test('a record that found no room comes again when the records that waited for metadata have failed', () => {
  const producer = started({ memoryBytes: 8192, maxBlockMs: 500 });
  while (producer.append('1', { topic: 'gone' }) !== null);
  producer.poll();
  const wakes = producer.cluster.wakes;
  producer.advance(500);
  assert.equal(producer.role.usedBytes, 0);
  assert.ok(producer.cluster.wakes > wakes, 'nothing else calls the thread that reads the link');
  assert.notEqual(producer.append('2'), null);
});

test('a topic that does not appear fails its records after maxBlockMs, naming topic and cause', () => {
  const producer = started({ maxBlockMs: 500 });
  producer.cluster.topicErrors.set('gone', 3);
  const id = producer.append('1', { topic: 'gone' });
  producer.advance(499);
  assert.equal(producer.outcome(id), 'open');
  producer.advance(1);
  const error = producer.error(id);
  assert.ok(error instanceof TopicMetadataTimeoutError);
  assert.match(
    error.message,
    /topic 'gone' is not present in metadata after 500 ms \(maxBlockMs\): .*UnknownTopicOrPartition/,
  );
  assert.equal(error.maybeWritten, false);
  assert.equal(producer.role.usedBytes, 0);
});

test('a topic without permission or with an invalid name fails at once', () => {
  const producer = started();
  producer.cluster.topicErrors.set('secret', 29);
  producer.cluster.topicErrors.set('invalid', 17);
  const ids = ['secret', 'invalid'].map((topic) => producer.append('1', { topic }));
  producer.poll();
  assert.deepEqual(
    ids.map((id) => producer.outcome(id)),
    ['TopicAuthorizationFailedError', 'InvalidTopicError'],
  );
});

test('a record for an unknown partition waits for metadata and then fails with the number of partitions, and others go on', () => {
  const producer = started({ maxBlockMs: 500, lingerMs: 0 });
  const beyond = producer.append('1', { partition: 4 });
  const known = producer.append('2', { partition: 0 });
  producer.poll();
  producer.cluster.answer();
  assert.equal(producer.outcome(known), 'at 0');
  producer.advance(500);
  assert.match(producer.error(beyond).message, /partition 4 of topic 't' is not present .* the topic has 1 partitions/);
});

test('a record larger than maxRequestSizeBytes fails alone', () => {
  const producer = started({ lingerMs: 0, maxRequestSizeBytes: 1000 });
  const big = producer.append('x'.repeat(1000));
  const small = producer.append('y');
  producer.poll();
  producer.cluster.answer();
  assert.deepEqual([producer.outcome(big), producer.outcome(small)], ['RecordTooLargeError', 'at 0']);
});

test('a record larger than the memory of all batches fails alone, and the error names bufferMemoryBytes', () => {
  const producer = started({ lingerMs: 0, memoryBytes: 2000, maxRequestSizeBytes: 100_000, batchSizeBytes: 500 });
  const big = producer.append('x'.repeat(2000));
  const small = producer.append('y');
  producer.poll();
  producer.cluster.answer();
  assert.deepEqual([producer.outcome(big), producer.outcome(small)], ['RecordTooLargeError', 'at 0']);
  assert.match(producer.error(big).message, /all batches together may take 2000 \(bufferMemoryBytes\)/);
});

test('a flush waits for the records that wait for metadata when it is called, not for those that come later without end', () => {
  const producer = started({ lingerMs: 0, maxBlockMs: 1000 });
  const first = producer.append('1', { topic: 'missing' });
  const flushed: string[] = [];
  producer.role.flush(() => flushed.push('first'), producer.cluster.now);
  let second: number | null = null;
  for (let ms = 0; ms < 2000; ms += 100) {
    producer.append('later', { topic: 'missing too' });
    if (ms === 500) {
      second = producer.append('2', { topic: 'missing' });
      producer.role.flush(() => flushed.push('second'), producer.cluster.now);
    }
    producer.advance(100);
    const done = [first, second].filter((id) => id !== null && producer.outcome(id) !== 'open');
    assert.ok(flushed.length <= done.length, 'a flush ends after its records');
  }
  assert.deepEqual(flushed, ['first', 'second']);
});
