// The partition of a record: the exact hash of its key, and for records without a key the sticky choice of KIP-794.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyPartition } from '../../../../src/worker/producer/key-partition.ts';
import { murmur2 } from '../../../../src/worker/producer/murmur2.ts';
import { StickyPartitioner, type StickyTopic } from '../../../../src/worker/producer/sticky-partitioner.ts';
import { TestProducer } from './support/test-producer.ts';

const utf8 = (text: string): Uint8Array => Buffer.from(text);
/** Made by calling Java's producer 4.3.1: key, hash, partition of 3, of 10, of 64. */
const vectors: readonly [
  name: string,
  key: Uint8Array,
  hash: number,
  of3: number | null,
  of10: number,
  of64: number | null,
][] = [
  ['(empty)', utf8(''), 275646681, 0, 1, 25],
  ['foobar', utf8('foobar'), -790332482, 0, 6, 62],
  ['key', utf8('key'), -1079937367, 1, 1, 41],
  ['0', utf8('0'), 971027396, 2, 6, 4],
  ['1', utf8('1'), -1993445489, 0, 9, 15],
  ['user-1', utf8('user-1'), 1404122828, 2, 8, 12],
  ['order-00000001', utf8('order-00000001'), -1637640284, 0, 4, 36],
  ['áéí', utf8('\u00e1\u00e9\u00ed'), -951699132, 2, 6, 4],
  ['日本語', utf8('日本語'), 1431860170, 1, 0, 10],
  ['byte 00', Uint8Array.of(0), 375494588, 2, 8, 60],
  ['a-little-bit-long-string', utf8('a-little-bit-long-string'), -985981536, 2, 2, 32],
  ['ff 80 7f 00 01', Uint8Array.of(0xff, 0x80, 0x7f, 0, 1), 69563401, null, 1, null],
  ['00 to ff', Uint8Array.from({ length: 256 }, (_, i) => i), -1948347274, null, 4, null],
];

for (const [name, key, hash, of3, of10, of64] of vectors) {
  test(`murmur2 of ${name} and the partition are the same as in Java's producer`, () => {
    assert.equal(murmur2(key), hash);
    const padded = Uint8Array.of(9, 9, 9, ...key, 9);
    assert.equal(murmur2(padded, 3, 3 + key.length), hash, 'wherever the key stands');
    for (const [count, expected] of [
      [3, of3],
      [10, of10],
      [64, of64],
    ] as const) {
      if (expected !== null) assert.equal(keyPartition('murmur2', key, 0, key.length, count), expected);
    }
  });
}

test('crc32 uses the unsigned checksum, as in librdkafka', () => {
  const key = utf8('123456789');
  assert.equal(keyPartition('crc32', key, 0, 9, 1000), 0xcbf43926 % 1000);
});

test('an empty key counts as no key with crc32, and as a key with murmur2', () => {
  const ofEmptyKey = (partitioner: 'murmur2' | 'crc32'): number => {
    const producer = TestProducer.started({ partitioner, lingerMs: 0 }, 10);
    producer.cluster.random = () => 0.75;
    producer.append('v', { key: '' });
    producer.poll();
    return producer.cluster.produces[0]!.batches[0]!.partition;
  };
  assert.equal(ofEmptyKey('murmur2'), 1);
  assert.equal(ofEmptyKey('crc32'), 7);
});

function topicOf(
  count: number,
  lengths: readonly number[] | null,
  led = Array.from({ length: count }, (_, i) => i),
): StickyTopic {
  return {
    partitionCount: count,
    load: () => (lengths === null ? null : { partitions: led, lengths: led.map((index) => lengths[index]!) }),
    withLeader: () => led,
  };
}

test('records without a key stay in one partition until its batch is full', () => {
  const drawn = [0.1, 0.6, 0.9];
  const sticky = new StickyPartitioner(1000, () => drawn.shift()!);
  const topic = topicOf(4, null);
  assert.equal(sticky.choose(topic), 0);
  sticky.appended(topic, 0, 999, true);
  assert.equal(sticky.choose(topic), 0);
  sticky.appended(topic, 3, 5000, true);
  assert.equal(sticky.choose(topic), 0, 'bytes in other partitions do not count');
  sticky.appended(topic, 0, 500, false);
  assert.equal(sticky.choose(topic), 0, 'a batch that is only partly full is filled up first');
  sticky.appended(topic, 0, 1, true);
  assert.equal(sticky.choose(topic), 2);
  sticky.appended(topic, 2, 2000, false);
  assert.equal(sticky.choose(topic), 3, 'twice the size ends it in any case');
});

