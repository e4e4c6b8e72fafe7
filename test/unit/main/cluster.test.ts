import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { HeapMemory } from '../../../src/common/memory.ts';
import { Cluster } from '../../../src/main/cluster.ts';
import { FlatMessage } from '../../../src/protocol/flat/flat-view.ts';
import { FlatWriter } from '../../../src/protocol/flat/flat-writer.ts';
import { Metadata } from '../../../src/protocol/flat/generated/apis.ts';
import type { MetadataResponse, MetadataResponseView } from '../../../src/protocol/flat/generated/metadata.ts';

function view(response: MetadataResponse): MetadataResponseView {
  const memory = new HeapMemory();
  const writer = new FlatWriter().reset(memory);
  Metadata.writeResponse(writer, response);
  const byteLength = writer.finish();
  return Metadata.readResponse(new FlatMessage({ i32: memory.i32, u8: memory.u8, base: 0, byteLength }));
}

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ';

const response: MetadataResponse = {
  clusterId: 'the-cluster',
  controllerId: 2,
  brokers: [
    { nodeId: 1, host: 'one', port: 9092, rack: 'r1' },
    { nodeId: 2, host: 'two', port: 9093 },
  ],
  topics: [
    {
      name: 'orders',
      topicId,
      partitions: [
        { partitionIndex: 0, leaderId: 1, leaderEpoch: 5, replicaNodes: [1, 2], isrNodes: [1] },
        { partitionIndex: 1, leaderId: 2, replicaNodes: [2], isrNodes: [2] },
        { partitionIndex: 2, leaderId: -1, errorCode: 5, replicaNodes: [3], isrNodes: [] },
        { partitionIndex: 3, leaderId: 77, replicaNodes: [], isrNodes: [] },
      ],
    },
    {
      name: '__consumer_offsets',
      isInternal: true,
      partitions: [{ partitionIndex: 0, leaderId: 1, replicaNodes: [], isrNodes: [] }],
    },
    { name: 'secret', errorCode: 29 },
    { name: 'starting', errorCode: 5 },
    { name: 'empty', partitions: [] },
  ],
};

const servers = [
  { host: 'boot-a', port: 1 },
  { host: 'boot-b', port: 2 },
];

function known(): Cluster {
  const cluster = new Cluster(servers);
  cluster.update(view(response), 1);
  return cluster;
}

test('before any metadata the brokers are the bootstrap servers', () => {
  const cluster = new Cluster(servers);
  assert.deepEqual(cluster.brokers(), [
    { nodeId: -1, host: 'boot-a', port: 1, rack: null },
    { nodeId: -2, host: 'boot-b', port: 2, rack: null },
  ]);
  assert.equal(cluster.updateId, 0);
  assert.equal(cluster.controller, null);
  assert.equal(cluster.clusterId, null);
  assert.equal(cluster.topics().size, 0);
  assert.equal(cluster.leaderForPartition({ topic: 'orders', partition: 0 }), null);
  assert.equal(cluster.partitionsForTopic('orders'), null);
  assert.equal(cluster.partitionsForBroker(1), null);
});

test('brokers, controller and cluster id', () => {
  const cluster = known();
  assert.deepEqual(cluster.brokers(), [
    { nodeId: 1, host: 'one', port: 9092, rack: 'r1' },
    { nodeId: 2, host: 'two', port: 9093, rack: null },
  ]);
  assert.deepEqual(cluster.controller, { nodeId: 2, host: 'two', port: 9093, rack: null });
  assert.equal(cluster.clusterId, 'the-cluster');
  assert.equal(cluster.updateId, 1);
});

test('bootstrap ids stay resolvable for ever', () => {
  const cluster = known();
  assert.equal(cluster.brokerMetadata(-2)?.host, 'boot-b');
  assert.equal(cluster.brokerMetadata(1)?.host, 'one');
  for (const unknown of [0, 3, -3, -2147483648]) assert.equal(cluster.brokerMetadata(unknown), null);
  assert.deepEqual(
    [-1, -2, -3, 0, 1].map((nodeId) => cluster.isBootstrap(nodeId)),
    [true, true, false, false, false],
  );
});

test('an unknown or absent controller is null', () => {
  for (const controllerId of [-1, 99]) {
    const cluster = new Cluster(servers);
    cluster.update(view({ ...response, controllerId }), 1);
    assert.equal(cluster.controller, null);
  }
});

test('topics with an error have no partitions; internal ones are left out unless asked for', () => {
  const cluster = known();
  assert.deepEqual([...cluster.topics()].sort(), ['empty', 'orders']);
  assert.deepEqual([...cluster.topics(false)].sort(), ['__consumer_offsets', 'empty', 'orders']);
  assert.deepEqual([...cluster.internalTopics], ['__consumer_offsets']);
  assert.deepEqual([...cluster.unauthorizedTopics], ['secret']);
  assert.equal(cluster.partitionsForTopic('starting'), null);
  assert.deepEqual(cluster.partitionsForTopic('empty'), new Set());
});

