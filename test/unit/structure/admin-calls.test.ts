// Every call of Admin is made by a test against a real broker, and each final error that a broker gives for it is shown by such a test.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFolder } from '../../../scripts/project.ts';
import { Admin } from '../../../src/main/admin/admin.ts';

type CallName = keyof Admin;

interface RealTest {
  readonly file: string;
  readonly name: string;
  readonly body: string;
}

/** Each call as a user without rights has a table of its own, which the compiler keeps complete. */
const tableOfRefusals = 'admin-refused.test.ts';
const folder = join(projectFolder, 'test', 'kafka');

/** Kafka's names of the final errors, beside those for missing rights. Calls that are not here have none but those. */
const finalErrors: { readonly [Name in CallName]?: readonly string[] } = {
  createTopics: [
    'TOPIC_ALREADY_EXISTS',
    'INVALID_TOPIC_EXCEPTION',
    'INVALID_PARTITIONS',
    'INVALID_REPLICATION_FACTOR',
    'INVALID_REPLICA_ASSIGNMENT',
    'INVALID_CONFIG',
  ],
  deleteTopics: ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID', 'TOPIC_DELETION_DISABLED'],
  createPartitions: ['INVALID_PARTITIONS', 'INVALID_REPLICA_ASSIGNMENT'],
  describeTopics: ['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID'],
  deleteRecords: ['OFFSET_OUT_OF_RANGE', 'POLICY_VIOLATION'],
  describeProducers: ['UNKNOWN_TOPIC_OR_PARTITION'],
  describeConfigs: ['UNKNOWN_TOPIC_OR_PARTITION'],
  incrementalAlterConfigs: ['INVALID_CONFIG', 'UNKNOWN_TOPIC_OR_PARTITION'],
  describeCluster: ['MISMATCHED_ENDPOINT_TYPE'],
  updateFeatures: ['INVALID_UPDATE_VERSION'],
  addRaftVoter: ['DUPLICATE_VOTER', 'UNSUPPORTED_VERSION'],
  removeRaftVoter: ['VOTER_NOT_FOUND', 'INCONSISTENT_CLUSTER_ID', 'UNSUPPORTED_VERSION'],
  unregisterBroker: ['BROKER_ID_NOT_REGISTERED'],
  unregisterController: ['CONTROLLER_ID_NOT_REGISTERED'],
  electLeaders: ['PREFERRED_LEADER_NOT_AVAILABLE', 'ELIGIBLE_LEADERS_NOT_AVAILABLE', 'UNKNOWN_TOPIC_OR_PARTITION'],
  alterPartitionReassignments: [
    'NO_REASSIGNMENT_IN_PROGRESS',
    'INVALID_REPLICA_ASSIGNMENT',
    'UNKNOWN_TOPIC_OR_PARTITION',
  ],
  alterReplicaLogDirs: ['LOG_DIR_NOT_FOUND'],
  describeAcls: ['SECURITY_DISABLED'],
  createAcls: ['INVALID_REQUEST'],
  alterClientQuotas: ['INVALID_REQUEST'],
  describeUserScramCredentials: ['RESOURCE_NOT_FOUND'],
  alterUserScramCredentials: ['UNACCEPTABLE_CREDENTIAL', 'RESOURCE_NOT_FOUND', 'DUPLICATE_RESOURCE'],
  createDelegationToken: ['DELEGATION_TOKEN_REQUEST_NOT_ALLOWED'],
  renewDelegationToken: ['DELEGATION_TOKEN_REQUEST_NOT_ALLOWED', 'DELEGATION_TOKEN_NOT_FOUND'],
  expireDelegationToken: ['DELEGATION_TOKEN_REQUEST_NOT_ALLOWED', 'DELEGATION_TOKEN_NOT_FOUND'],
  describeDelegationToken: ['DELEGATION_TOKEN_REQUEST_NOT_ALLOWED'],
  describeConsumerGroups: ['GROUP_ID_NOT_FOUND', 'ILLEGAL_ARGUMENT'],
  describeClassicGroups: ['GROUP_ID_NOT_FOUND'],
  describeShareGroups: ['GROUP_ID_NOT_FOUND'],
  describeStreamsGroups: ['GROUP_ID_NOT_FOUND'],
  deleteGroups: ['GROUP_ID_NOT_FOUND'],
  deleteConsumerGroups: ['NON_EMPTY_GROUP'],
  deleteShareGroups: ['NON_EMPTY_GROUP', 'GROUP_ID_NOT_FOUND'],
  deleteStreamsGroups: ['NON_EMPTY_GROUP', 'GROUP_ID_NOT_FOUND'],
  alterConsumerGroupOffsets: ['UNKNOWN_MEMBER_ID'],
  deleteConsumerGroupOffsets: ['GROUP_SUBSCRIBED_TO_TOPIC'],
  removeMembersFromConsumerGroup: ['UNKNOWN_MEMBER_ID'],
  alterStreamsGroupOffsets: ['UNKNOWN_MEMBER_ID'],
  alterShareGroupOffsets: ['NON_EMPTY_GROUP', 'UNKNOWN_TOPIC_OR_PARTITION'],
  deleteShareGroupOffsets: ['NON_EMPTY_GROUP'],
  describeTransactions: ['TRANSACTIONAL_ID_NOT_FOUND'],
  abortTransaction: ['INVALID_PRODUCER_EPOCH', 'TRANSACTION_COORDINATOR_FENCED'],
};
// Not shown by a broker of these tests: POLICY_VIOLATION of new topics and of configurations needs a class of the operator in the broker;
// REASSIGNMENT_IN_PROGRESS of createPartitions and FEATURE_UPDATE_FAILED come from brokers with ZooKeeper alone; INVALID_VOTER_KEY and
// GROUP_DELETION_FAILED come from faults inside the cluster; FENCED_INSTANCE_ID of removed members needs a member id, which the call
// does not send. test/unit/worker/admin shows for each call that such an error is final and is told.

