// What the cluster of an application thread answers about brokers, topics and partitions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster } from '../../../../src/main/client/cluster.ts';
import { ClusterWriter } from '../../../../src/main/client/cluster-writer.ts';
import { FindCoordinator, Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import { responseView } from '../../protocol/support/response-view.ts';
import { known, knownWriter, response, servers, topicId, view } from './support/known-cluster.ts';

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

test('metadata gives brokers, controller and cluster id', () => {
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
    const writer = new ClusterWriter(servers);
    const { cluster } = writer;
    writer.update(view({ ...response, controllerId }), 1);
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

test('leaders are missing, unknown, or not in the list of brokers', () => {
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

test('partitions are found by broker', () => {
  const cluster = known();
  assert.deepEqual(cluster.partitionsForBroker(1), [
    { topic: 'orders', partition: 0 },
    { topic: '__consumer_offsets', partition: 0 },
  ]);
  assert.deepEqual(cluster.partitionsForBroker(2), [{ topic: 'orders', partition: 1 }]);
  assert.equal(cluster.partitionsForBroker(77), null);
  assert.equal(cluster.partitionsForBroker(-1), null, 'no leader is no broker');
});

test('topics have ids if the broker has them', () => {
  const cluster = known();
  assert.equal(cluster.topicId('orders'), topicId);
  assert.equal(cluster.topicId('empty'), null);
  assert.equal(cluster.topicId('nothing'), null);
});

test('an update replaces everything', () => {
  const writer = knownWriter();
  const { cluster } = writer;
  writer.update(
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

test('changes to returned objects do not change the cluster', () => {
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

test('an application cannot write metadata: the class only has readers and what an application itself tells', () => {
  const said = ['addGroupCoordinator', 'needAllTopicMetadata', 'requestUpdate', 'addListener', 'removeListener'];
  const readers = [
    ...['brokers', 'brokerMetadata', 'isBootstrap', 'topics', 'topicId', 'topicError', 'partitionsForTopic'],
    ...['availablePartitionsForTopic', 'partition', 'leaderForPartition', 'partitionsForBroker', 'coordinatorForGroup'],
    ...['controller', 'clusterId', 'updateId', 'internalTopics', 'unauthorizedTopics', 'ttl', 'refreshBackoff'],
    'withPartitions',
  ];
  const members = Object.getOwnPropertyNames(Cluster.prototype).filter((name) => name !== 'constructor');
  assert.deepEqual(members.sort(), [...said, ...readers].sort());
  const cluster = known();
  assert.deepEqual(Object.keys(cluster), []);
  assert.throws(() => Object.assign(cluster, { updateId: 9 }), TypeError);
});

test('the last entry counts when a response has the same broker twice', () => {
  const writer = new ClusterWriter(servers);
  const { cluster } = writer;
  writer.update(
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

test('the first entry counts when a response has the same partition twice', () => {
  const writer = new ClusterWriter(servers);
  const { cluster } = writer;
  const rowOf = (leaderId: number) => ({ partitionIndex: 0, leaderId, replicaNodes: [], isrNodes: [] });
  writer.update(view({ ...response, topics: [{ name: 'orders', partitions: [rowOf(2), rowOf(1)] }] }), 1);
  assert.equal(cluster.leaderForPartition({ topic: 'orders', partition: 0 }), 2);
  assert.equal(cluster.partitionsForBroker(1), null);
});

test('leaders and coordinators in other responses are used only after the first metadata', () => {
  const leaders = [{ topic: 'orders', topicId: '', partition: 0, leaderId: 9, leaderEpoch: 6 }];
  const hints = { brokers: [{ nodeId: 9, host: 'nine', port: 9099, rack: null }], leaders };
  const writer = new ClusterWriter(servers);
  const { cluster } = writer;
  writer.learn(hints);
  assert.deepEqual(
    cluster.brokers().map(({ nodeId }) => nodeId),
    [-1, -2],
  );
  writer.update(view(response), 1);
  writer.learn(hints);
  assert.equal(cluster.leaderForPartition({ topic: 'orders', partition: 0 }), 9);
  assert.equal(cluster.brokerMetadata(9)!.host, 'nine');
  assert.equal(cluster.updateId, 1);
});

test('nothing of the former cluster is kept when another cluster answers at the same address', () => {
  const writer = knownWriter();
  const { cluster } = writer;
  cluster.addGroupCoordinator('readers', responseView(FindCoordinator, { nodeId: 8, host: 'eight', port: 9098 }));
  writer.update(view({ ...response, clusterId: null }), 2);
  assert.equal(cluster.coordinatorForGroup('readers'), 2147483639, 'no id is no other id');
  writer.update(view({ brokers: [{ nodeId: 1, host: 'one', port: 9092 }], clusterId: 'another' }), 3);
  assert.equal(cluster.partitionsForTopic('orders'), null);
  assert.equal(cluster.coordinatorForGroup('readers'), null);
  assert.equal(cluster.brokerMetadata(2147483639), null);
});

test('arguments of the wrong type are refused, and the error names them with their value', () => {
  const cluster = known();
  const wrong = 'orders' as never;
  for (const [call, text] of [
    [() => cluster.brokerMetadata('1' as never), /nodeId must be an int32 .*not "1"/],
    [() => cluster.isBootstrap(1.5), /nodeId must be an int32 .*not 1.5/],
    [() => cluster.partitionsForBroker(undefined as never), /nodeId must be an int32 .*not undefined/],
    [() => cluster.topicId(7 as never), /topic must be a string, not 7/],
    [() => cluster.partitionsForTopic(null as never), /topic must be a string, not null/],
    [() => cluster.availablePartitionsForTopic(7 as never), /topic must be a string, not 7/],
    [() => cluster.leaderForPartition(wrong), /partition must be a number, not undefined/],
    [() => cluster.partition({ topic: 7 as never, partition: 0 }), /topic must be a string, not 7/],
    [() => cluster.coordinatorForGroup(7 as never), /group must be a string, not 7/],
    [() => cluster.addGroupCoordinator('readers', null as never), /response must be one of FindCoordinator, not null/],
  ] as const) {
    assert.throws(call, (error: Error) => error instanceof TypeError && text.test(error.message), String(text));
  }
});

test('a topic without usable metadata has an error of its own until the next refresh', () => {
  const writer = new ClusterWriter([{ host: 'b', port: 1 }]);
  const { cluster } = writer;
  const brokers = [{ nodeId: 1, host: 'one', port: 1 }];
  const partitions = [{ partitionIndex: 0, leaderId: 1, leaderEpoch: 1, replicaNodes: [1], isrNodes: [1] }];
  assert.equal(cluster.topicError('misspelt'), null);
  writer.update(responseView(Metadata, { brokers, topics: [{ name: 'misspelt', errorCode: 3 }] }), 1);
  const error = cluster.topicError('misspelt');
  assert.equal(error?.name, 'UnknownTopicOrPartitionError');
  assert.equal(cluster.topicError('other'), null);
  assert.equal(cluster.withPartitions([]).topicError('misspelt')?.errorCode, 3);
  writer.update(responseView(Metadata, { brokers, topics: [{ name: 'misspelt', partitions }] }), 2);
  assert.equal(cluster.topicError('misspelt'), null);
});