test('only partitions with a leader are chosen, or any partition if there is no leader', () => {
  const sticky = new StickyPartitioner(1, () => 0.99);
  assert.equal(sticky.choose(topicOf(4, null, [1])), 1);
  assert.equal(new StickyPartitioner(1, () => 0.99).choose(topicOf(4, null, [])), 3);
});

test('a partition with a short queue is chosen more often, in proportion', () => {
  const chosen = [0, 0, 0];
  const topic = topicOf(3, [3, 0, 1]);
  for (let i = 0; i < 800; i++) chosen[new StickyPartitioner(1, () => (i + 0.5) / 800).choose(topic)]!++;
  // Weights 1, 4, 3.
  assert.deepEqual(chosen, [100, 400, 300]);
});

test('equal queues are chosen equally often, and an excluded partition gets nothing', () => {
  const countOf = (topic: StickyTopic): number[] => {
    const chosen = [0, 0, 0];
    for (let i = 0; i < 300; i++) chosen[new StickyPartitioner(1, () => (i + 0.5) / 300).choose(topic)]!++;
    return chosen;
  };
  assert.deepEqual(countOf(topicOf(3, [2, 2, 2])), [100, 100, 100]);
  assert.deepEqual(countOf(topicOf(3, [2, 2, 2], [0, 2])), [150, 0, 150]);
});

/** The partitions of so many records, each sent as a batch of its own. */
function partitionsOf(producer: TestProducer, count: number, key?: string): number[] {
  const { cluster } = producer;
  const seen: number[] = [];
  for (let i = 0; i < count; i++) {
    cluster.random = () => (i + 0.5) / count;
    producer.append('v', key === undefined ? {} : { key });
    producer.poll();
    while (cluster.produces.length > 0) {
      seen.push(...cluster.produces[0]!.batches.map(({ partition }) => partition));
      cluster.answer();
      producer.poll();
    }
  }
  return seen;
}

const oneByOne = { lingerMs: 0, batchSizeBytes: 0, enableIdempotence: false } as const;

test('with partitionerIgnoreKeys records with a key are spread like those without', () => {
  const keyed = TestProducer.started(oneByOne, 4);
  assert.equal(new Set(partitionsOf(keyed, 20, 'the same')).size, 1);
  const spread = TestProducer.started({ ...oneByOne, partitionerIgnoreKeys: true }, 4);
  assert.equal(new Set(partitionsOf(spread, 20, 'the same')).size, 4);
});

test('with partitionerRackAware records without a key go to leaders in the rack, and anywhere if there are none', () => {
  const near = { ...oneByOne, partitionerRackAware: true, clientRack: 'here' };
  for (const [rackOfOne, expected] of [
    ['here', [0, 2]],
    ['elsewhere', [0, 1, 2, 3]],
  ] as const) {
    const producer = TestProducer.started(near, 4);
    const { cluster } = producer;
    for (const index of [1, 3]) cluster.partition('t', index).leaderId = 2;
    cluster.racks.set(1, rackOfOne).set(2, 'there');
    cluster.update();
    assert.deepEqual([...new Set(partitionsOf(producer, 40))].toSorted(), expected);
  }
});

test('a partition whose broker takes nothing for partitionerAvailabilityTimeoutMs gets no records without a key', () => {
  const producer = TestProducer.started({ ...oneByOne, partitionerAvailabilityTimeoutMs: 1000 }, 2);
  const { cluster } = producer;
  cluster.partition('t', 1).leaderId = 2;
  cluster.update();
  cluster.isUp.set(2, false);
  producer.append('waits', { partition: 1 });
  producer.advance(1001);
  assert.deepEqual([...new Set(partitionsOf(producer, 20))], [0]);
  cluster.isUp.set(2, true);
  producer.advance(1);
  while (cluster.produces.length > 0) cluster.answer();
  producer.poll();
  assert.deepEqual([...new Set(partitionsOf(producer, 20))].toSorted(), [0, 1]);
});
