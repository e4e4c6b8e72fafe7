// Admin with a real broker: what each call does, and the errors of wrong items.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type Long from 'long';
import {
  type Admin,
  type KafkaClient,
  KafkaTimeoutError,
  type NewTopic,
  Produce,
  type Results,
} from '../../src/index.ts';
import { closedByHand, openClient } from '../broker/support/client.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

/** Long enough for a broker that is busy elsewhere. */
const timeoutMs = 60_000;

describeKafka('Admin on a real broker', (suite) => {
  let client: KafkaClient;
  let admin: Admin;

  before(async () => {
    client = await openClient(closedByHand, {
      bootstrapServers: suite.kafka.bootstrapServers,
      apiVersionAutoTimeoutMs: 90_000,
    });
    admin = client.admin({ timeoutMs });
  });

  after(async () => {
    await client?.close();
  });

  const codeOf = (results: Results<unknown, unknown>): (string | undefined)[] =>
    [...results.values()].map((outcome) => (outcome.ok ? undefined : (outcome.error as { code?: string }).code));

  test('topics are created, listed, described, extended and deleted, and each has its own outcome', async () => {
    const topics = [
      { name: 'admin-a', partitions: 2, replicationFactor: 1, configs: { 'retention.ms': '1000000' } },
      { name: 'admin-b' },
      { name: 'not/a/name' },
    ];
    const created = await admin.createTopics(topics, { waitForLeaders: true });
    assert.deepEqual(codeOf(created), [undefined, undefined, 'KAFKA_INVALID_TOPIC_EXCEPTION']);
    const a = created.get('admin-a');
    assert.ok(a?.ok && a.value.topicId !== null);
    assert.equal(a.value.partitions, 2);
    assert.throws(() => created.orThrow(), AggregateError);
    assert.deepEqual(codeOf(await admin.createTopics([{ name: 'admin-a' }])), ['KAFKA_TOPIC_ALREADY_EXISTS']);

    const listed = await admin.listTopics();
    assert.deepEqual(
      listed.filter(({ name }) => name.startsWith('admin-')).map(({ name, partitions }) => [name, partitions]),
      [
        ['admin-a', 2],
        ['admin-b', 1],
      ],
    );
    const described = await admin.describeTopics(['admin-a', 'admin-none']);
    assert.deepEqual(codeOf(described), [undefined, 'KAFKA_UNKNOWN_TOPIC_OR_PARTITION']);

    assert.deepEqual(codeOf(await admin.createPartitions([{ topic: 'admin-a', totalCount: 3 }])), [undefined]);
    assert.deepEqual(codeOf(await admin.createPartitions([{ topic: 'admin-a', totalCount: 1 }])), [
      'KAFKA_INVALID_PARTITIONS',
    ]);
    assert.deepEqual(codeOf(await admin.deleteTopics(['admin-b', 'admin-none'])), [
      undefined,
      'KAFKA_UNKNOWN_TOPIC_OR_PARTITION',
    ]);
  });

  test('topics that cannot be created are refused one by one, and a compacted one keeps its records', async () => {
    const topics: NewTopic[] = [
      { name: 'admin-none', partitions: 0 },
      { name: 'admin-few', replicationFactor: 9 },
      { name: 'admin-where', assignments: [[77]] },
      { name: 'admin-how', configs: { 'retention.ms': 'soon' } },
      { name: 'admin-compacted', configs: { 'cleanup.policy': 'compact' } },
    ];
    assert.deepEqual(codeOf(await admin.createTopics(topics, { waitForLeaders: true })), [
      'KAFKA_INVALID_PARTITIONS',
      'KAFKA_INVALID_REPLICATION_FACTOR',
      'KAFKA_INVALID_REPLICA_ASSIGNMENT',
      'KAFKA_INVALID_CONFIG',
      undefined,
    ]);
    const place = { topic: 'admin-compacted', partition: 0, beforeOffset: 0 };
    assert.deepEqual(codeOf(await admin.deleteRecords([place])), ['KAFKA_POLICY_VIOLATION']);
    assert.deepEqual(codeOf(await admin.deleteTopics(['admin-compacted'])), [undefined]);
  });

  test('a call with validateOnly changes nothing', async () => {
    assert.deepEqual(codeOf(await admin.createTopics([{ name: 'admin-checked' }], { validateOnly: true })), [
      undefined,
    ]);
    assert.ok(!(await admin.listTopics()).some(({ name }) => name === 'admin-checked'));
  });

  test('configurations are described and changed key by key', async () => {
    const resource = { type: 'topic', name: 'admin-a' } as const;
    const changes = [{ name: 'max.message.bytes', operation: 'set', value: '123456' }] as const;
    assert.deepEqual(codeOf(await admin.incrementalAlterConfigs([{ resource, changes }])), [undefined]);
    // The broker learns of the change from the controller, a moment later.
    await waitFor('the changed configuration', async () => {
      const entries = (await admin.describeConfigs([resource])).orThrow().get(resource)!;
      const readValue = (name: string): string | null | undefined =>
        entries.find((entry) => entry.name === name)?.value;
      return readValue('max.message.bytes') === '123456' && readValue('retention.ms') === '1000000';
    });
    const wrong = [{ name: 'retention.ms', operation: 'set', value: 'soon' }] as const;
    assert.deepEqual(codeOf(await admin.incrementalAlterConfigs([{ resource, changes: wrong }])), [
      'KAFKA_INVALID_CONFIG',
    ]);
    const [brokerId] = client.cluster.brokers().map(({ nodeId }) => nodeId);
    const ofBroker = { type: 'broker', name: String(brokerId) } as const;
    assert.ok((await admin.describeConfigs([ofBroker])).orThrow().get(ofBroker)!.length > 100);
  });

  test('offsets are listed by kind and by time, and old records are deleted', async () => {
    await client.setTopics(['admin-a']);
    const leader = client.cluster.leaderForPartition({ topic: 'admin-a', partition: 0 })!;
    await client.awaitReady(leader);
    const records = [1000, 2000, 3000].map((timestamp) => ({ value: 'x', timestamp }));
    const topicData = [
      { name: 'admin-a', topicId: client.cluster.topicId('admin-a')!, partitionData: [{ index: 0, records }] },
    ];
    await client.send(leader, Produce, { acks: -1, timeoutMs: 10_000, topicData });
    const at = { topic: 'admin-a', partition: 0 };
    const specs = ['earliest', 'latest', 'maxTimestamp', { timestampMs: 1500 }, { timestampMs: 9000 }] as const;
    const offsets = await admin.listOffsets(specs.map((spec) => ({ ...at, at: spec })));
    assert.deepEqual(
      [...offsets.values()].map((outcome) => outcome.ok && (outcome.value.offset?.toNumber() ?? null)),
      [0, 3, 2, 1, null],
    );
    const deleted = await admin.deleteRecords([{ ...at, beforeOffset: 2 }]);
    assert.deepEqual(
      [...deleted.values()].map((outcome) => outcome.ok && outcome.value.toNumber()),
      [2],
    );
    assert.deepEqual(codeOf(await admin.deleteRecords([{ ...at, beforeOffset: 99 }])), ['KAFKA_OFFSET_OUT_OF_RANGE']);
    const late = await admin.listOffsets([{ topic: 'admin-none', partition: 0, at: 'latest' }], { timeoutMs: 1000 });
    const [outcome] = late.values();
    assert.ok(outcome !== undefined && !outcome.ok && outcome.error instanceof KafkaTimeoutError);
  });

  test('offsets of a group are set, read and deleted, and so is the group', async () => {
    const place = { topic: 'admin-a', partition: 1 };
    const offsets = [{ ...place, offset: 7, metadata: 'note' }];
    assert.deepEqual(codeOf(await admin.alterConsumerGroupOffsets('admin-group', offsets)), [undefined]);
    const read = (await admin.listConsumerGroupOffsets([{ groupId: 'admin-group' }])).orThrow().get('admin-group')!;
    const [[key, committed]] = read as unknown as [
      [typeof place, { ok: true; value: { offset: Long; metadata: string } }],
    ];
    assert.deepEqual([key, committed.value.offset.toNumber(), committed.value.metadata], [place, 7, 'note']);
    const { groups, errors } = await admin.listGroups();
    assert.ok(groups.some(({ groupId }) => groupId === 'admin-group'));
    assert.equal(errors.size, 0);
    const described = (await admin.describeConsumerGroups(['admin-group'])).orThrow().get('admin-group')!;
    assert.deepEqual([described.type, described.state, described.members], ['classic', 'Empty', []]);
    assert.deepEqual(codeOf(await admin.deleteConsumerGroupOffsets('admin-group', [place])), [undefined]);
    assert.deepEqual(codeOf(await admin.deleteGroups(['admin-group', 'admin-none'])), [
      undefined,
      'KAFKA_GROUP_ID_NOT_FOUND',
    ]);
  });

  test('the cluster, its features, its quorum and its log folders are described', async () => {
    const { clusterId, brokers } = await admin.describeCluster();
    assert.equal(clusterId, client.cluster.clusterId);
    assert.equal(brokers.length, 1);
    const { finalized } = await admin.describeFeatures();
    assert.ok(finalized['metadata.version']!.maxLevel > 0);
    const { leaderId, voters } = await admin.describeMetadataQuorum();
    assert.ok(voters.some(({ replicaId }) => replicaId === leaderId));
    const nodeId = brokers[0]!.nodeId;
    const dirs = (await admin.describeLogDirs([nodeId])).orThrow().get(nodeId)!;
    assert.ok(dirs[0]!.replicas.some(({ topic }) => topic === 'admin-a'));
    assert.deepEqual(codeOf(await admin.electLeaders([{ topic: 'admin-a', partition: 0 }])), [undefined]);
    assert.equal((await admin.listPartitionReassignments()).size, 0);
  });

  test('quotas and users are set, read and removed', async () => {
    const entity = { 'client-id': 'admin-quota' };
    const set = await admin.alterClientQuotas([{ entity, values: { producer_byte_rate: 1048576 } }]);
    assert.deepEqual(codeOf(set), [undefined]);
    const filter = { components: [{ entityType: 'client-id', match: 'admin-quota' }] } as const;
    // The broker that is asked may hear of it a little later.
    const found = await waitFor('the quota', async () => (await admin.describeClientQuotas(filter))[0]);
    assert.deepEqual(found, { entity, values: { producer_byte_rate: 1048576 } });
    await admin.alterClientQuotas([{ entity, values: { producer_byte_rate: null } }]);
    const user = { user: 'admin-alice', mechanism: 'SCRAM-SHA-256' } as const;
    assert.deepEqual(codeOf(await admin.alterUserScramCredentials([{ ...user, password: 'p' }])), [undefined]);
    const credentials = await waitFor('the user', async () => {
      return (await admin.describeUserScramCredentials()).orThrow().get('admin-alice');
    });
    assert.deepEqual(credentials, [{ mechanism: 'SCRAM-SHA-256', iterations: 4096 }]);
    assert.deepEqual(codeOf(await admin.alterUserScramCredentials([{ ...user, delete: true }])), [undefined]);
    await waitFor('the user to be gone', async () => {
      const [code] = codeOf(await admin.describeUserScramCredentials(['admin-alice']));
      return code === 'KAFKA_RESOURCE_NOT_FOUND';
    });
  });

  test('without an authorizer, access control lists are refused', async () => {
    await assert.rejects(admin.describeAcls(), { code: 'KAFKA_SECURITY_DISABLED' });
  });

  test('calls in flight and later calls fail when the client is closed', async () => {
    const other = await openClient(closedByHand, { bootstrapServers: suite.kafka.bootstrapServers });
    const late = other.admin().listOffsets([{ topic: 'admin-none', partition: 0, at: 'latest' }]);
    const outcome = assert.rejects(late, { code: 'KAFKA_CANCELLED' });
    await other.close();
    await outcome;
    await assert.rejects(other.admin().listTopics(), { code: 'KAFKA_CANCELLED' });
  });
});
