// Every call of Admin as a user without any right: a real broker refuses each with the error that names the right. The compiler finds a call
// without a row.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Admin, AuthorizationError, type KafkaClient, Results } from '../../src/index.ts';
import { closedByHand, openClient } from '../broker/support/client.ts';
import { describeKafka, type KafkaOptions } from './fixture/index.ts';
import { addressOf, saslBroker, users } from './security/support/sasl-broker.ts';

const nodeId = 1;
const at = { topic: 'guarded', partition: 0 };
const groupId = 'guarded-group';
const unknownId = 'AAAAAAAAAAAAAAAAAAAAAQ';
const config = { type: 'topic', name: at.topic } as const;
const acl = {
  resourceType: 'topic',
  resourceName: at.topic,
  patternType: 'literal',
  principal: 'User:alice',
  host: '*',
  operation: 'read',
  permission: 'allow',
} as const;
const user = { user: 'alice', mechanism: 'SCRAM-SHA-256' } as const;
const change = { name: 'retention.ms', operation: 'set', value: '1' } as const;
const hmac = new Uint8Array(64);
const transaction = { ...at, producerId: 1, producerEpoch: 0, coordinatorEpoch: 0 };

const topicRefused = 'KAFKA_TOPIC_AUTHORIZATION_FAILED';
const groupRefused = 'KAFKA_GROUP_AUTHORIZATION_FAILED';
const clusterRefused = 'KAFKA_CLUSTER_AUTHORIZATION_FAILED';
const transactionRefused = 'KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED';

type CallName = keyof Admin;
type Row = readonly [code: string | null, run: (admin: Admin) => PromiseLike<unknown>];

