// Sequences of a partition's batches where they wrap: after 2147483647 comes 0.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CopyMemory } from '../../../../src/common/copy-bytes.ts';
import { PartitionState } from '../../../../src/worker/producer/partition-state.ts';
import { ProducerBatch } from '../../../../src/worker/producer/producer-batch.ts';
import type { TopicState } from '../../../../src/worker/producer/topic-state.ts';
import { bodyOf } from './support/test-producer.ts';

const last = 2147483647;

function batchOf(partition: PartitionState, records: number): ProducerBatch {
  const batch = new ProducerBatch(partition, Buffer.alloc(4096), 0, 0);
  const { bytes } = bodyOf(null, 'v');
  const record = { timestampMs: 0, memory: new CopyMemory(bytes), from: 0, to: bytes.length };
  for (let i = 0; i < records; i++) assert.ok(batch.append(record));
  partition.sent.push(batch);
  partition.number(batch);
  return batch;
}

function nearTheEnd(): PartitionState {
  const partition = new PartitionState({ name: 't' } as TopicState, 0);
  partition.restart(7, 0, 3);
  partition.nextSequence = last - 2;
  return partition;
}

test('sequences of batches go on after the wrap', () => {
  const partition = nearTheEnd();
  const batches = [2, 3, 4].map((records) => batchOf(partition, records));
  assert.deepEqual(
    batches.map(({ baseSequence, lastSequence }) => [baseSequence, lastSequence]),
    [
      [last - 2, last - 1],
      [last, 1],
      [2, 5],
    ],
  );
  assert.equal(partition.nextSequence, 6);
});

test('the last acknowledged sequence is right across the wrap, in any order of the answers', () => {
  const partition = nearTheEnd();
  const [first, second, third] = [2, 3, 4].map((records) => batchOf(partition, records));
  partition.acknowledged(first!, 10);
  assert.ok(partition.isNext(last));
  partition.acknowledged(third!, 19);
  partition.acknowledged(second!, 13);
  assert.equal(partition.lastAckedSequence, 5);
  assert.ok(partition.isNext(6));
});

test('a gap is closed across the wrap: batches behind one that was not written get lower numbers', () => {
  const partition = nearTheEnd();
  const [first, second, third] = [2, 3, 4].map((records) => batchOf(partition, records));
  partition.closeGap(first!);
  assert.equal(second!.baseSequence, last - 2);
  assert.equal(third!.baseSequence, 0);
  assert.equal(partition.nextSequence, 4);
});
