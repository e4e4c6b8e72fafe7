// Errors that are made from the error codes in responses.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { projectFolder } from '../../../../scripts/project.ts';
import * as errors from '../../../../src/common/errors/errors.ts';
import { errorRows } from '../../../../src/protocol/schema/errors.ts';

const { BrokerError, brokerErrorClasses, errorFor, KafkaClientError, UnknownError } = errors;

/** Classes of codes 1 to 127 less their `Error`, as kafka-python names them. */
const referenceNames =
  `OffsetOutOfRange CorruptRecord UnknownTopicOrPartition InvalidFetchRequest LeaderNotAvailable NotLeaderForPartition
  RequestTimedOut BrokerNotAvailable ReplicaNotAvailable MessageSizeTooLarge StaleControllerEpoch
  OffsetMetadataTooLarge NetworkException CoordinatorLoadInProgress CoordinatorNotAvailable NotCoordinator
  InvalidTopic RecordListTooLarge NotEnoughReplicas NotEnoughReplicasAfterAppend InvalidRequiredAcks IllegalGeneration
  InconsistentGroupProtocol InvalidGroupId UnknownMemberId InvalidSessionTimeout RebalanceInProgress
  InvalidCommitOffsetSize TopicAuthorizationFailed GroupAuthorizationFailed ClusterAuthorizationFailed
  InvalidTimestamp UnsupportedSaslMechanism IllegalSaslState UnsupportedVersion TopicAlreadyExists InvalidPartitions
  InvalidReplicationFactor InvalidReplicationAssignment InvalidConfiguration NotController InvalidRequest
  UnsupportedForMessageFormat PolicyViolation OutOfOrderSequenceNumber DuplicateSequenceNumber InvalidProducerEpoch
  InvalidTxnState InvalidProducerIdMapping InvalidTransactionTimeout ConcurrentTransactions
  TransactionCoordinatorFenced TransactionalIdAuthorizationFailed SecurityDisabled OperationNotAttempted KafkaStorage
  LogDirNotFound SaslAuthenticationFailed UnknownProducerId ReassignmentInProgress DelegationTokenAuthDisabled
  DelegationTokenNotFound DelegationTokenOwnerMismatch DelegationTokenRequestNotAllowed
  DelegationTokenAuthorizationFailed DelegationTokenExpired InvalidPrincipalType NonEmptyGroup GroupIdNotFound
  FetchSessionIdNotFound InvalidFetchSessionEpoch ListenerNotFound TopicDeletionDisabled FencedLeaderEpoch
  UnknownLeaderEpoch UnsupportedCompressionType StaleBrokerEpoch OffsetNotAvailable MemberIdRequired
  PreferredLeaderNotAvailable GroupMaxSizeReached FencedInstanceId EligibleLeadersNotAvailable ElectionNotNeeded
  NoReassignmentInProgress GroupSubscribedToTopic InvalidRecord UnstableOffsetCommit ThrottlingQuotaExceeded
  ProducerFenced ResourceNotFound DuplicateResource UnacceptableCredential InconsistentVoterSet InvalidUpdateVersion
  FeatureUpdateFailed PrincipalDeserializationFailure SnapshotNotFound PositionOutOfRange UnknownTopicId
  DuplicateBrokerRegistration BrokerIdNotRegistered InconsistentTopicId InconsistentClusterId TransactionalIdNotFound
  FetchSessionTopicId IneligibleReplica NewLeaderElected OffsetMovedToTieredStorage FencedMemberEpoch
  UnreleasedInstanceId UnsupportedAssignor StaleMemberEpoch MismatchedEndpointType UnsupportedEndpointType
  UnknownControllerId UnknownSubscriptionId TelemetryTooLarge InvalidRegistration TransactionAbortable
  InvalidRecordState ShareSessionNotFound InvalidShareSessionEpoch FencedStateEpoch InvalidVoterKey DuplicateVoter
  VoterNotFound`.split(/\s+/);
describe('errorFor', () => {
  it('gives codes 1 to 127 the classes of the reference', () => {
    assert.equal(referenceNames.length, 127);
    for (const [i, name] of referenceNames.entries()) {
      const code = i + 1;
      assert.equal(errorFor(code)!.name, `${name}Error`, String(code));
    }
  });

  it('returns null for success', () => {
    assert.equal(errorFor(0), null);
  });

  it('gives name, number and advice', () => {
    const error = errorFor(6);
    assert.ok(error instanceof BrokerError && error instanceof KafkaClientError);
    assert.ok(error instanceof errors.NotLeaderForPartitionError);
    assert.equal(error.name, 'NotLeaderForPartitionError');
    assert.equal(error.errorName, 'NOT_LEADER_OR_FOLLOWER');
    assert.equal(error.code, 'KAFKA_NOT_LEADER_OR_FOLLOWER');
    assert.equal(error.errorCode, 6);
    assert.equal(error.retriable, true);
    assert.equal(error.invalidMetadata, true);
    assert.match(error.message, /^\[Error 6\] NotLeaderForPartitionError: /);
    assert.equal(errorFor(-1)?.name, 'UnknownError');
    assert.equal(errorFor(29)?.retriable, false);
  });

  it('keeps the number of an unknown code, which is not retriable', () => {
    const error = errorFor(9999);
    assert.ok(error instanceof UnknownError);
    assert.equal(error.errorName, 'UNKNOWN');
    assert.equal(error?.errorCode, 9999);
    assert.equal(error?.retriable, false);
    assert.match(error?.message ?? '', /9999/);
  });

  it("has a row for every code of the newest Kafka, with the name and flags of Kafka's classes", () => {
    const facts = JSON.parse(readFileSync(join(projectFolder, 'test/fixtures/errors.json'), 'utf8')) as unknown[];
    assert.ok(facts.length >= 138);
    assert.deepEqual(
      errorRows.map(({ code, name, retriable, invalidMetadata }) => ({ code, name, retriable, invalidMetadata })),
      facts,
    );
  });

  it('has a class for every row of the table, with its number, name and flags', () => {
    const rows = errorRows.filter(({ code }) => code !== 0);
    assert.ok(rows.length >= 137);
    assert.equal(brokerErrorClasses.size, rows.length);
    for (const row of rows) {
      const error = errorFor(row.code)!;
      assert.equal(error.name, row.className);
      assert.equal(error.constructor, (errors as Record<string, unknown>)[row.className]);
      assert.equal(error.errorCode, row.code);
      assert.equal(error.errorName, row.name);
      assert.equal(error.retriable, row.retriable);
      assert.equal(error.invalidMetadata, row.invalidMetadata);
      assert.equal(error instanceof errors.AuthorizationError, row.isAuthorization);
      assert.match(row.message, /^[A-Z].{5,}/);
    }
    assert.deepEqual(
      rows.filter((row) => row.isAuthorization).map(({ code }) => code),
      [29, 30, 31, 53, 65],
    );
  });
});
