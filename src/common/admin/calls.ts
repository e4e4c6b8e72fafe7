// Owns the list of administration calls: the arguments and the answer of each, as data for structured clone. Types only. The
// application thread names a call, and the network thread runs it.

import type Long from 'long';
import type { PlainError } from '../errors/plain-error.ts';
import type { DescribedCluster } from './cluster.ts';
import type { ConfigEntry, ConfigResource, ConfigResourceChanges, ConfigResourceType } from './configs.ts';
import type {
  CommittedOffset,
  DescribedClassicGroup,
  DescribedConsumerGroup,
  DescribedShareGroup,
  DescribedStreamsGroup,
  ListedGroups,
  MemberToRemove,
  OffsetToCommit,
  ShareGroupOffset,
  ShareGroupOffsetToSet,
} from './groups.ts';
import type {
  ActiveProducer,
  DescribedFeatures,
  DescribedLogDir,
  DescribedQuorum,
  DescribedReplicaLogDir,
  DescribedTransaction,
  FeatureUpdate,
  FencedProducer,
  ListedTransaction,
  OngoingReassignment,
  Reassignment,
  ReplicaKey,
  TransactionToAbort,
} from './operations.ts';
import type { PlainOutcome, PlainResults } from './outcome.ts';
import type {
  AclBinding,
  AclFilter,
  ClientQuota,
  DelegationToken,
  QuotaAlteration,
  QuotaEntity,
  QuotaFilter,
  ScramAlteration,
  ScramCredential,
} from './security.ts';
import type {
  CreatedTopic,
  DescribedTopic,
  ListedOffset,
  ListedTopic,
  NewPartitions,
  NewTopic,
  OffsetSpec,
  RecordsToDelete,
  TopicNameOrId,
  TopicPartitionKey,
} from './topics.ts';

export interface ChangeOptions {
  readonly validateOnly?: boolean;
  /** Whether to wait while a quota of the controller is exceeded (KIP-599). Default true. */
  readonly retryOnQuotaViolation?: boolean;
}

export interface GroupsToDescribe {
  readonly groups: readonly string[];
  readonly includeAuthorizedOperations: boolean;
}

