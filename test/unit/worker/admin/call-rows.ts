// Owns what each administration call asks: which broker, by which request, and where the answer has its errors. One row for each call: the
// compiler finds one that is missing.

import type { AdminCallName, AdminCalls } from '../../../../src/common/admin/calls.ts';
import { anyBroker } from '../../../../src/worker/client/broker-requests.ts';

/** Broker ids by what they are in the script. */
export const ids = { any: anyBroker, controller: 2, coordinator: 3, leader: 4, given: 5, all: 6 } as const;
export type Target = keyof typeof ids;

const notController = 41;
const notCoordinator = 16;
const notLeader = 6;
const timedOut = 7;
const loading = 14;
/** The error with which each kind of broker says that a request shall be sent again. */
export const again: Readonly<Record<Target, number>> = {
  any: timedOut,
  controller: notController,
  coordinator: notCoordinator,
  leader: notLeader,
  given: timedOut,
  all: loading,
};
export const refused = 31;

export interface Row<Name extends AdminCallName> {
  readonly args: AdminCalls[Name]['args'];
  readonly api: string;
  readonly to: Target;
  /** The response with this error code at the place where brokers put it. */
  readonly response: (errorCode: number) => object;
}

const at = { topic: 't', partition: 0 };
const acl = {
  resourceType: 'topic',
  resourceName: 't',
  patternType: 'literal',
  principal: 'User:a',
  host: '*',
  operation: 'read',
  permission: 'allow',
} as const;
const topicConfig = { type: 'topic', name: 't' } as const;
const resource = { resourceType: 2, resourceName: 't' };
const id = 'AAAAAAAAAAAAAAAAAAAAAQ';
const describeGroups = { groups: ['g'], includeAuthorizedOperations: false };
const inTopic = (partition: object) => [{ name: 't', partitions: [{ partitionIndex: 0, ...partition }] }];
const ofTopicName = (partition: object) => [{ topicName: 't', partitions: [{ partitionIndex: 0, ...partition }] }];
const whole = (errorCode: number) => ({ errorCode });
export const ofGroup = (errorCode: number) => ({ groups: [{ groupId: 'g', groupState: 'Stable', errorCode }] });