/** Code null: brokers leave out what a user may not see, or everybody may ask. */
const rows: Readonly<Record<CallName, Row>> = {
  createTopics: [topicRefused, (admin) => admin.createTopics([{ name: 'another' }])],
  deleteTopics: [topicRefused, (admin) => admin.deleteTopics([at.topic])],
  createPartitions: [topicRefused, (admin) => admin.createPartitions([{ topic: at.topic, totalCount: 2 }])],
  listTopics: [null, (admin) => admin.listTopics()],
  describeTopics: [topicRefused, (admin) => admin.describeTopics([at.topic])],
  deleteRecords: [topicRefused, (admin) => admin.deleteRecords([{ ...at, beforeOffset: 0 }])],
  listOffsets: [topicRefused, (admin) => admin.listOffsets([{ ...at, at: 'latest' }])],
  describeProducers: [topicRefused, (admin) => admin.describeProducers([at])],
  describeConfigs: [topicRefused, (admin) => admin.describeConfigs([config])],
  incrementalAlterConfigs: [
    topicRefused,
    (admin) => admin.incrementalAlterConfigs([{ resource: config, changes: [change] }]),
  ],
  listConfigResources: [clusterRefused, (admin) => admin.listConfigResources()],
  describeCluster: [null, (admin) => admin.describeCluster()],
  describeFeatures: [null, (admin) => admin.describeFeatures()],
  updateFeatures: [
    clusterRefused,
    (admin) => admin.updateFeatures([{ feature: 'metadata.version', maxVersionLevel: 1 }], { validateOnly: true }),
  ],
  describeMetadataQuorum: [clusterRefused, (admin) => admin.describeMetadataQuorum()],
  addRaftVoter: [
    clusterRefused,
    (admin) => admin.addRaftVoter(9, unknownId, [{ name: 'CONTROLLER', host: '127.0.0.1', port: 1 }]),
  ],
  removeRaftVoter: [clusterRefused, (admin) => admin.removeRaftVoter(9, unknownId)],
  unregisterBroker: [clusterRefused, (admin) => admin.unregisterBroker(99)],
  unregisterController: [clusterRefused, (admin) => admin.unregisterController(99)],
  electLeaders: [clusterRefused, (admin) => admin.electLeaders([at])],
  alterPartitionReassignments: [
    clusterRefused,
    (admin) => admin.alterPartitionReassignments([{ ...at, replicas: [nodeId] }]),
  ],
  listPartitionReassignments: [clusterRefused, (admin) => admin.listPartitionReassignments()],
  describeLogDirs: [clusterRefused, (admin) => admin.describeLogDirs([nodeId])],
  describeReplicaLogDirs: [clusterRefused, (admin) => admin.describeReplicaLogDirs([{ ...at, brokerId: nodeId }])],
  alterReplicaLogDirs: [
    clusterRefused,
    (admin) => admin.alterReplicaLogDirs([{ ...at, brokerId: nodeId, path: '/none' }]),
  ],
  describeAcls: [clusterRefused, (admin) => admin.describeAcls()],
  createAcls: [clusterRefused, (admin) => admin.createAcls([acl])],
  deleteAcls: [clusterRefused, (admin) => admin.deleteAcls([{}])],
  describeClientQuotas: [clusterRefused, (admin) => admin.describeClientQuotas()],
  alterClientQuotas: [
    clusterRefused,
    (admin) => admin.alterClientQuotas([{ entity: { user: 'alice' }, values: { producer_byte_rate: 1 } }]),
  ],
  // Of all users: Kafka 4.4.0 does not answer at all.
  describeUserScramCredentials: [clusterRefused, (admin) => admin.describeUserScramCredentials(['alice'])],
  alterUserScramCredentials: [
    clusterRefused,
    (admin) => admin.alterUserScramCredentials([{ ...user, password: 'secret' }]),
  ],
  createDelegationToken: [
    'KAFKA_DELEGATION_TOKEN_AUTHORIZATION_FAILED',
    (admin) => admin.createDelegationToken({ owner: 'User:bob' }),
  ],
  renewDelegationToken: ['KAFKA_DELEGATION_TOKEN_NOT_FOUND', (admin) => admin.renewDelegationToken(hmac)],
  expireDelegationToken: ['KAFKA_DELEGATION_TOKEN_NOT_FOUND', (admin) => admin.expireDelegationToken(hmac)],
  describeDelegationToken: [null, (admin) => admin.describeDelegationToken()],
  listGroups: [null, (admin) => admin.listGroups()],
  describeConsumerGroups: [groupRefused, (admin) => admin.describeConsumerGroups([groupId])],
  describeClassicGroups: [groupRefused, (admin) => admin.describeClassicGroups([groupId])],
  describeShareGroups: [groupRefused, (admin) => admin.describeShareGroups([groupId])],
  describeStreamsGroups: [groupRefused, (admin) => admin.describeStreamsGroups([groupId])],
  deleteGroups: [groupRefused, (admin) => admin.deleteGroups([groupId])],
  deleteConsumerGroups: [groupRefused, (admin) => admin.deleteConsumerGroups([groupId])],
  deleteShareGroups: [groupRefused, (admin) => admin.deleteShareGroups([groupId])],
  deleteStreamsGroups: [groupRefused, (admin) => admin.deleteStreamsGroups([groupId])],
  listConsumerGroupOffsets: [groupRefused, (admin) => admin.listConsumerGroupOffsets([{ groupId }])],
  alterConsumerGroupOffsets: [
    groupRefused,
    (admin) => admin.alterConsumerGroupOffsets(groupId, [{ ...at, offset: 1 }]),
  ],
  deleteConsumerGroupOffsets: [groupRefused, (admin) => admin.deleteConsumerGroupOffsets(groupId, [at])],
  removeMembersFromConsumerGroup: [
    groupRefused,
    (admin) => admin.removeMembersFromConsumerGroup(groupId, [{ groupInstanceId: 'one' }]),
  ],
  listStreamsGroupOffsets: [groupRefused, (admin) => admin.listStreamsGroupOffsets([{ groupId }])],
  alterStreamsGroupOffsets: [groupRefused, (admin) => admin.alterStreamsGroupOffsets(groupId, [{ ...at, offset: 1 }])],
  deleteStreamsGroupOffsets: [groupRefused, (admin) => admin.deleteStreamsGroupOffsets(groupId, [at])],
  listShareGroupOffsets: [groupRefused, (admin) => admin.listShareGroupOffsets([{ groupId }])],
  alterShareGroupOffsets: [groupRefused, (admin) => admin.alterShareGroupOffsets(groupId, [{ ...at, startOffset: 1 }])],
  deleteShareGroupOffsets: [groupRefused, (admin) => admin.deleteShareGroupOffsets(groupId, [at.topic])],
  listTransactions: [null, (admin) => admin.listTransactions()],
  describeTransactions: [transactionRefused, (admin) => admin.describeTransactions(['guarded-tx'])],
  fenceProducers: [transactionRefused, (admin) => admin.fenceProducers(['guarded-tx'])],
  forceTerminateTransaction: [transactionRefused, (admin) => admin.forceTerminateTransaction('guarded-tx')],
  abortTransaction: [topicRefused, (admin) => admin.abortTransaction(transaction)],
};