function realTests(): RealTest[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.test.ts'));
  return files
    .filter((file) => file !== tableOfRefusals)
    .flatMap((file) => {
      const [, ...blocks] = readFileSync(join(folder, file), 'utf8').split(/^ *test\(/m);
      return blocks.map((body) => ({ file, name: body.slice(1, body.indexOf(body[0]!, 1)), body }));
    });
}

function callNames(): CallName[] {
  const names: string[] = [];
  for (let level: object = Admin.prototype; level !== Object.prototype; level = Object.getPrototypeOf(level) as object)
    names.push(...Object.getOwnPropertyNames(level));
  // Not public.
  const inner = ['constructor', 'call', 'describeGroups'];
  return names.filter((name) => !inner.includes(name)) as CallName[];
}

const tests = realTests();
const calling = (name: CallName): RealTest[] => tests.filter(({ body }) => body.includes(`.${name}(`));

test('each call of Admin is made by a test against a real broker', () => {
  const names = callNames();
  assert.ok(names.length > 50, `${names.length} calls`);
  assert.deepEqual(
    names.filter((name) => calling(name).length === 0),
    [],
  );
});

test('each call of Admin is refused to a user without rights, by a test against a real broker', () => {
  const table = readFileSync(join(folder, tableOfRefusals), 'utf8');
  assert.deepEqual(
    callNames().filter((name) => !table.includes(`  ${name}: [`)),
    [],
  );
});

test('each final error of a call is shown by a test against a real broker that makes the call', () => {
  const missing = Object.entries(finalErrors).flatMap(([name, errors]) => {
    const bodies = calling(name as CallName).map(({ body }) => body);
    return errors
      .filter((error) => !bodies.some((body) => body.includes(`KAFKA_${error}'`)))
      .map((error) => `${name}: ${error}`);
  });
  assert.deepEqual(missing, []);
});
