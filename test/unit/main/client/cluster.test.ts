import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { IllegalArgumentError, IllegalStateError } from '../../../../src/common/errors/errors.ts';
import { Cluster, type MetadataSource, type PartitionInput } from '../../../../src/main/client/cluster.ts';
import { Future } from '../../../../src/main/link/future.ts';
import { FindCoordinator, Metadata } from '../../../../src/protocol/flat/generated/apis.ts';
import type { MetadataResponse, MetadataResponseView } from '../../../../src/protocol/flat/generated/metadata.ts';
import { responseView } from '../../protocol/support/response-view.ts';

const view = (response: MetadataResponse): MetadataResponseView => responseView(Metadata, response);

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

/** What a client does for its cluster, written down. */
class FakeSource implements MetadataSource {
  readonly retryBackoffMs = 123;
  readonly asked: (string | boolean)[] = [];
  readonly updated = new Future<Cluster>();

  requestUpdate(): Future<Cluster> {
    this.asked.push('update');
    return this.updated;
  }

  ttlMs(): number {
    return 4567;
  }

  setNeedsAllTopics(needsAllTopics: boolean): void {
    this.asked.push(needsAllTopics);
  }
}

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

test('the same partition twice: the first one counts', () => {
  const cluster = new Cluster(servers);
  const rowOf = (leaderId: number) => ({ partitionIndex: 0, leaderId, replicaNodes: [], isrNodes: [] });
  cluster.update(view({ ...response, topics: [{ name: 'orders', partitions: [rowOf(2), rowOf(1)] }] }), 1);
  assert.equal(cluster.leaderForPartition({ topic: 'orders', partition: 0 }), 2);
  assert.equal(cluster.partitionsForBroker(1), null);
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

test('a listener must be a function', () => {
  assert.throws(
    () => new Cluster(servers).addListener('shout' as never),
    /TypeError: listener must be a function, not string/,
  );
});

test('a coordinator has a node id of its own, and is where its broker is now', () => {
  const cluster = known();
  assert.equal(cluster.coordinatorForGroup('readers'), null);
  const found = responseView(FindCoordinator, { nodeId: 2, host: 'two', port: 9093 });
  const nodeId = cluster.addGroupCoordinator('readers', found);
  assert.equal(nodeId, 2147483645);
  assert.equal(cluster.coordinatorForGroup('readers'), 2147483645);
  assert.deepEqual(cluster.brokerMetadata(2147483645), { nodeId: 2147483645, host: 'two', port: 9093, rack: null });
  assert.equal(cluster.isBootstrap(2147483645), false);
  const moved = [{ nodeId: 2, host: 'elsewhere', port: 1 }];
  cluster.update(view({ ...response, brokers: moved }), 2);
  assert.equal(cluster.brokerMetadata(2147483645)!.host, 'elsewhere');
  assert.equal(cluster.coordinatorForGroup('readers'), 2147483645, 'a refresh does not forget it');
});

test('a coordinator that metadata does not list is where the look-up said', () => {
  const cluster = known();
  const found = responseView(FindCoordinator, { nodeId: 8, host: 'eight', port: 9098 });
  const nodeId = cluster.addGroupCoordinator('readers', found)!;
  assert.deepEqual(cluster.brokerMetadata(nodeId), { nodeId, host: 'eight', port: 9098, rack: null });
  assert.equal(cluster.brokerMetadata(8), null);
});

test('of a list of coordinators the one of the group counts', () => {
  const cluster = known();
  const coordinators = [
    { key: 'other', nodeId: 1, host: 'one', port: 9092 },
    { key: 'readers', nodeId: 2, host: 'two', port: 9093 },
  ];
  const found = responseView(FindCoordinator, { coordinators });
  assert.equal(cluster.addGroupCoordinator('readers', found), 2147483645);
  assert.equal(cluster.addGroupCoordinator('nobody', found), null);
  assert.equal(cluster.coordinatorForGroup('nobody'), -1);
});

test('a failed look-up of a coordinator is remembered as such', () => {
  const cluster = known();
  const failed = responseView(FindCoordinator, { errorCode: 15, nodeId: -1, host: '', port: -1 });
  assert.equal(cluster.addGroupCoordinator('readers', failed), null);
  assert.equal(cluster.coordinatorForGroup('readers'), -1);
  assert.throws(() => cluster.addGroupCoordinator(7 as never, failed), /TypeError: group must be a string, not 7/);
});

test('partitions can be added to and replaced in a copy', () => {
  const cluster = known();
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
  cluster.update(view({ ...response, topics: [] }), 2);
  assert.equal(copy.leaderForPartition({ topic: 'orders', partition: 2 }), 1);
  copy.update(view(response), 3);
  assert.deepEqual(heard, [cluster], 'listeners stay with the original');
});

test('withPartitions names what is wrong with a partition', () => {
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

test('a refresh, its time and its backoff are those of the client', () => {
  const source = new FakeSource();
  const cluster = new Cluster(servers, source);
  assert.equal(cluster.requestUpdate(), source.updated);
  assert.equal(cluster.ttl(), 4567);
  assert.equal(cluster.refreshBackoff(), 123);
  assert.deepEqual(source.asked, ['update']);
});

test('all topics are asked for once the flag is set, and no more when it is cleared', () => {
  const source = new FakeSource();
  const cluster = new Cluster(servers, source);
  assert.equal(cluster.needAllTopicMetadata, false);
  cluster.needAllTopicMetadata = true;
  cluster.needAllTopicMetadata = true;
  assert.equal(cluster.needAllTopicMetadata, true);
  cluster.needAllTopicMetadata = false;
  assert.deepEqual(source.asked, [true, false]);
  assert.throws(() => {
    cluster.needAllTopicMetadata = 1 as never;
  }, /TypeError: needAllTopicMetadata must be true or false, not 1/);
});

test('a cluster of no client cannot be refreshed, and says so', () => {
  const cluster = new Cluster(servers);
  assert.equal(cluster.ttl(), 0);
  assert.throws(() => cluster.requestUpdate(), IllegalStateError);
  assert.throws(() => {
    cluster.needAllTopicMetadata = true;
  }, IllegalStateError);
  assert.equal(cluster.needAllTopicMetadata, false);
});

test('what a response tells in passing counts once there is metadata', () => {
  const leaders = [{ topic: 'orders', topicId: '', partition: 0, leaderId: 9, leaderEpoch: 6 }];
  const hints = { brokers: [{ nodeId: 9, host: 'nine', port: 9099, rack: null }], leaders };
  const cluster = new Cluster(servers);
  cluster.learn(hints);
  assert.deepEqual(
    cluster.brokers().map(({ nodeId }) => nodeId),
    [-1, -2],
  );
  cluster.update(view(response), 1);
  cluster.learn(hints);
  assert.equal(cluster.leaderForPartition({ topic: 'orders', partition: 0 }), 9);
  assert.equal(cluster.brokerMetadata(9)!.host, 'nine');
  assert.equal(cluster.updateId, 1);
});

test('of another cluster behind the same names nothing of the former one is kept', () => {
  const cluster = known();
  cluster.addGroupCoordinator('readers', responseView(FindCoordinator, { nodeId: 8, host: 'eight', port: 9098 }));
  cluster.update(view({ ...response, clusterId: null }), 2);
  assert.equal(cluster.coordinatorForGroup('readers'), 2147483639, 'no id is no other id');
  cluster.update(view({ brokers: [{ nodeId: 1, host: 'one', port: 9092 }], clusterId: 'another' }), 3);
  assert.equal(cluster.partitionsForTopic('orders'), null);
  assert.equal(cluster.coordinatorForGroup('readers'), null);
  assert.equal(cluster.brokerMetadata(2147483639), null);
});

test('arguments of the wrong type are named, with their value', () => {
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

test('a topic without usable metadata has an error of its own, until a refresh says otherwise', () => {
  const cluster = new Cluster([{ host: 'b', port: 1 }]);
  const brokers = [{ nodeId: 1, host: 'one', port: 1 }];
  const partitions = [{ partitionIndex: 0, leaderId: 1, leaderEpoch: 1, replicaNodes: [1], isrNodes: [1] }];
  assert.equal(cluster.topicError('misspelt'), null);
  cluster.update(responseView(Metadata, { brokers, topics: [{ name: 'misspelt', errorCode: 3 }] }), 1);
  const error = cluster.topicError('misspelt');
  assert.equal(error?.name, 'UnknownTopicOrPartitionError');
  assert.equal(cluster.topicError('other'), null);
  assert.equal(cluster.withPartitions([]).topicError('misspelt')?.errorCode, 3);
  cluster.update(responseView(Metadata, { brokers, topics: [{ name: 'misspelt', partitions }] }), 2);
  assert.equal(cluster.topicError('misspelt'), null);
});

test('the partitions a broker leads follow what is learned in passing and what is replaced', () => {
  const cluster = new Cluster([{ host: 'b', port: 1 }]);
  const brokers = [1, 2].map((nodeId) => ({ nodeId, host: 'h', port: nodeId }));
  const partitions = [0, 1].map((partitionIndex) => ({ partitionIndex, leaderId: 1, leaderEpoch: 1 }));
  cluster.update(responseView(Metadata, { brokers, topics: [{ name: 't', partitions }] }), 1);
  assert.equal(cluster.partitionsForBroker(1)?.length, 2);
  assert.equal(cluster.partitionsForBroker(2), null);
  cluster.learn({
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
