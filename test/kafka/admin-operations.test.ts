// Admin's rarer calls with a real broker, each with the errors of wrong items: topics by id, access control lists, configurations of every
// kind, groups with members, transactions, log directories, features, the quorum, delegation tokens.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  type Admin,
  FindCoordinator,
  JoinGroup,
  type KafkaClient,
  type QuotaAlteration,
  type Results,
  SyncGroup,
} from '../../src/index.ts';
import { closedByHand, openClient } from '../broker/support/client.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

const nodeId = 1;
const topic = 'operations';
const place = { topic, partition: 0 };
const unknownId = 'AAAAAAAAAAAAAAAAAAAAAQ';

const codeOf = (results: Results<unknown, unknown>): (string | undefined)[] =>
  [...results.values()].map((outcome) => (outcome.ok ? undefined : (outcome.error as { code?: string }).code));

describeKafka(
  'Admin and everything that operators do',
  (suite) => {
    let client: KafkaClient;
    let admin: Admin;

    before(async () => {
      client = await openClient(closedByHand, {
        bootstrapServers: suite.kafka.bootstrapServers,
        apiVersionAutoTimeoutMs: 90_000,
      });
      admin = client.admin({ timeoutMs: 120_000 });
      await client.refreshMetadata();
      await client.awaitReady(nodeId, { timeoutMs: 120_000 });
      (await admin.createTopics([{ name: topic, partitions: 2 }], { waitForLeaders: true })).orThrow();
    });

    after(async () => {
      await client?.close();
    });

    test('topics are described and deleted by id', async () => {
      (await admin.createTopics([{ name: 'by-id' }], { waitForLeaders: true })).orThrow();
      const byName = (await admin.describeTopics(['by-id'], { includeAuthorizedOperations: true })).orThrow();
      const { topicId, authorizedOperations, partitions } = byName.get('by-id')!;
      // Bits 3 and 4: read and write.
      assert.equal(authorizedOperations! & 0b11000, 0b11000);
      assert.deepEqual(partitions[0]!.eligibleLeaderReplicas, []);
      const keys = [{ topicId: topicId! }, { topicId: unknownId }];
      const byId = await admin.describeTopics(keys);
      assert.deepEqual(codeOf(byId), [undefined, 'KAFKA_UNKNOWN_TOPIC_ID']);
      const [found] = byId.values();
      assert.ok(found?.ok);
      assert.deepEqual([found.value.name, found.value.authorizedOperations], ['by-id', null]);
      assert.deepEqual(codeOf(await admin.deleteTopics(keys)), [undefined, 'KAFKA_UNKNOWN_TOPIC_ID']);
      assert.ok(!(await admin.listTopics()).some(({ name }) => name === 'by-id'));
    });

    test('what is listed can be iterated', async () => {
      const names: string[] = [];
      for await (const { name } of admin.listTopics({ includeInternal: false })) names.push(name);
      assert.deepEqual(names, [topic]);
      const resources: string[] = [];
      for await (const { type, name } of admin.listConfigResources(['topic'])) resources.push(`${type} ${name}`);
      assert.deepEqual(resources, [`topic ${topic}`]);
    });

    test('access control lists are created, described and deleted', async () => {
      const acl = {
        resourceType: 'topic',
        resourceName: topic,
        patternType: 'literal',
        principal: 'User:alice',
        host: '*',
        operation: 'read',
        permission: 'allow',
      } as const;
      const wrong = { ...acl, resourceType: 'cluster', resourceName: 'no-cluster' } as const;
      assert.deepEqual(codeOf(await admin.createAcls([acl, wrong])), [undefined, 'KAFKA_INVALID_REQUEST']);
      const filter = { resourceType: 'topic', patternType: 'match', resourceName: topic } as const;
      const found = await waitFor('the entry', async () => {
        const list = await admin.describeAcls(filter);
        return list.length > 0 ? list : undefined;
      });
      assert.deepEqual(found, [acl]);
      const deleted = (await admin.deleteAcls([filter])).orThrow().get(filter)!;
      assert.deepEqual(
        [...deleted].map(([binding, outcome]) => [binding, outcome.ok]),
        [[acl, true]],
      );
      await waitFor('the entry to be gone', async () => (await admin.describeAcls(filter)).length === 0);
    });

    test('configurations of loggers, groups and client metrics are changed and listed', async () => {
      const loggers = { type: 'brokerLogger', name: String(nodeId) } as const;
      const [logger] = (await admin.describeConfigs([loggers])).orThrow().get(loggers)!;
      const set = (name: string, value: string) => [{ name, operation: 'set', value }] as const;
      const resources = [
        { resource: loggers, changes: set(logger!.name, 'ERROR') },
        { resource: { type: 'group', name: 'configured' }, changes: set('consumer.session.timeout.ms', '50000') },
        { resource: { type: 'clientMetrics', name: 'told' }, changes: set('interval.ms', '60000') },
        { resource: { type: 'group', name: 'configured' }, changes: set('no.such.key', '1') },
      ] as const;
      const results = await admin.incrementalAlterConfigs(resources.slice(0, 3));
      assert.deepEqual(codeOf(results), [undefined, undefined, undefined]);
      assert.deepEqual(codeOf(await admin.incrementalAlterConfigs([resources[3]])), ['KAFKA_INVALID_CONFIG']);
      for (const { resource, changes } of resources.slice(0, 3)) {
        await waitFor(`${changes[0].name} to be changed`, async () => {
          const entries = (await admin.describeConfigs([resource])).orThrow().get(resource)!;
          return entries.find(({ name }) => name === changes[0].name)?.value === changes[0].value;
        });
      }
      const listed = (await admin.listConfigResources()).map(({ type, name }) => `${type} ${name}`);
      for (const name of [`topic ${topic}`, 'clientMetrics told', `broker ${nodeId}`])
        assert.ok(listed.includes(name), `${name} is not among ${listed}`);
      const none = [{ resource: { type: 'topic', name: 'no-such-topic' }, changes: set('retention.ms', '1') }] as const;
      assert.deepEqual(codeOf(await admin.incrementalAlterConfigs(none)), ['KAFKA_UNKNOWN_TOPIC_OR_PARTITION']);
      assert.deepEqual(codeOf(await admin.describeConfigs([none[0].resource])), ['KAFKA_UNKNOWN_TOPIC_OR_PARTITION']);
    });

    test('groups with members: described, protected, and their members removed', async () => {
      const groupId = 'with-members';
      const consumer = await client.consumer({
        groupId,
        groupProtocol: 'classic',
        groupInstanceId: 'instance-1',
        topics: [topic],
      });
      try {
        await waitFor('the assignment', async () => {
          await consumer.poll(100);
          return consumer.assignment.length === 2;
        });
        const described = await admin.describeConsumerGroups([groupId], { includeAuthorizedOperations: true });
        const group = described.orThrow().get(groupId)!;
        assert.deepEqual([group.type, group.state, group.members.length], ['classic', 'Stable', 1]);
        assert.equal(group.members[0]!.assignment.length, 2);
        assert.ok(group.authorizedOperations! > 0);
        const classic = (await admin.describeClassicGroups([groupId, 'no-such-group'])).get(groupId)!;
        assert.ok(classic.ok && classic.value.protocolType === 'consumer');
        const none = ['no-such-group'];
        assert.deepEqual(codeOf(await admin.describeClassicGroups(none)), ['KAFKA_GROUP_ID_NOT_FOUND']);
        assert.deepEqual(codeOf(await admin.describeConsumerGroups(none)), ['KAFKA_GROUP_ID_NOT_FOUND']);
        assert.ok(classic.value.members[0]!.assignment.length > 0 && classic.value.members[0]!.metadata.length > 0);
        assert.deepEqual(codeOf(await admin.alterConsumerGroupOffsets(groupId, [{ ...place, offset: 0 }])), [
          'KAFKA_UNKNOWN_MEMBER_ID',
        ]);
        assert.deepEqual(codeOf(await admin.deleteConsumerGroupOffsets(groupId, [place])), [
          'KAFKA_GROUP_SUBSCRIBED_TO_TOPIC',
        ]);
        assert.deepEqual(codeOf(await admin.deleteConsumerGroups([groupId])), ['KAFKA_NON_EMPTY_GROUP']);
        const members = [{ groupInstanceId: 'instance-1' }, { groupInstanceId: 'instance-2' }];
        const removed = await admin.removeMembersFromConsumerGroup(groupId, members, { reason: 'a test' });
        assert.deepEqual(codeOf(removed), [undefined, 'KAFKA_UNKNOWN_MEMBER_ID']);
      } finally {
        await consumer.close();
      }
      const late = await client.consumer({ groupId, groupProtocol: 'consumer', topics: [topic] });
      try {
        await waitFor('the assignment', async () => {
          await late.poll(100);
          return late.assignment.length === 2;
        });
        const all = await admin.removeMembersFromConsumerGroup(groupId, 'all');
        assert.deepEqual(codeOf(all), [undefined]);
      } finally {
        await late.close();
      }
    });

    test('a group of Kafka Connect is described, and describeConsumerGroups says that it is no consumer group', async () => {
      const groupId = 'connect-workers';
      await waitFor('the coordinator', async () => {
        const found = await client.send(nodeId, FindCoordinator, { keyType: 0, coordinatorKeys: [groupId] });
        return found.coordinators.at(0).errorCode === 0;
      });
      const protocols = [{ name: 'compatible', metadata: Buffer.from('worker url') }];
      const join = {
        groupId,
        sessionTimeoutMs: 300_000,
        rebalanceTimeoutMs: 300_000,
        protocolType: 'connect',
        protocols,
      };
      const { generationId, memberId } = await waitFor('the member', async () => {
        const first = await client.send(nodeId, JoinGroup, { ...join, memberId: '' });
        const second = await client.send(nodeId, JoinGroup, { ...join, memberId: first.memberId });
        return second.errorCode === 0 ? { generationId: second.generationId, memberId: second.memberId } : undefined;
      });
      const assignments = [{ memberId, assignment: Buffer.from('tasks') }];
      const about = { protocolType: 'connect', protocolName: 'compatible' };
      await client.send(nodeId, SyncGroup, { groupId, generationId, memberId, assignments, ...about });
      const group = (await admin.describeClassicGroups([groupId])).orThrow().get(groupId)!;
      assert.deepEqual([group.protocolType, group.state, group.protocol], ['connect', 'Stable', 'compatible']);
      const [member] = group.members;
      assert.equal(Buffer.from(member!.metadata).toString(), 'worker url');
      assert.equal(Buffer.from(member!.assignment).toString(), 'tasks');
      assert.deepEqual(codeOf(await admin.describeConsumerGroups([groupId])), ['KAFKA_ILLEGAL_ARGUMENT']);
      assert.deepEqual(codeOf(await admin.removeMembersFromConsumerGroup(groupId, [{ groupInstanceId: 'x' }])), [
        'KAFKA_UNKNOWN_MEMBER_ID',
      ]);
    });

    test('transactions are listed, described, fenced and aborted', async () => {
      const producer = await client.producer({ transactionalId: 'tx-1', transactionTimeoutMs: 600_000 });
      // Each transaction has an epoch of its own, so the next one is not the first.
      await producer.transaction(async (tx) => tx.send(topic, { value: 'committed', partition: 0 }));
      const open = await producer.begin();
      await open.send(topic, { value: 'open', partition: 0 });
      const { transactions, errors } = await admin.listTransactions({ states: ['Ongoing'] });
      assert.deepEqual([transactions.map(({ transactionalId }) => transactionalId), errors.size], [['tx-1'], 0]);
      const described = await admin.describeTransactions(['tx-1', 'tx-none']);
      assert.deepEqual(codeOf(described), [undefined, 'KAFKA_TRANSACTIONAL_ID_NOT_FOUND']);
      const { state, partitions, producerId } = (await admin.describeTransactions(['tx-1'])).orThrow().get('tx-1')!;
      assert.deepEqual([state, partitions], ['Ongoing', [place]]);
      const ofPlace = async () => {
        const found = (await admin.describeProducers([place], { brokerId: nodeId })).orThrow().get(place)!;
        return found.find((one) => one.producerId.equals(producerId))!;
      };
      const active = await ofPlace();
      assert.notEqual(active.transactionStartOffset, null);
      const missing = [{ topic: 'no-such-topic', partition: 0 }];
      assert.deepEqual(codeOf(await admin.describeProducers(missing, { brokerId: nodeId })), [
        'KAFKA_UNKNOWN_TOPIC_OR_PARTITION',
      ]);
      const { producerEpoch, coordinatorEpoch } = active;
      const abort = { ...place, producerId, producerEpoch, coordinatorEpoch: Math.max(0, coordinatorEpoch) };
      await assert.rejects(admin.abortTransaction({ ...abort, producerEpoch: producerEpoch - 1 }), {
        code: 'KAFKA_INVALID_PRODUCER_EPOCH',
      });
      const fenced = (await admin.fenceProducers(['tx-1'])).orThrow().get('tx-1')!;
      assert.ok(fenced.producerEpoch > producerEpoch || !fenced.producerId.equals(producerId));
      await assert.rejects(async () => open.commit());
      await producer.close();

      const second = await client.producer({ transactionalId: 'tx-2', transactionTimeoutMs: 600_000 });
      const hanging = await second.begin();
      await hanging.send(topic, { value: 'hanging', partition: 0 });
      const other = (await admin.describeTransactions(['tx-2'])).orThrow().get('tx-2')!;
      const found = (await admin.describeProducers([place])).orThrow().get(place)!;
      const hung = found.find((one) => one.producerId.equals(other.producerId))!;
      assert.notEqual(hung.transactionStartOffset, null);
      await admin.abortTransaction({
        ...place,
        producerId: hung.producerId,
        producerEpoch: hung.producerEpoch,
        coordinatorEpoch: Math.max(0, hung.coordinatorEpoch),
      });
      const after = (await admin.describeProducers([place])).orThrow().get(place)!;
      assert.equal(after.find((one) => one.producerId.equals(other.producerId))?.transactionStartOffset ?? null, null);
      await admin.forceTerminateTransaction('tx-2');
      await waitFor('the transaction to be over', async () => {
        const [now] = (await admin.describeTransactions(['tx-2'])).values();
        return now?.ok === true && now.value.state !== 'Ongoing';
      });
      await second.close();
      // A marker of a coordinator that another one has replaced.
      const known = (await admin.describeProducers([place])).orThrow().get(place)!;
      const last = known.find((one) => one.producerId.equals(other.producerId))!;
      const marker = { ...place, producerId: last.producerId, producerEpoch: last.producerEpoch };
      await admin.abortTransaction({ ...marker, coordinatorEpoch: 100 });
      await assert.rejects(admin.abortTransaction({ ...marker, coordinatorEpoch: 99 }), {
        code: 'KAFKA_TRANSACTION_COORDINATOR_FENCED',
      });
    });

    test('replicas are found and moved between log directories', async () => {
      const replica = { ...place, brokerId: nodeId };
      const dirs = (await admin.describeLogDirs([nodeId])).orThrow().get(nodeId)!;
      assert.equal(dirs.length, 2);
      const placeOf = async () => (await admin.describeReplicaLogDirs([replica])).orThrow().get(replica)!;
      const { current, future } = await placeOf();
      assert.equal(future, null);
      const to = dirs.find(({ path }) => path !== current!.path)!.path;
      const missing = { ...replica, path: '/no/such/directory' };
      assert.deepEqual(codeOf(await admin.alterReplicaLogDirs([missing])), ['KAFKA_LOG_DIR_NOT_FOUND']);
      assert.deepEqual(codeOf(await admin.alterReplicaLogDirs([{ ...replica, path: to }])), [undefined]);
      await waitFor('the replica to be moved', async () => {
        const now = await placeOf();
        return now.current?.path === to && now.future === null;
      });
      const none = { topic: 'no-such-topic', partition: 0, brokerId: nodeId };
      assert.deepEqual((await admin.describeReplicaLogDirs([none])).orThrow().get(none), {
        current: null,
        future: null,
      });
      const elsewhere = await admin.describeLogDirs([77], { timeoutMs: 2000 });
      assert.deepEqual(codeOf(elsewhere), ['KAFKA_TIMEOUT']);
    });

    test('features and the quorum: what cannot be done is refused with the reason', async () => {
      const { finalized } = await admin.describeFeatures();
      const level = finalized['metadata.version']!.maxLevel;
      const wrong = [{ feature: 'metadata.version', maxVersionLevel: level + 1000 }];
      assert.deepEqual(codeOf(await admin.updateFeatures(wrong, { validateOnly: true })), [
        'KAFKA_INVALID_UPDATE_VERSION',
      ]);
      assert.equal((await admin.describeFeatures()).finalized['metadata.version']!.maxLevel, level);
      const listeners = [{ name: 'CONTROLLER', host: '127.0.0.1', port: 1 }];
      // The quorum of this broker is a static one.
      await assert.rejects(admin.addRaftVoter(9, unknownId, listeners), { code: 'KAFKA_UNSUPPORTED_VERSION' });
      await assert.rejects(admin.removeRaftVoter(9, unknownId), { code: 'KAFKA_UNSUPPORTED_VERSION' });
      await assert.rejects(admin.unregisterBroker(99), { code: 'KAFKA_BROKER_ID_NOT_REGISTERED' });
      await assert.rejects(admin.unregisterController(99), { code: 'KAFKA_CONTROLLER_ID_NOT_REGISTERED' });
    });

    test('delegation tokens are refused over a connection without a login', async () => {
      const refused = { code: 'KAFKA_DELEGATION_TOKEN_REQUEST_NOT_ALLOWED' };
      const hmac = new Uint8Array(64);
      await assert.rejects(admin.createDelegationToken(), refused);
      await assert.rejects(admin.renewDelegationToken(hmac), refused);
      await assert.rejects(admin.expireDelegationToken(hmac), refused);
      await assert.rejects(admin.describeDelegationToken(), refused);
    });

    test('quotas and users: wrong ones are refused one by one', async () => {
      const alterations: QuotaAlteration[] = [
        { entity: { user: 'bob' }, values: { producer_byte_rate: 1000 } },
        { entity: { user: 'eve' }, values: { no_such_quota: 1 } },
      ];
      const set = await admin.alterClientQuotas(alterations, { validateOnly: true });
      assert.deepEqual(codeOf(set), [undefined, 'KAFKA_INVALID_REQUEST']);
      const user = { user: 'bob', mechanism: 'SCRAM-SHA-256' } as const;
      const users = [
        { ...user, password: 'p', iterations: 10 },
        { user: 'eve', mechanism: 'SCRAM-SHA-512', delete: true },
        { user: 'twice', mechanism: 'SCRAM-SHA-256', password: 'a' },
        { user: 'twice', mechanism: 'SCRAM-SHA-256', password: 'b' },
      ] as const;
      assert.deepEqual(codeOf(await admin.alterUserScramCredentials(users)), [
        'KAFKA_UNACCEPTABLE_CREDENTIAL',
        'KAFKA_RESOURCE_NOT_FOUND',
        'KAFKA_DUPLICATE_RESOURCE',
      ]);
    });
  },
  {
    extraProperties: ({ folder }) => ({
      'log.dirs': `${join(folder, 'data-a')},${join(folder, 'data-b')}`,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
      'delegation.token.secret.key': 'a-secret-of-the-test',
    }),
  },
);
