// The snapshot of a consumer that any thread reads: complete, the newest, also when it grows and with offsets beyond 2^53.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConsumerSnapshot } from '../../../src/common/consumer-calls.ts';
import {
  ConsumerSnapshotReader,
  ConsumerSnapshotWriter,
  createConsumerSnapshot,
  emptySnapshot,
} from '../../../src/state/consumer-snapshot.ts';

const snapshot = (count: number): ConsumerSnapshot => ({
  state: 'STABLE',
  protocol: 'consumer',
  memberId: 'm',
  epoch: 7,
  lastError: null,
  partitions: Array.from({ length: count }, (_, partition) => ({
    topic: '1',
    partition,
    position: 2n ** 62n + BigInt(partition),
    done: 5n,
    committed: null,
    end: 2n ** 63n - 1n,
    begin: 0n,
    isPaused: false,
    preferredReplica: -1,
  })),
});

test('a written snapshot is read back, and before the first one nothing is assigned', () => {
  const buffer = createConsumerSnapshot();
  const reader = new ConsumerSnapshotReader(buffer);
  assert.equal(reader.read(), emptySnapshot);
  const writer = new ConsumerSnapshotWriter(buffer);
  writer.write(snapshot(2));
  assert.deepEqual(reader.read(), snapshot(2));
  assert.equal(reader.read(), reader.read(), 'the same object while nothing changes');
  writer.write(snapshot(1000));
  assert.deepEqual(reader.read(), snapshot(1000));
  writer.write(snapshot(0));
  assert.deepEqual(reader.read(), snapshot(0));
});