/** The errors of a call, wherever it puts them. */
async function errorsOf(answer: PromiseLike<unknown>): Promise<Error[]> {
  let settled: unknown;
  try {
    settled = await answer;
  } catch (error) {
    return [error as Error];
  }
  if (settled instanceof Results)
    return [...settled.values()].flatMap((outcome) => (outcome.ok ? [] : [outcome.error as Error]));
  const { errors } = (settled ?? {}) as { errors?: ReadonlyMap<number, Error> };
  return errors === undefined ? [] : [...errors.values()];
}

const sasl = saslBroker();
const options: KafkaOptions = {
  ...sasl,
  extraProperties: (place) => ({
    ...(typeof sasl.extraProperties === 'function' ? sasl.extraProperties(place) : sasl.extraProperties),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
  }),
};

describeKafka(
  'Admin without any right',
  (suite) => {
    let client: KafkaClient;
    let admin: Admin;

    before(async () => {
      const master = await openClient(closedByHand, {
        bootstrapServers: suite.kafka.bootstrapServers,
        apiVersionAutoTimeoutMs: 90_000,
      });
      const all = master.admin({ timeoutMs: 120_000 });
      (await all.createTopics([{ name: at.topic }], { waitForLeaders: true })).orThrow();
      // So that the coordinators are there.
      (await all.alterConsumerGroupOffsets(groupId, [{ ...at, offset: 1 }])).orThrow();
      await master.close();
      client = await openClient(closedByHand, {
        bootstrapServers: addressOf(suite.kafka.brokers[0]!, 'sasl'),
        securityProtocol: 'SASL_PLAINTEXT',
        saslMechanism: 'PLAIN',
        ...users.alice,
        apiVersionAutoTimeoutMs: 90_000,
      });
      admin = client.admin({ timeoutMs: 120_000 });
    });

    after(async () => {
      await client?.close();
    });

    for (const [name, [code, run]] of Object.entries(rows)) {
      test(`${name} ${code === null ? 'is allowed, and shows nothing that is guarded' : `fails with ${code}`}`, async () => {
        const found = await errorsOf(run(admin));
        const codes = found.map((error) => (error as { code?: string }).code);
        assert.deepEqual(codes, code === null ? [] : [code], found.map(String).join('\n'));
        for (const error of found) {
          if (code?.endsWith('_AUTHORIZATION_FAILED')) assert.ok(error instanceof AuthorizationError);
          assert.equal((error as { retriable?: boolean }).retriable, false);
        }
      });
    }

    test('what is listed leaves out what this user may not see', async () => {
      assert.deepEqual(await admin.listTopics(), []);
      assert.deepEqual((await admin.listGroups()).groups, []);
      assert.deepEqual((await admin.listTransactions()).transactions, []);
      assert.deepEqual(await admin.describeDelegationToken(), []);
    });
  },
  options,
);
