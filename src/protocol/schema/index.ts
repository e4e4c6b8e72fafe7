// The list of all tables, in the order a client meets them. Read by the generator and tests only, runs in no thread; a
// table that is not listed here does not exist for anyone.

import abortedTxn from './aborted-txn.ts';
import addOffsetsToTxn from './add-offsets-to-txn.ts';
import addPartitionsToTxn from './add-partitions-to-txn.ts';
import addRaftVoter from './add-raft-voter.ts';
import allocateProducerIds from './allocate-producer-ids.ts';
import alterClientQuotas from './alter-client-quotas.ts';
import alterConfigs from './alter-configs.ts';
import alterPartition from './alter-partition.ts';
import alterPartitionReassignments from './alter-partition-reassignments.ts';
import alterReplicaLogDirs from './alter-replica-log-dirs.ts';
import alterShareGroupOffsets from './alter-share-group-offsets.ts';
import alterUserScramCredentials from './alter-user-scram-credentials.ts';
import apiVersions from './api-versions.ts';
import assignReplicasToDirs from './assign-replicas-to-dirs.ts';
import beginQuorumEpoch from './begin-quorum-epoch.ts';
import brokerHeartbeat from './broker-heartbeat.ts';
import brokerRegistration from './broker-registration.ts';
import consumerGroupDescribe from './consumer-group-describe.ts';
import consumerGroupHeartbeat from './consumer-group-heartbeat.ts';
import consumerProtocolAssignment from './consumer-protocol-assignment.ts';
import consumerProtocolSubscription from './consumer-protocol-subscription.ts';
import controlRecordTypeSchema from './control-record-type-schema.ts';
import controlledShutdown from './controlled-shutdown.ts';
import controllerRegistration from './controller-registration.ts';
import createAcls from './create-acls.ts';
import createDelegationToken from './create-delegation-token.ts';
import createPartitions from './create-partitions.ts';
import createTopics from './create-topics.ts';
import defaultPrincipalData from './default-principal-data.ts';
import deleteAcls from './delete-acls.ts';
import deleteGroups from './delete-groups.ts';
import deleteRecords from './delete-records.ts';
import deleteShareGroupOffsets from './delete-share-group-offsets.ts';
import deleteShareGroupState from './delete-share-group-state.ts';
import deleteTopics from './delete-topics.ts';
import describeAcls from './describe-acls.ts';
import describeClientQuotas from './describe-client-quotas.ts';
import describeCluster from './describe-cluster.ts';
import describeConfigs from './describe-configs.ts';
import describeDelegationToken from './describe-delegation-token.ts';
import describeGroups from './describe-groups.ts';
import describeLogDirs from './describe-log-dirs.ts';
import describeProducers from './describe-producers.ts';
import describeQuorum from './describe-quorum.ts';
import describeShareGroupOffsets from './describe-share-group-offsets.ts';
import describeTopicPartitions from './describe-topic-partitions.ts';
import describeTransactions from './describe-transactions.ts';
import describeUserScramCredentials from './describe-user-scram-credentials.ts';
import electLeaders from './elect-leaders.ts';
import endQuorumEpoch from './end-quorum-epoch.ts';
import endTxn from './end-txn.ts';
import endTxnMarker from './end-txn-marker.ts';
import envelope from './envelope.ts';
import expireDelegationToken from './expire-delegation-token.ts';
import fetch from './fetch.ts';
import fetchSnapshot from './fetch-snapshot.ts';
import findCoordinator from './find-coordinator.ts';
import getTelemetrySubscriptions from './get-telemetry-subscriptions.ts';
import heartbeat from './heartbeat.ts';
import incrementalAlterConfigs from './incremental-alter-configs.ts';
import initProducerId from './init-producer-id.ts';
import initializeShareGroupState from './initialize-share-group-state.ts';
import joinGroup from './join-group.ts';
import kRaftVersionRecord from './k-raft-version-record.ts';
import leaderAndIsr from './leader-and-isr.ts';
import leaderChangeMessage from './leader-change-message.ts';
import leaveGroup from './leave-group.ts';
import listConfigResources from './list-config-resources.ts';
import listGroups from './list-groups.ts';
import listOffsets from './list-offsets.ts';
import listPartitionReassignments from './list-partition-reassignments.ts';
import listTransactions from './list-transactions.ts';
import metadata from './metadata.ts';
import offsetCommit from './offset-commit.ts';
import offsetDelete from './offset-delete.ts';
import offsetFetch from './offset-fetch.ts';
import offsetForLeaderEpoch from './offset-for-leader-epoch.ts';
import produce from './produce.ts';
import pushTelemetry from './push-telemetry.ts';
import readShareGroupState from './read-share-group-state.ts';
import readShareGroupStateSummary from './read-share-group-state-summary.ts';
import removeRaftVoter from './remove-raft-voter.ts';
import renewDelegationToken from './renew-delegation-token.ts';
import requestHeader from './request-header.ts';
import responseHeader from './response-header.ts';
import saslAuthenticate from './sasl-authenticate.ts';
import saslHandshake from './sasl-handshake.ts';
import type { ApiTable, DataTable } from './schema.ts';
import shareAcknowledge from './share-acknowledge.ts';
import shareFetch from './share-fetch.ts';
import shareGroupDescribe from './share-group-describe.ts';
import shareGroupHeartbeat from './share-group-heartbeat.ts';
import snapshotFooterRecord from './snapshot-footer-record.ts';
import snapshotHeaderRecord from './snapshot-header-record.ts';
import stopReplica from './stop-replica.ts';
import streamsGroupDescribe from './streams-group-describe.ts';
import streamsGroupHeartbeat from './streams-group-heartbeat.ts';
import streamsGroupTopologyDescriptionUpdate from './streams-group-topology-description-update.ts';
import syncGroup from './sync-group.ts';
import txnOffsetCommit from './txn-offset-commit.ts';
import unregisterBroker from './unregister-broker.ts';
import unregisterController from './unregister-controller.ts';
import updateFeatures from './update-features.ts';
import updateMetadata from './update-metadata.ts';
import updateRaftVoter from './update-raft-voter.ts';
import vote from './vote.ts';
import votersRecord from './voters-record.ts';
import writeShareGroupState from './write-share-group-state.ts';
import writeTxnMarkers from './write-txn-markers.ts';

