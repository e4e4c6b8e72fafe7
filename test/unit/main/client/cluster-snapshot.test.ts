// Leaders that other responses name, merged into the last metadata (KIP-951).

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { ClusterSnapshot } from '../../../../src/main/client/cluster-snapshot.ts';
import { Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { responseView } from '../../protocol/support/response-view.ts';

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ';
const hint = { topic: 'orders', topicId: '', partition: 0, leaderId: 2, leaderEpoch: 6 };
const three = { nodeId: 3, host: 'three', port: 9092, rack: null };

let snapshot: ClusterSnapshot;

beforeEach(() => {
  snapshot = new ClusterSnapshot(
    responseView(Metadata, {
      brokers: [
        { nodeId: 1, host: 'one', port: 9092 },
        { nodeId: 2, host: 'two', port: 9092 },
      ],
      topics: [
        {
          name: 'orders',
          topicId,
          partitions: [
            { partitionIndex: 0, leaderId: 1, leaderEpoch: 5, errorCode: 6, replicaNodes: [1, 2], isrNodes: [1] },
          ],
        },
      ],
    }),
  );
});

const partition = (of = snapshot) => of.partitions('orders')!.get(0)!;

test('a leader with a newer epoch replaces the known leader, and nothing else of the partition', () => {
  snapshot.learn({ brokers: [], leaders: [hint] });
  assert.deepEqual(partition(), {
    topic: 'orders',
    partition: 0,
    leader: 2,
    leaderEpoch: 6,
    replicas: [1, 2],
    isr: [1],
    errorCode: 0,
  });
  assert.ok(Object.isFrozen(partition()));
});

test('the same or an older epoch changes nothing', () => {
  for (const leaderEpoch of [5, 4]) snapshot.learn({ brokers: [], leaders: [{ ...hint, leaderEpoch }] });
  assert.equal(partition().leader, 1);
});

test('topics are found by id too; unknown topics and partitions are left out', () => {
  snapshot.learn({ brokers: [], leaders: [{ ...hint, topic: '', topicId }] });
  assert.equal(partition().leader, 2);
  const unknown = [
    { ...hint, topic: 'other' },
    { ...hint, partition: 7 },
    { ...hint, topic: '', topicId: 'AAAAAAAAAAAAAAAAAAAAAg' },
  ];
  snapshot.learn({ brokers: [], leaders: unknown });
  assert.deepEqual(snapshot.topics(), ['orders']);
  assert.equal(snapshot.partitions('orders')!.size, 1);
});

test('a leader must be a known broker or a broker that the same response names', () => {
  const leaders = [{ ...hint, leaderId: 3 }];
  snapshot.learn({ brokers: [], leaders });
  assert.equal(partition().leader, 1);
  snapshot.learn({ brokers: [three], leaders });
  assert.equal(partition().leader, 3);
  assert.deepEqual(snapshot.brokers.get(3), three);
});

test('an address from metadata is not replaced', () => {
  snapshot.learn({ brokers: [{ ...three, nodeId: 2 }], leaders: [] });
  assert.equal(snapshot.brokers.get(2)!.host, 'two');
});

test('a copy and its original change independently', () => {
  const copy = snapshot.copy();
  copy.setPartition({ ...partition(), leader: 2 });
  snapshot.learn({ brokers: [three], leaders: [{ ...hint, leaderId: 3 }] });
  assert.equal(partition(copy).leader, 2);
  assert.equal(partition().leader, 3);
  assert.equal(copy.brokers.has(3), false);
});
