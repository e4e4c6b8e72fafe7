// Copies of the cluster with other partitions, and the partitions that brokers lead after changes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IllegalArgumentError } from '../../../../src/common/errors/errors.ts';
import type { PartitionInput } from '../../../../src/main/client/cluster.ts';
import { ClusterWriter } from '../../../../src/main/client/cluster-writer.ts';
import { Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { responseView } from '../../protocol/support/response-view.ts';
import { known, knownWriter, response, topicId, view } from './support/known-cluster.ts';

test('partitions can be added to and replaced in a copy', () => {
  const writer = knownWriter();
  const { cluster } = writer;
  const heard: unknown[] = [];
  cluster.addListener((changed) => heard.push(changed));
  const copy = cluster.withPartitions([
    { topic: 'orders', partition: 2, leader: 1, leaderEpoch: 8, replicas: [1, 2], isr: [1] },
    { topic: 'orders', partition: 9, leader: -1 },
  ]);
  assert.equal(copy.leaderForPartition({ topic: 'orders', partition: 2 }), 1);
  assert.deepEqual(copy.partition({ topic: 'orders', partition: 9 }), {
    topic: 'orders',
    partition: 9,
    leader: -1,
    leaderEpoch: -1,
    replicas: [],
    isr: [],
    errorCode: 0,
  });
  assert.equal(copy.partitionsForBroker(1)!.filter(({ partition }) => partition === 2).length, 1);
  assert.equal(copy.topicId('orders'), topicId);
  assert.deepEqual(copy.controller, cluster.controller);
  assert.equal(cluster.leaderForPartition({ topic: 'orders', partition: 2 }), -1);
  assert.equal(cluster.partitionsForTopic('orders')!.size, 4);
  writer.update(view({ ...response, topics: [] }), 2);
  assert.equal(copy.leaderForPartition({ topic: 'orders', partition: 2 }), 1);
  assert.deepEqual(heard, [cluster], 'listeners stay with the original');
});

test('withPartitions throws an error that names the wrong field of a partition', () => {
  const given = (partition: object) => () => known().withPartitions([partition as PartitionInput]);
  assert.throws(given({ topic: 'nothing', partition: 0, leader: 1 }), IllegalArgumentError);
  assert.throws(given({ topic: 5, partition: 0, leader: 1 }), /TypeError: a topic name must be a string, not 5/);
  assert.throws(
    given({ topic: 'orders', partition: -1, leader: 1 }),
    /partition must be an integer from 0 to 2147483647, not -1/,
  );
  assert.throws(
    given({ topic: 'orders', partition: 0 }),
    /leader must be an integer from -1 to 2147483647, not undefined/,
  );
  assert.throws(given({ topic: 'orders', partition: 0, leader: 1.5 }), /not 1.5/);
});

test('the partitions that a broker leads follow new leaders and replaced partitions', () => {
  const writer = new ClusterWriter([{ host: 'b', port: 1 }]);
  const { cluster } = writer;
  const brokers = [1, 2].map((nodeId) => ({ nodeId, host: 'h', port: nodeId }));
  const partitions = [0, 1].map((partitionIndex) => ({ partitionIndex, leaderId: 1, leaderEpoch: 1 }));
  writer.update(responseView(Metadata, { brokers, topics: [{ name: 't', partitions }] }), 1);
  assert.equal(cluster.partitionsForBroker(1)?.length, 2);
  assert.equal(cluster.partitionsForBroker(2), null);
  writer.learn({
    brokers: [],
    leaders: [{ topic: 't', topicId: '', partition: 1, leaderId: 2, leaderEpoch: 2 }],
  });
  assert.deepEqual(cluster.partitionsForBroker(1), [{ topic: 't', partition: 0 }]);
  assert.deepEqual(cluster.partitionsForBroker(2), [{ topic: 't', partition: 1 }]);
  const copy = cluster.withPartitions([{ topic: 't', partition: 0, leader: 2 }]);
  assert.equal(copy.partitionsForBroker(1), null);
  assert.equal(copy.partitionsForBroker(2)?.length, 2);
  assert.equal(cluster.partitionsForBroker(1)?.length, 1);
});