/** Arguments and answer of each call. */
export interface AdminCalls {
  createTopics: Shape<
    ChangeOptions & { topics: readonly NewTopic[]; waitForLeaders?: boolean },
    PlainResults<string, CreatedTopic>
  >;
  deleteTopics: Shape<
    Omit<ChangeOptions, 'validateOnly'> & { topics: readonly TopicNameOrId[] },
    PlainResults<TopicNameOrId, null>
  >;
  createPartitions: Shape<ChangeOptions & { topics: readonly NewPartitions[] }, PlainResults<string, null>>;
  listTopics: Shape<{ includeInternal: boolean }, readonly ListedTopic[]>;
  describeTopics: Shape<
    { topics: readonly TopicNameOrId[]; includeAuthorizedOperations: boolean },
    PlainResults<TopicNameOrId, DescribedTopic>
  >;
  deleteRecords: Shape<{ partitions: readonly RecordsToDelete[] }, PlainResults<TopicPartitionKey, Long>>;
  listOffsets: Shape<
    { partitions: readonly (TopicPartitionKey & { at: OffsetSpec })[]; isReadCommitted: boolean },
    PlainResults<TopicPartitionKey, ListedOffset>
  >;
  describeConfigs: Shape<
    { resources: readonly ConfigResource[]; includeSynonyms: boolean; includeDocumentation: boolean },
    PlainResults<ConfigResource, readonly ConfigEntry[]>
  >;
  incrementalAlterConfigs: Shape<
    { resources: readonly ConfigResourceChanges[]; validateOnly: boolean },
    PlainResults<ConfigResource, null>
  >;
  listConfigResources: Shape<{ types: readonly ConfigResourceType[] }, readonly ConfigResource[]>;
  describeCluster: Shape<{ includeFencedBrokers: boolean; includeAuthorizedOperations: boolean }, DescribedCluster>;
  listGroups: Shape<
    { states: readonly string[]; types: readonly string[]; protocolTypes: readonly string[] },
    ListedGroups
  >;
  describeConsumerGroups: Shape<GroupsToDescribe, PlainResults<string, DescribedConsumerGroup>>;
  describeClassicGroups: Shape<GroupsToDescribe, PlainResults<string, DescribedClassicGroup>>;
  deleteGroups: Shape<{ groups: readonly string[] }, PlainResults<string, null>>;
  listConsumerGroupOffsets: Shape<
    { groups: readonly { groupId: string; partitions?: readonly TopicPartitionKey[] }[]; requireStable: boolean },
    PlainResults<string, readonly (readonly [TopicPartitionKey, PlainOutcome<CommittedOffset | null>])[]>
  >;
  alterConsumerGroupOffsets: Shape<
    { groupId: string; offsets: readonly OffsetToCommit[] },
    PlainResults<TopicPartitionKey, null>
  >;
  deleteConsumerGroupOffsets: Shape<
    { groupId: string; partitions: readonly TopicPartitionKey[] },
    PlainResults<TopicPartitionKey, null>
  >;
  removeMembersFromConsumerGroup: Shape<
    { groupId: string; members: readonly MemberToRemove[] | 'all'; reason: string },
    PlainResults<string, null>
  >;
  describeAcls: Shape<{ filter: AclFilter }, readonly AclBinding[]>;
  createAcls: Shape<{ acls: readonly AclBinding[] }, PlainResults<AclBinding, null>>;
  deleteAcls: Shape<
    { filters: readonly AclFilter[] },
    PlainResults<AclFilter, readonly (readonly [AclBinding, PlainOutcome<null>])[]>
  >;
  describeClientQuotas: Shape<{ filter: QuotaFilter }, readonly ClientQuota[]>;
  alterClientQuotas: Shape<
    { alterations: readonly QuotaAlteration[]; validateOnly: boolean },
    PlainResults<QuotaEntity, null>
  >;
  describeUserScramCredentials: Shape<
    { users: readonly string[] | null },
    PlainResults<string, readonly ScramCredential[]>
  >;
  alterUserScramCredentials: Shape<{ alterations: readonly ScramAlteration[] }, PlainResults<string, null>>;
  createDelegationToken: Shape<
    { owner: string | null; renewers: readonly string[]; maxLifetimeMs: number | bigint },
    DelegationToken
  >;
  renewDelegationToken: Shape<{ hmac: Uint8Array; renewPeriodMs: number | bigint }, Long>;
  expireDelegationToken: Shape<{ hmac: Uint8Array; expiryTimePeriodMs: number | bigint }, Long>;
  describeDelegationToken: Shape<{ owners: readonly string[] | null }, readonly DelegationToken[]>;
  describeShareGroups: Shape<GroupsToDescribe, PlainResults<string, DescribedShareGroup>>;
  listShareGroupOffsets: Shape<
    { groups: readonly { groupId: string; partitions?: readonly TopicPartitionKey[] }[] },
    PlainResults<string, readonly (readonly [TopicPartitionKey, PlainOutcome<ShareGroupOffset | null>])[]>
  >;
  alterShareGroupOffsets: Shape<
    { groupId: string; offsets: readonly ShareGroupOffsetToSet[] },
    PlainResults<TopicPartitionKey, null>
  >;
  deleteShareGroupOffsets: Shape<{ groupId: string; topics: readonly string[] }, PlainResults<string, null>>;
  describeStreamsGroups: Shape<GroupsToDescribe, PlainResults<string, DescribedStreamsGroup>>;
  electLeaders: Shape<
    { isUnclean: boolean; partitions: readonly TopicPartitionKey[] | null },
    PlainResults<TopicPartitionKey, null>
  >;
  alterPartitionReassignments: Shape<
    { reassignments: readonly Reassignment[]; allowReplicationFactorChange: boolean },
    PlainResults<TopicPartitionKey, null>
  >;
  listPartitionReassignments: Shape<
    { partitions: readonly TopicPartitionKey[] | null },
    readonly (readonly [TopicPartitionKey, OngoingReassignment])[]
  >;
  describeLogDirs: Shape<{ brokerIds: readonly number[] }, PlainResults<number, readonly DescribedLogDir[]>>;
  describeReplicaLogDirs: Shape<{ replicas: readonly ReplicaKey[] }, PlainResults<ReplicaKey, DescribedReplicaLogDir>>;
  alterReplicaLogDirs: Shape<{ moves: readonly (ReplicaKey & { path: string })[] }, PlainResults<ReplicaKey, null>>;
  describeFeatures: Shape<object, DescribedFeatures>;
  updateFeatures: Shape<{ updates: readonly FeatureUpdate[]; validateOnly: boolean }, PlainResults<string, null>>;
  describeMetadataQuorum: Shape<object, DescribedQuorum>;
  addRaftVoter: Shape<
    {
      clusterId: string | null;
      voterId: number;
      directoryId: string;
      listeners: readonly { name: string; host: string; port: number }[];
    },
    null
  >;
  removeRaftVoter: Shape<{ clusterId: string | null; voterId: number; directoryId: string }, null>;
  unregisterBroker: Shape<{ brokerId: number }, null>;
  unregisterController: Shape<{ controllerId: number }, null>;
  listTransactions: Shape<
    {
      states: readonly string[];
      producerIds: readonly (number | bigint)[];
      minDurationMs: number | null;
      transactionalIdPattern: string | null;
    },
    {
      readonly transactions: readonly ListedTransaction[];
      readonly errors: readonly { readonly brokerId: number; readonly error: PlainError }[];
    }
  >;
  describeTransactions: Shape<{ transactionalIds: readonly string[] }, PlainResults<string, DescribedTransaction>>;
  fenceProducers: Shape<{ transactionalIds: readonly string[] }, PlainResults<string, FencedProducer>>;
  describeProducers: Shape<
    { partitions: readonly TopicPartitionKey[]; brokerId: number | null },
    PlainResults<TopicPartitionKey, readonly ActiveProducer[]>
  >;
  abortTransaction: Shape<{ transaction: TransactionToAbort }, PlainResults<TopicPartitionKey, null>>;
}

interface Shape<Args, Answer> {
  readonly args: Args;
  readonly answer: Answer;
}

export type AdminCallName = keyof AdminCalls;