export const rows: { readonly [Name in AdminCallName]: Row<Name> } = {
  createTopics: {
    args: { topics: [{ name: 't' }] },
    api: 'CreateTopics',
    to: 'controller',
    response: (errorCode) => ({ topics: [{ name: 't', errorCode }] }),
  },
  deleteTopics: {
    args: { topics: ['t'] },
    api: 'DeleteTopics',
    to: 'controller',
    response: (errorCode) => ({ responses: [{ name: 't', errorCode }] }),
  },
  createPartitions: {
    args: { topics: [{ topic: 't', totalCount: 2 }] },
    api: 'CreatePartitions',
    to: 'controller',
    response: (errorCode) => ({ results: [{ name: 't', errorCode }] }),
  },
  // Metadata has no error for all topics before its newest version.
  listTopics: { args: { includeInternal: false }, api: 'Metadata', to: 'any', response: whole },
  describeTopics: {
    args: { topics: ['t'], includeAuthorizedOperations: false },
    api: 'DescribeTopicPartitions',
    to: 'any',
    response: (errorCode) => ({ topics: [{ name: 't', errorCode }] }),
  },
  deleteRecords: {
    args: { partitions: [{ ...at, beforeOffset: 1 }] },
    api: 'DeleteRecords',
    to: 'leader',
    response: (errorCode) => ({ topics: inTopic({ errorCode }) }),
  },
  listOffsets: {
    args: { partitions: [{ ...at, at: 'latest' }], isReadCommitted: false },
    api: 'ListOffsets',
    to: 'leader',
    response: (errorCode) => ({ topics: inTopic({ errorCode }) }),
  },
  describeConfigs: {
    args: { resources: [topicConfig], includeSynonyms: false, includeDocumentation: false },
    api: 'DescribeConfigs',
    to: 'any',
    response: (errorCode) => ({ results: [{ ...resource, errorCode }] }),
  },
  incrementalAlterConfigs: {
    args: {
      resources: [{ resource: topicConfig, changes: [{ name: 'a', operation: 'delete' }] }],
      validateOnly: false,
    },
    api: 'IncrementalAlterConfigs',
    to: 'any',
    response: (errorCode) => ({ responses: [{ ...resource, errorCode }] }),
  },
  listConfigResources: { args: { types: [] }, api: 'ListConfigResources', to: 'any', response: whole },
  describeCluster: {
    args: { includeFencedBrokers: false, includeAuthorizedOperations: false },
    api: 'DescribeCluster',
    to: 'any',
    response: whole,
  },
  listGroups: {
    args: { states: [], types: [], protocolTypes: [] },
    api: 'ListGroups',
    to: 'all',
    response: whole,
  },
  describeConsumerGroups: {
    args: describeGroups,
    api: 'ConsumerGroupDescribe',
    to: 'coordinator',
    response: ofGroup,
  },
  describeClassicGroups: { args: describeGroups, api: 'DescribeGroups', to: 'coordinator', response: ofGroup },
  deleteGroups: {
    args: { groups: ['g'] },
    api: 'DeleteGroups',
    to: 'coordinator',
    response: (errorCode) => ({ results: [{ groupId: 'g', errorCode }] }),
  },
  listConsumerGroupOffsets: {
    args: { groups: [{ groupId: 'g' }], requireStable: true },
    api: 'OffsetFetch',
    to: 'coordinator',
    response: (errorCode) => ({ groups: [{ groupId: 'g', errorCode }] }),
  },
  alterConsumerGroupOffsets: {
    args: { groupId: 'g', offsets: [{ ...at, offset: 1 }] },
    api: 'OffsetCommit',
    to: 'coordinator',
    response: (errorCode) => ({ topics: inTopic({ errorCode }) }),
  },
  deleteConsumerGroupOffsets: {
    args: { groupId: 'g', partitions: [at] },
    api: 'OffsetDelete',
    to: 'coordinator',
    response: (errorCode) => ({ errorCode, topics: errorCode === 0 ? inTopic({}) : [] }),
  },
  removeMembersFromConsumerGroup: {
    args: { groupId: 'g', members: [{ groupInstanceId: 'i' }], reason: '' },
    api: 'LeaveGroup',
    to: 'coordinator',
    response: (errorCode) => ({ errorCode, members: errorCode === 0 ? [{ groupInstanceId: 'i' }] : [] }),
  },
  describeAcls: { args: { filter: {} }, api: 'DescribeAcls', to: 'any', response: whole },
  createAcls: {
    args: { acls: [acl] },
    api: 'CreateAcls',
    to: 'any',
    response: (errorCode) => ({ results: [{ errorCode }] }),
  },
  deleteAcls: {
    args: { filters: [{}] },
    api: 'DeleteAcls',
    to: 'any',
    response: (errorCode) => ({ filterResults: [{ errorCode }] }),
  },
  describeClientQuotas: {
    args: { filter: { components: [] } },
    api: 'DescribeClientQuotas',
    to: 'any',
    response: whole,
  },
  alterClientQuotas: {
    args: { alterations: [{ entity: { user: 'a' }, values: { x: 1 } }], validateOnly: false },
    api: 'AlterClientQuotas',
    to: 'any',
    response: (errorCode) => ({ entries: [{ errorCode, entity: [{ entityType: 'user', entityName: 'a' }] }] }),
  },
  describeUserScramCredentials: {
    args: { users: ['a'] },
    api: 'DescribeUserScramCredentials',
    to: 'any',
    response: (errorCode) => ({ results: [{ user: 'a', errorCode }] }),
  },
  alterUserScramCredentials: {
    args: { alterations: [{ user: 'a', mechanism: 'SCRAM-SHA-256', delete: true }] },
    api: 'AlterUserScramCredentials',
    to: 'controller',
    response: (errorCode) => ({ results: [{ user: 'a', errorCode }] }),
  },
  createDelegationToken: {
    args: { owner: null, renewers: [], maxLifetimeMs: -1 },
    api: 'CreateDelegationToken',
    to: 'any',
    response: whole,
  },
  renewDelegationToken: {
    args: { hmac: new Uint8Array(4), renewPeriodMs: -1 },
    api: 'RenewDelegationToken',
    to: 'any',
    response: whole,
  },
  expireDelegationToken: {
    args: { hmac: new Uint8Array(4), expiryTimePeriodMs: -1 },
    api: 'ExpireDelegationToken',
    to: 'any',
    response: whole,
  },
  describeDelegationToken: { args: { owners: null }, api: 'DescribeDelegationToken', to: 'any', response: whole },
  describeShareGroups: { args: describeGroups, api: 'ShareGroupDescribe', to: 'coordinator', response: ofGroup },
  listShareGroupOffsets: {
    args: { groups: [{ groupId: 'g' }] },
    api: 'DescribeShareGroupOffsets',
    to: 'coordinator',
    response: (errorCode) => ({ groups: [{ groupId: 'g', errorCode }] }),
  },
  alterShareGroupOffsets: {
    args: { groupId: 'g', offsets: [{ ...at, startOffset: 1 }] },
    api: 'AlterShareGroupOffsets',
    to: 'coordinator',
    response: (errorCode) => ({ errorCode, responses: errorCode === 0 ? ofTopicName({}) : [] }),
  },
  deleteShareGroupOffsets: {
    args: { groupId: 'g', topics: ['t'] },
    api: 'DeleteShareGroupOffsets',
    to: 'coordinator',
    response: (errorCode) => ({ responses: [{ topicName: 't', errorCode }] }),
  },
  describeStreamsGroups: { args: describeGroups, api: 'StreamsGroupDescribe', to: 'coordinator', response: ofGroup },
  electLeaders: {
    args: { isUnclean: false, partitions: [at] },
    api: 'ElectLeaders',
    to: 'controller',
    response: (errorCode) => ({
      replicaElectionResults: [{ topic: 't', partitionResult: [{ partitionId: 0, errorCode }] }],
    }),
  },
  alterPartitionReassignments: {
    args: { reassignments: [{ ...at, replicas: [1] }], allowReplicationFactorChange: true },
    api: 'AlterPartitionReassignments',
    to: 'controller',
    response: (errorCode) => ({ responses: inTopic({ errorCode }) }),
  },
  listPartitionReassignments: {
    args: { partitions: null },
    api: 'ListPartitionReassignments',
    to: 'controller',
    response: whole,
  },
  describeLogDirs: { args: { brokerIds: [ids.given] }, api: 'DescribeLogDirs', to: 'given', response: whole },
  describeReplicaLogDirs: {
    args: { replicas: [{ ...at, brokerId: ids.given }] },
    api: 'DescribeLogDirs',
    to: 'given',
    response: whole,
  },
  alterReplicaLogDirs: {
    args: { moves: [{ ...at, brokerId: ids.given, path: '/a' }] },
    api: 'AlterReplicaLogDirs',
    to: 'given',
    response: (errorCode) => ({ results: ofTopicName({ errorCode }) }),
  },
  describeFeatures: { args: {}, api: 'ApiVersions', to: 'any', response: whole },
  updateFeatures: {
    args: { updates: [{ feature: 'f', maxVersionLevel: 1 }], validateOnly: false },
    api: 'UpdateFeatures',
    to: 'controller',
    response: whole,
  },
  describeMetadataQuorum: {
    args: {},
    api: 'DescribeQuorum',
    to: 'any',
    response: (errorCode) => ({
      errorCode,
      topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0, leaderId: 1 }] }],
    }),
  },
  addRaftVoter: {
    args: { clusterId: null, voterId: 1, directoryId: id, listeners: [] },
    api: 'AddRaftVoter',
    to: 'controller',
    response: whole,
  },
  removeRaftVoter: {
    args: { clusterId: null, voterId: 1, directoryId: id },
    api: 'RemoveRaftVoter',
    to: 'controller',
    response: whole,
  },
  unregisterBroker: { args: { brokerId: 9 }, api: 'UnregisterBroker', to: 'any', response: whole },
  unregisterController: { args: { controllerId: 9 }, api: 'UnregisterController', to: 'any', response: whole },
  listTransactions: {
    args: { states: [], producerIds: [], minDurationMs: null, transactionalIdPattern: null },
    api: 'ListTransactions',
    to: 'all',
    response: whole,
  },
  describeTransactions: {
    args: { transactionalIds: ['g'] },
    api: 'DescribeTransactions',
    to: 'coordinator',
    response: (errorCode) => ({ transactionStates: [{ transactionalId: 'g', errorCode }] }),
  },
  fenceProducers: { args: { transactionalIds: ['g'] }, api: 'InitProducerId', to: 'coordinator', response: whole },
  describeProducers: {
    args: { partitions: [at], brokerId: null },
    api: 'DescribeProducers',
    to: 'leader',
    response: (errorCode) => ({ topics: inTopic({ errorCode }) }),
  },
  abortTransaction: {
    args: { transaction: { ...at, producerId: 1, producerEpoch: 0, coordinatorEpoch: 0 } },
    api: 'WriteTxnMarkers',
    to: 'leader',
    response: (errorCode) => ({ markers: [{ producerId: 1, topics: inTopic({ errorCode }) }] }),
  },
};
