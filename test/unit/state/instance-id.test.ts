// The client instance id in shared memory.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ConsumerSnapshotReader,
  ConsumerSnapshotWriter,
  createConsumerSnapshot,
  emptySnapshot,
} from '../../../src/state/consumer-snapshot.ts';
import {
  createProducerCounters,
  ProducerCountersReader,
  ProducerCountersWriter,
} from '../../../src/state/producer-counters.ts';

const id = 'q83vEjRWeJCrze8SNFZ4kA';

test('is null until it is written, and stands beside the counters of a producer', () => {
  const memory = createProducerCounters();
  const [writer, reader] = [new ProducerCountersWriter(memory), new ProducerCountersReader(memory)];
  writer.set('isFatal', 1);
  assert.equal(reader.instanceId, null);
  writer.setInstanceId(id);
  writer.add('acknowledged', 5);
  assert.deepEqual([reader.instanceId, reader.get('acknowledged'), reader.get('isFatal')], [id, 5, 1]);
});

test('is null until it is written, and stands beside the state of a consumer, also when that grows', () => {
  const memory = createConsumerSnapshot();
  const [writer, reader] = [new ConsumerSnapshotWriter(memory), new ConsumerSnapshotReader(memory)];
  writer.write(emptySnapshot);
  assert.equal(reader.instanceId, null);
  writer.setInstanceId(id);
  const long = { ...emptySnapshot, memberId: 'm'.repeat(10_000) };
  writer.write(long);
  assert.deepEqual([reader.instanceId, reader.read()], [id, long]);
});
