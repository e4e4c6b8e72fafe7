// The short way of a record to the batch of the one before it: everything that is sent is the same as without it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LINGER_WHILE_BUSY } from '../../../../src/common/record-tracking.ts';
import { LastPlace } from '../../../../src/worker/producer/last-place.ts';
import { TestProducer } from './support/test-producer.ts';

/** A generator with a seed: the two producers get the same numbers. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

interface Sent {
  readonly turn: number;
  readonly topic: string;
  readonly partition: number;
  readonly bytes: string;
}

/** What a producer sends, and what its records come to, when its records take the short way or never do. */
function history(seed: number, isShort: boolean): { sent: Sent[]; outcomes: string[]; shortWays: number } {
  const random = randomOf(seed);
  const choose = <T>(...values: T[]): T => values[Math.floor(random() * values.length)]!;
  const producer = TestProducer.started(
    {
      lingerMs: choose(0, 5, 50),
      batchSizeBytes: choose(300, 1000, 4000, 16_000),
      maxRequestSizeBytes: 5000,
      memoryBytes: choose(8192, 65_536),
      partitioner: choose('murmur2', 'crc32'),
      partitionerIgnoreKeys: random() < 0.2,
      compressionType: choose('none', 'none', 'gzip'),
    },
    3,
  );
  producer.cluster.random = randomOf(seed + 1);
  producer.cluster.addTopic('u', 2);
  producer.poll();
  const place = new LastPlace(producer.role.accumulator);
  let shortWays = 0;
  const counted = place.append.bind(place);
  place.append = (record) => {
    if (!counted(record)) return false;
    shortWays++;
    return true;
  };
  const sent: Sent[] = [];
  const trackIds: (number | null)[] = [];
  const usual: { topic?: string; partition?: number; lingerMs?: number; key?: string | undefined } = {};
  for (let turn = 0; turn < 60; turn++) {
    place.forget();
    for (let i = Math.floor(random() * 30); i > 0; i--) {
      if (random() < 0.06) usual.topic = choose('t', 't', 'u', 'unknown');
      if (random() < 0.06) usual.partition = choose(-1, -1, -1, 0, 1);
      if (random() < 0.06) usual.lingerMs = choose(-1, -1, -1, -2, 0, 20);
      if (random() < 0.06) usual.key = choose(undefined, undefined, undefined, '', 'a');
      const size = random() < 0.02 ? 6000 : Math.floor(random() * 120);
      trackIds.push(producer.append('v'.repeat(size), { ...usual, ...(isShort && { place }) }));
    }
    if (random() < 0.1) producer.role.flush(() => {}, producer.cluster.now);
    producer.advance(choose(0, 1, 7, 30));
    for (let i = choose(0, 1, 5, 5); i > 0 && producer.cluster.produces.length > 0; i--) {
      for (const { topic, partition, bytes } of producer.cluster.produces[0]!.batches)
        sent.push({ turn, topic, partition, bytes: bytes.toString('hex') });
      producer.cluster.answer();
      producer.poll();
    }
  }
  return { sent, outcomes: trackIds.map((id) => producer.outcome(id)), shortWays };
}

test('batches and outcomes are the same with and without the short way, whatever the records', () => {
  let batches = 0;
  let shortWays = 0;
  for (let seed = 1; seed <= 25; seed++) {
    const [long, short] = [history(seed, false), history(seed, true)];
    assert.deepEqual(short.sent, long.sent, `seed ${seed}`);
    assert.deepEqual(short.outcomes, long.outcomes, `seed ${seed}`);
    assert.equal(long.shortWays, 0);
    batches += short.sent.length;
    shortWays += short.shortWays;
  }
  assert.ok(batches > 200, `${batches} batches`);
  assert.ok(shortWays > 2000, `${shortWays} records took the short way`);
});

for (const lingerMs of [0, 5, LINGER_WHILE_BUSY]) {
  test(`a record that waits for ${lingerMs} ms only hurries the batch of the one before it`, () => {
    const producer = TestProducer.started({ enableIdempotence: false, lingerMs: 1000 });
    const place = new LastPlace(producer.role.accumulator);
    producer.append('a', { place });
    producer.append('b', { place });
    producer.append('c', { place, lingerMs });
    producer.append('d', { place });
    producer.advance(5);
    assert.deepEqual(
      producer.cluster.produces.flatMap(({ batches }) => batches.map(({ values }) => values)),
      [['a', 'b', 'c', 'd']],
    );
  });
}
