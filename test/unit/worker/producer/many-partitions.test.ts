// A producer whose records spread over more partitions than its memory has full batches for: batches begin small and grow, so that each has
// many records. Embedded memory and clock, no sockets.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { framesPerTurn } from '../../../../src/worker/link/producer-adapter.ts';
import { BatchMemory } from '../../../../src/worker/producer/batch-memory.ts';
import { TestProducer } from './support/test-producer.ts';

const KiB = 1024;
const value = 'x'.repeat(100);

/** Appends records to the partitions in turn, in steps as a link does; the broker answers the oldest request after each step. */
function spread(
  partitions: number,
  records: number,
): { producer: TestProducer; batchSizes: number[]; values: string[] } {
  const producer = TestProducer.started({ memoryBytes: 1024 * KiB, lingerMs: 5 }, partitions);
  producer.warmUp();
  const batchSizes: number[] = [];
  const values: string[] = [];
  const answer = (): void => {
    const { batches } = producer.cluster.produces[0]!;
    for (const batch of batches) {
      batchSizes.push(batch.values.length);
      values.push(...batch.values.map((one) => one!.slice(0, one!.indexOf(' '))));
    }
    producer.cluster.answer();
    producer.poll();
  };
  let i = 0;
  while (i < records) {
    for (let step = 0; step < 4096 && i < records; step++, i++)
      if (producer.append(`${i} ${value}`, { partition: i % partitions }) === null) break;
    producer.advance(5);
    if (producer.cluster.produces.length > 0) answer();
  }
  producer.advance(5);
  while (producer.cluster.produces.length > 0) answer();
  return { producer, batchSizes, values };
}

describe('records that are spread over many partitions', () => {
  it('go in batches of many records, however little memory there is for each partition', () => {
    // 1 MiB has 64 batches of 16 KiB. Four times as many partitions left memory for one or two records of each.
    const { producer, batchSizes, values } = spread(256, 40_000);
    assert.equal(producer.acknowledged - 256, 40_000);
    assert.equal(producer.failed, 0);
    const average = batchSizes.reduce((sum, one) => sum + one, 0) / batchSizes.length;
    assert.ok(average > 8, `${average} records in a batch`);
    const inOrder = new Map<number, number>();
    for (const one of values.map(Number)) {
      assert.ok((inOrder.get(one % 256) ?? -1) < one, `${one} comes in order`);
      inOrder.set(one % 256, one);
    }
    assert.equal(new Set(values).size, 40_000, 'each record once');
    assert.equal(producer.role.usedBytes, 0, 'all memory is back');
  });

  it('of few partitions begin with all the memory that a full batch needs', () => {
    const producer = TestProducer.started({ memoryBytes: 1024 * KiB, lingerMs: 1000 }, 4);
    producer.warmUp();
    producer.append('x', { partition: 0 });
    assert.equal(producer.role.usedBytes, 16 * KiB);
  });

  it('take the memory that they need, twice as much when it is full, and no more than a full batch', () => {
    const producer = TestProducer.started({ memoryBytes: 48 * KiB, lingerMs: 1000 }, 4);
    producer.warmUp();
    const used = new Set<number>();
    for (let i = 0; i < 140; i++) {
      producer.append(value, { partition: 0 });
      used.add(producer.role.usedBytes / KiB);
    }
    assert.deepEqual([...used].slice(0, 5), [1, 2, 4, 8, 16]);
  });

  it('are taken from their link in turns that are longer with more partitions, up to a limit', () => {
    const frames = (partitions: number): number => framesPerTurn(partitions, 1);
    assert.deepEqual([0, 128, 256, 1000, 10_000].map(frames), [2048, 2048, 4096, 16_000, 16_384]);
    assert.deepEqual([framesPerTurn(1000, 2), framesPerTurn(1000, 16)], [8000, 2048], 'threads share them');
  });
});

describe('memory of batches', () => {
  it('comes in small pieces, which are used again', () => {
    const memory = new BatchMemory(64 * KiB, 16 * KiB);
    const pieces = [1, 1000, 1025, 5000, 16 * KiB, 20 * KiB].map((bytes) => memory.takeSmall(bytes)!);
    assert.deepEqual(
      pieces.map(({ length }) => length / KiB),
      [1, 1, 2, 8, 16, 20],
    );
    for (const piece of pieces) memory.give(piece);
    assert.equal(memory.usedBytes, 0);
    assert.equal(memory.takeSmall(7000), pieces[3]);
  });

  it('in small pieces counts against the limit', () => {
    const memory = new BatchMemory(16 * KiB, 8 * KiB);
    const taken = Array.from({ length: 16 }, () => memory.takeSmall(100));
    assert.ok(!taken.includes(null));
    assert.equal(memory.takeSmall(100), null);
    memory.give(taken[0]!);
    assert.notEqual(memory.takeSmall(100), null);
  });
});
