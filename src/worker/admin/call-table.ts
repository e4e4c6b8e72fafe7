// Owns the table of the functions that run administration calls. Network thread.

import type { AdminCallName, AdminCalls } from '../../common/admin/calls.ts';
import type { Call } from './call.ts';
import { createAcls, deleteAcls, describeAcls } from './calls/acls.ts';
import { describeClassicGroups } from './calls/classic-groups.ts';
import { describeCluster } from './calls/cluster.ts';
import { describeConfigs, incrementalAlterConfigs, listConfigResources } from './calls/configs.ts';
import { describeTopics } from './calls/describe-topics.ts';
import {
  alterConsumerGroupOffsets,
  deleteConsumerGroupOffsets,
  listConsumerGroupOffsets,
} from './calls/group-offsets.ts';
import { deleteGroups, describeConsumerGroups, listGroups, removeMembersFromConsumerGroup } from './calls/groups.ts';
import { deleteRecords, listOffsets } from './calls/partitions.ts';
import {
  addRaftVoter,
  describeFeatures,
  describeMetadataQuorum,
  removeRaftVoter,
  unregisterBroker,
  unregisterController,
  updateFeatures,
} from './calls/quorum.ts';
import { alterClientQuotas, describeClientQuotas } from './calls/quotas.ts';
import {
  alterPartitionReassignments,
  alterReplicaLogDirs,
  describeLogDirs,
  describeReplicaLogDirs,
  electLeaders,
  listPartitionReassignments,
} from './calls/replicas.ts';
import { alterUserScramCredentials, describeUserScramCredentials } from './calls/scram.ts';
import {
  alterShareGroupOffsets,
  deleteShareGroupOffsets,
  describeShareGroups,
  describeStreamsGroups,
  listShareGroupOffsets,
} from './calls/share-groups.ts';
import {
  createDelegationToken,
  describeDelegationToken,
  expireDelegationToken,
  renewDelegationToken,
} from './calls/tokens.ts';
import { createPartitions, createTopics, deleteTopics, listTopics } from './calls/topics.ts';
import {
  abortTransaction,
  describeProducers,
  describeTransactions,
  fenceProducers,
  listTransactions,
} from './calls/transactions.ts';

type CallTable = {
  readonly [Name in AdminCallName]: (call: Call, args: AdminCalls[Name]['args']) => Promise<AdminCalls[Name]['answer']>;
};

export const callTable: CallTable = {
  createTopics,
  deleteTopics,
  createPartitions,
  listTopics,
  describeTopics,
  deleteRecords,
  listOffsets,
  describeConfigs,
  incrementalAlterConfigs,
  listConfigResources,
  describeCluster,
  listGroups,
  describeConsumerGroups,
  describeClassicGroups,
  deleteGroups,
  listConsumerGroupOffsets,
  alterConsumerGroupOffsets,
  deleteConsumerGroupOffsets,
  removeMembersFromConsumerGroup,
  describeAcls,
  createAcls,
  deleteAcls,
  describeClientQuotas,
  alterClientQuotas,
  describeUserScramCredentials,
  alterUserScramCredentials,
  createDelegationToken,
  renewDelegationToken,
  expireDelegationToken,
  describeDelegationToken,
  describeShareGroups,
  listShareGroupOffsets,
  alterShareGroupOffsets,
  deleteShareGroupOffsets,
  describeStreamsGroups,
  electLeaders,
  alterPartitionReassignments,
  listPartitionReassignments,
  describeLogDirs,
  describeReplicaLogDirs,
  alterReplicaLogDirs,
  describeFeatures,
  updateFeatures,
  describeMetadataQuorum,
  addRaftVoter,
  removeRaftVoter,
  unregisterBroker,
  unregisterController,
  listTransactions,
  describeTransactions,
  fenceProducers,
  describeProducers,
  abortTransaction,
};