export type * from './schema.ts';

/** Every API the client can speak: one table for request and response together. */
export const apis: readonly ApiTable[] = [
  apiVersions,
  metadata,
  produce,
  fetch,
  listOffsets,
  findCoordinator,
  createTopics,
  deleteTopics,
  joinGroup,
  syncGroup,
  heartbeat,
  leaveGroup,
  offsetCommit,
  offsetFetch,
  initProducerId,
  addPartitionsToTxn,
  addOffsetsToTxn,
  endTxn,
  txnOffsetCommit,
  saslHandshake,
  saslAuthenticate,
  listGroups,
  describeGroups,
  describeConfigs,
  alterConfigs,
  incrementalAlterConfigs,
  createPartitions,
  deleteRecords,
  offsetForLeaderEpoch,
  deleteGroups,
  offsetDelete,
  describeCluster,
  describeTopicPartitions,
  consumerGroupHeartbeat,
  consumerGroupDescribe,
  getTelemetrySubscriptions,
  pushTelemetry,
  describeAcls,
  createAcls,
  deleteAcls,
  electLeaders,
  alterPartitionReassignments,
  listPartitionReassignments,
  describeClientQuotas,
  alterClientQuotas,
  describeUserScramCredentials,
  alterUserScramCredentials,
  describeProducers,
  describeTransactions,
  listTransactions,
  createDelegationToken,
  renewDelegationToken,
  expireDelegationToken,
  describeDelegationToken,
  alterReplicaLogDirs,
  describeLogDirs,
  updateFeatures,
  listConfigResources,
  shareGroupHeartbeat,
  shareGroupDescribe,
  shareFetch,
  shareAcknowledge,
  describeShareGroupOffsets,
  alterShareGroupOffsets,
  deleteShareGroupOffsets,
  streamsGroupHeartbeat,
  streamsGroupDescribe,
  streamsGroupTopologyDescriptionUpdate,
  leaderAndIsr,
  stopReplica,
  updateMetadata,
  controlledShutdown,
  writeTxnMarkers,
  vote,
  beginQuorumEpoch,
  endQuorumEpoch,
  describeQuorum,
  alterPartition,
  envelope,
  fetchSnapshot,
  brokerRegistration,
  brokerHeartbeat,
  unregisterBroker,
  unregisterController,
  allocateProducerIds,
  controllerRegistration,
  assignReplicasToDirs,
  addRaftVoter,
  removeRaftVoter,
  updateRaftVoter,
  initializeShareGroupState,
  readShareGroupState,
  writeShareGroupState,
  deleteShareGroupState,
  readShareGroupStateSummary,
];

/** Headers, and data that travels as bytes inside other messages or as control records. */
export const dataMessages: readonly DataTable[] = [
  requestHeader,
  responseHeader,
  abortedTxn,
  consumerProtocolAssignment,
  consumerProtocolSubscription,
  controlRecordTypeSchema,
  defaultPrincipalData,
  endTxnMarker,
  kRaftVersionRecord,
  leaderChangeMessage,
  snapshotFooterRecord,
  snapshotHeaderRecord,
  votersRecord,
];