test('partitions and leaders: none, unknown, and one that the brokers do not list', () => {
  const cluster = known();
  assert.deepEqual(cluster.partitionsForTopic('orders'), new Set([0, 1, 2, 3]));
  assert.deepEqual(cluster.availablePartitionsForTopic('orders'), new Set([0, 1]));
  assert.equal(cluster.availablePartitionsForTopic('nothing'), null);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((partition) => cluster.leaderForPartition({ topic: 'orders', partition })),
    [1, 2, -1, -1, null],
  );
  assert.deepEqual(cluster.partition({ topic: 'orders', partition: 0 }), {
    topic: 'orders',
    partition: 0,
    leader: 1,
    leaderEpoch: 5,
    replicas: [1, 2],
    isr: [1],
    errorCode: 0,
  });
  assert.equal(cluster.partition({ topic: 'orders', partition: 2 })!.errorCode, 5);
});

test('partitions by broker', () => {
  const cluster = known();
  assert.deepEqual(cluster.partitionsForBroker(1), [
    { topic: 'orders', partition: 0 },
    { topic: '__consumer_offsets', partition: 0 },
  ]);
  assert.deepEqual(cluster.partitionsForBroker(2), [{ topic: 'orders', partition: 1 }]);
  assert.equal(cluster.partitionsForBroker(77), null);
  assert.equal(cluster.partitionsForBroker(-1), null, 'no leader is no broker');
});

test('topic ids, where the broker has them', () => {
  const cluster = known();
  assert.equal(cluster.topicId('orders'), topicId);
  assert.equal(cluster.topicId('empty'), null);
  assert.equal(cluster.topicId('nothing'), null);
});

test('an update replaces everything', () => {
  const cluster = known();
  cluster.update(
    view({ brokers: [{ nodeId: 9, host: 'nine', port: 1 }], topics: [{ name: 'new', partitions: [] }] }),
    2,
  );
  assert.deepEqual(
    cluster.brokers().map(({ nodeId }) => nodeId),
    [9],
  );
  assert.deepEqual([...cluster.topics(false)], ['new']);
  assert.equal(cluster.unauthorizedTopics.size, 0);
  assert.equal(cluster.partitionsForTopic('orders'), null);
  assert.equal(cluster.clusterId, null);
  assert.equal(cluster.controller, null);
  assert.equal(cluster.updateId, 2);
});

test('what is handed out cannot change what is known', () => {
  const cluster = known();
  assert.ok(Object.isFrozen(cluster.brokerMetadata(1)));
  assert.ok(Object.isFrozen(cluster.partition({ topic: 'orders', partition: 0 })));
  cluster.topics().clear();
  cluster.partitionsForTopic('orders')!.clear();
  (cluster.brokers() as unknown[]).length = 0;
  assert.equal(cluster.topics().size, 2);
  assert.equal(cluster.partitionsForTopic('orders')!.size, 4);
  assert.equal(cluster.brokers().length, 2);
});

test('the same broker twice: the last one counts', () => {
  const cluster = new Cluster(servers);
  cluster.update(
    view({
      brokers: [
        { nodeId: 1, host: 'old', port: 1 },
        { nodeId: 1, host: 'new', port: 2 },
      ],
    }),
    1,
  );
  assert.deepEqual(
    cluster.brokers().map(({ host }) => host),
    ['new'],
  );
});

test('listeners hear of each update, each once, until they are removed', () => {
  const cluster = new Cluster(servers);
  const heard: number[] = [];
  const listener = (changed: Cluster) => {
    assert.equal(changed, cluster);
    heard.push(changed.updateId);
  };
  cluster.addListener(listener);
  cluster.addListener(listener);
  cluster.update(view(response), 1);
  cluster.update(view(response), 2);
  cluster.removeListener(listener);
  cluster.removeListener(listener);
  cluster.update(view(response), 3);
  assert.deepEqual(heard, [1, 2]);
});

test('a listener sees the new metadata; one that throws does not hide it from the others', async () => {
  const warned = once(process, 'warning');
  const cluster = new Cluster(servers);
  const heard: string[] = [];
  cluster.addListener(() => {
    throw new Error('a fault in a listener');
  });
  cluster.addListener(({ clusterId }) => heard.push(clusterId!));
  cluster.update(view(response), 1);
  assert.deepEqual(heard, ['the-cluster']);
  const [warning] = await warned;
  assert.match((warning as Error).message, /a fault in a listener/);
});
