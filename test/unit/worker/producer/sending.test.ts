// Which batches go into a request, in which order and in which version.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import { TestProducer } from './support/test-producer.ts';

test('with one request at a time, a partition gets the next batch after the answer, even without idempotence', () => {
  const producer = TestProducer.started({
    lingerMs: 0,
    batchSizeBytes: 0,
    enableIdempotence: false,
    maxInFlightRequestsPerConnection: 1,
  });
  for (const value of ['a', 'b']) producer.append(value);
  producer.poll();
  assert.equal(producer.cluster.produces.length, 1);
  producer.cluster.lose();
  producer.advance(200);
  assert.deepEqual(producer.cluster.produces[0]!.batches[0]!.values, ['a'], 'the lost one goes again first');
  while (producer.cluster.produces.length > 0) {
    producer.cluster.answer();
    producer.poll();
  }
  assert.deepEqual(producer.cluster.partition('t').values, ['a', 'b']);
});

test('when a request has no room for all partitions, those left out come first in a later one', () => {
  const producer = TestProducer.started(
    { lingerMs: 0, batchSizeBytes: 0, enableIdempotence: false, maxRequestSizeBytes: 700 },
    4,
  );
  producer.cluster.maxInFlight = 1;
  const value = 'x'.repeat(300);
  for (let round = 0; round < 3; round++)
    for (let partition = 0; partition < 4; partition++) producer.append(value, { partition });
  producer.poll();
  const served: number[] = [];
  for (let i = 0; i < 4; i++) {
    const [sent] = producer.cluster.produces;
    served.push(...sent!.batches.map(({ partition }) => partition));
    producer.cluster.answer(sent);
    producer.poll();
  }
  assert.deepEqual([...new Set(served)].toSorted(), [0, 1, 2, 3], `served in the order ${served}`);
});

test('a leader waits less for replicas than the producer for the answer, which says of each partition what became of it', () => {
  for (const [requestTimeoutMs, waitMs] of [
    [30_000, 29_000],
    [1000, 900],
    [1, 1],
  ] as const) {
    const producer = TestProducer.started({ lingerMs: 0, requestTimeoutMs });
    producer.append('a');
    producer.poll();
    const { request } = producer.cluster.produces[0]!;
    assert.deepEqual(
      [request.timeoutMs, request.request],
      [requestTimeoutMs, { acks: -1, timeoutMs: waitMs, topicData: [] }],
    );
  }
});

test('zstd needs version 7 of Produce, idempotence version 3', async () => {
  await prepareCodecs();
  for (const [options, minVersion] of [
    [{ compressionType: 'zstd', enableIdempotence: false }, 7],
    [{ compressionType: 'lz4', enableIdempotence: false }, 0],
    [{}, 3],
  ] as const) {
    const producer = TestProducer.started({ lingerMs: 0, ...options });
    producer.append('the same and '.repeat(50));
    producer.poll();
    assert.equal(producer.cluster.produces[0]!.request.minVersion, minVersion);
  }
});
