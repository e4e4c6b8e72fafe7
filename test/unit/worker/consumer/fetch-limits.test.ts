// How much fetches ask for: equal shares of the memory, whole batches when a share is smaller than a batch, and no more than there is room.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import { Fetch } from '../../../../src/protocol/flat/generated/apis.ts';
import type { FetchRequest } from '../../../../src/protocol/flat/generated/fetch.ts';
import { buildBatch } from '../../../../src/testing/batch-builder.ts';
import { FetchLimits } from '../../../../src/worker/consumer/fetch-limits.ts';
import { Partition } from '../../../../src/worker/consumer/partition.ts';
import { type ConsumerBench, idOf } from './support/consumer-bench.ts';
import { empty, reading } from './support/reading-bench.ts';

const KiB = 1024;

before(prepareCodecs);

/** A batch of some 10 KiB at an offset. */
function batchAt(offset: bigint): Buffer {
  const bytes = buildBatch({ records: Array.from({ length: 10 }, () => ({ value: 'x'.repeat(1000) })) });
  bytes.writeBigInt64BE(offset);
  return bytes;
}

/** Answers as a broker does: whole batches, the first one however large it is, then those that fit into both limits. */
function answer(bench: ConsumerBench): {
  readonly asked: number[];
  readonly maxBytes: number;
  readonly brought: number;
} {
  let asked: number[] = [];
  let brought = 0;
  const request = bench.answer(Fetch, (wanted: FetchRequest) => {
    const partitions = wanted.topics!.flatMap((topic) => topic.partitions!);
    asked = partitions.map(({ partitionMaxBytes }) => partitionMaxBytes!);
    let left = wanted.maxBytes!;
    const answers = partitions.map(({ partition, fetchOffset, partitionMaxBytes }) => {
      const records = batchAt(BigInt(String(fetchOffset)));
      const fits = records.length <= Math.min(left, partitionMaxBytes!);
      if (!fits && brought > 0) return empty(partition!);
      left -= records.length;
      brought += records.length;
      return empty(partition!, { records, highWatermark: 1000n, lastStableOffset: 1000n });
    });
    return { errorCode: 0, sessionId: 0, responses: [{ topicId: idOf('t'), partitions: answers }] };
  });
  return { asked, maxBytes: request.maxBytes!, brought };
}

describe('a fetch of more partitions than memory has batches for', () => {
  it('asks for whole batches of all partitions as soon as it knows their size, and for no more than there is room', () => {
    const prefetchBytes = 256 * KiB;
    const bench = reading({ prefetchBytes, batchMaxBytes: 1 }, 64);
    bench.application.roomBytes = 0;
    const first = answer(bench);
    assert.deepEqual(new Set(first.asked), new Set([4 * KiB]));
    assert.ok(first.brought < 12 * KiB, 'one batch: no other one fits into a share');
    let kept = first.brought;
    for (let round = 0; round < 5 && bench.asked(Fetch).length > 0; round++) {
      const next = answer(bench);
      assert.deepEqual(new Set(next.asked), new Set([first.brought]));
      assert.ok(kept + next.maxBytes <= prefetchBytes, `${next.maxBytes} are asked for, ${kept} are kept`);
      kept += next.brought;
    }
    assert.ok(kept > prefetchBytes * 0.8, `${kept} bytes are read ahead`);
    assert.equal(bench.asked(Fetch).length, 0, 'until the application has read some');
  });

  it('waits a moment for memory, then brings what there is room for: the memory may be kept by partitions that nobody reads', () => {
    const bench = reading({ prefetchBytes: 64 * KiB, batchMaxBytes: 1 }, 64);
    bench.application.roomBytes = 0;
    const partitions = bench.role.partitions.all;
    while (bench.asked(Fetch).length > 0) answer(bench);
    const buffered = (): number => partitions.reduce((sum, { bufferedBytes }) => sum + bufferedBytes, 0);
    assert.ok(buffered() > 56 * KiB, 'less than an eighth is free');
    const deadline = bench.role.nextDeadline(bench.now);
    assert.ok(deadline > bench.now && deadline <= bench.now + 10, String(deadline));
    bench.advance(10);
    const next = answer(bench);
    assert.ok(next.brought > 0 && next.brought < 12 * KiB, `${next.brought} bytes`);
  });
});

describe('limits of fetches', () => {
  const partitionsOf = (count: number): Partition[] => Array.from({ length: count }, (_, i) => new Partition('t', i));
  const config = { prefetchBytes: 1024 * KiB, fetchMaxBytes: 512 * KiB, maxPartitionFetchBytes: 300 * KiB };

  it('are equal shares while those hold a batch', () => {
    const limits = new FetchLimits(config);
    const partitions = partitionsOf(8);
    limits.begin(partitions);
    assert.equal(limits.ofPartition(partitions[0]!), 128 * KiB);
    assert.equal(limits.ofRequest(partitions, 3, [], 0), 512 * KiB);
    partitions[0]!.batchBytes = 100 * KiB;
    assert.equal(limits.ofPartition(partitions[0]!), 128 * KiB);
    assert.equal(
      limits.ofRequest(partitions, 3, [{ askedBytes: 1000 * KiB }], 0),
      512 * KiB,
      'shares alone keep within the memory',
    );
  });

  it('leave the room that is free to all brokers alike, when batches are larger than shares', () => {
    const limits = new FetchLimits(config);
    const partitions = partitionsOf(64);
    for (const partition of partitions) partition.batchBytes = 100 * KiB;
    limits.begin(partitions);
    assert.equal(limits.ofPartition(partitions[0]!), 100 * KiB);
    assert.equal(limits.ofRequest(partitions, 4, [{ askedBytes: 624 * KiB }], 0), 100 * KiB);
    partitions[0]!.batchBytes = 1000 * KiB;
    assert.equal(limits.ofPartition(partitions[0]!), 300 * KiB, 'maxPartitionFetchBytes');
  });
});
