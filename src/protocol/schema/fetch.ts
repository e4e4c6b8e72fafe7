// Fetch, API key 1: shape and documentation of both messages. Read by the generator only, runs in no thread; facts
// and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const replicaState: readonly FieldRow[] = [
  ['replicaId', 'int32', '15+', 'Node id of a follower; -1 for a consumer.', { default: '-1', entity: 'brokerId' }],
  ['replicaEpoch', 'int64', '15+', 'Broker epoch of the follower; -1 for none.', { default: '-1' }],
];

const fetchPartition: readonly FieldRow[] = [
  ['partition', 'int32', '0+', 'Partition index within the topic.'],
  [
    'currentLeaderEpoch',
    'int32',
    '9+',
    'Leader epoch the client knows, for the broker to detect stale metadata (KIP-320); -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  ['fetchOffset', 'int64', '0+', 'Offset of the first record wanted.'],
  [
    'lastFetchedEpoch',
    'int32',
    '12+',
    'Leader epoch of the last record read, to detect truncation (KIP-595); -1 for unknown.',
    { default: '-1' },
  ],
  [
    'logStartOffset',
    'int64',
    '5+',
    'Lowest offset of the follower; -1 from consumers.',
    { default: '-1', ignorable: true },
  ],
  [
    'partitionMaxBytes',
    'int32',
    '0+',
    'Bytes of records of this partition at most; the first batch comes even when it is larger.',
  ],
  [
    'replicaDirectoryId',
    'uuid',
    '17+',
    'Id of the log directory of the replica (KIP-853); all zero for none.',
    { tag: 0, tagged: '17+', ignorable: true },
  ],
  [
    'highWatermark',
    'int64',
    '18+',
    'High watermark the follower knows (KIP-1166); the default means unknown.',
    { default: '9223372036854775807', tag: 1, tagged: '18+', ignorable: true },
  ],
];

const fetchTopic: readonly FieldRow[] = [
  ['topic', 'string', '0-12', 'Name of the topic; case matters.', { ignorable: true, entity: 'topicName' }],
  ['topicId', 'uuid', '13+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  ['partitions', '[]FetchPartition', '0+', 'Partitions to read.', { fields: fetchPartition }],
];

const forgottenTopic: readonly FieldRow[] = [
  ['topic', 'string', '7-12', 'Name of the topic; case matters.', { ignorable: true, entity: 'topicName' }],
  ['topicId', 'uuid', '13+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  ['partitions', '[]int32', '7+', 'Partition indexes to take out.'],
];

const request: readonly FieldRow[] = [
  [
    'clusterId',
    'string',
    '12+',
    'Cluster the sender believes in, or null; checked only between controllers.',
    { nullable: '12+', default: 'null', tag: 0, tagged: '12+', ignorable: true },
  ],
  ['replicaId', 'int32', '0-14', 'Node id of a follower; -1 for a consumer.', { default: '-1', entity: 'brokerId' }],
  [
    'replicaState',
    'ReplicaState',
    '15+',
    'Identity of a follower; left out by consumers (KIP-903).',
    { tag: 1, tagged: '15+', fields: replicaState },
  ],
  ['maxWaitMs', 'int32', '0+', 'Milliseconds the broker may wait for minBytes to gather.'],
  ['minBytes', 'int32', '0+', 'Bytes to gather before the broker answers; 0 to answer at once.'],
  [
    'maxBytes',
    'int32',
    '3+',
    'Bytes of records in the whole response at most; the first batch comes even when it is larger (KIP-74).',
    { default: '2147483647', ignorable: true },
  ],
  [
    'isolationLevel',
    'int8',
    '4+',
    '0 reads all records (read uncommitted), 1 only below the last stable offset, aborted ones listed apart.',
    { default: '0', ignorable: true },
  ],
  ['sessionId', 'int32', '7+', 'Fetch session to continue; 0 for none (KIP-227).', { default: '0', ignorable: true }],
  [
    'sessionEpoch',
    'int32',
    '7+',
    'Position in the session: 0 opens one, -1 goes without or closes it, else one more than in the last request.',
    { default: '-1', ignorable: true },
  ],
  [
    'topics',
    '[]FetchTopic',
    '0+',
    'Topics to read; within a session, those that are new or changed.',
    { fields: fetchTopic },
  ],
  [
    'forgottenTopicsData',
    '[]ForgottenTopic',
    '7+',
    'Topics with partitions to take out of the session.',
    { fields: forgottenTopic },
  ],
  [
    'rackId',
    'string',
    '11+',
    'Rack or zone of the consumer, to read from a replica nearby (KIP-392); empty for none.',
    { default: '', ignorable: true },
  ],
];

const epochEndOffset: readonly FieldRow[] = [
  ['epoch', 'int32', '12+', 'Leader epoch; -1 for none.', { default: '-1' }],
  ['endOffset', 'int64', '12+', 'Offset after the last record of that epoch; -1 for unknown.', { default: '-1' }],
];

const leaderIdAndEpoch: readonly FieldRow[] = [
  ['leaderId', 'int32', '12+', 'Node id of the leader; -1 for unknown.', { default: '-1', entity: 'brokerId' }],
  [
    'leaderEpoch',
    'int32',
    '12+',
    'Epoch of the leader, one more with each election; -1 for unknown.',
    { default: '-1' },
  ],
];

const snapshotId: readonly FieldRow[] = [
  ['endOffset', 'int64', '0+', 'Offset after the last one that the snapshot covers; -1 for none.', { default: '-1' }],
  ['epoch', 'int32', '0+', 'Leader epoch of the last record that the snapshot covers; -1 for none.', { default: '-1' }],
];

const abortedTransaction: readonly FieldRow[] = [
  ['producerId', 'int64', '4+', 'Id of the producer that aborted.', { entity: 'producerId' }],
  ['firstOffset', 'int64', '4+', 'Offset of the first record of the transaction.'],
];

const partitionData: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
  ['highWatermark', 'int64', '0+', 'Offset after the last record replicated to all in-sync replicas.'],
  [
    'lastStableOffset',
    'int64',
    '4+',
    'Offset below which all transactions are decided; what read committed consumers may read up to.',
    { default: '-1', ignorable: true },
  ],
  ['logStartOffset', 'int64', '5+', 'Lowest offset of the log; -1 for unknown.', { default: '-1', ignorable: true }],
  [
    'divergingEpoch',
    'EpochEndOffset',
    '12+',
    'Set when the log parts from what the reader has: largest epoch both can share, and where it ends (KIP-595).',
    { tag: 0, tagged: '12+', fields: epochEndOffset },
  ],
  [
    'currentLeader',
    'LeaderIdAndEpoch',
    '12+',
    'Leader that the broker knows instead, when it does not lead the partition itself.',
    { tag: 1, tagged: '12+', fields: leaderIdAndEpoch },
  ],
  [
    'snapshotId',
    'SnapshotId',
    '12+',
    'Snapshot to fetch instead, for a follower that lags behind the start of the log (KIP-630).',
    { tag: 2, tagged: '12+', fields: snapshotId },
  ],
  [
    'abortedTransactions',
    '[]AbortedTransaction',
    '4+',
    'Aborted transactions in the range read, whose records read committed consumers skip; null when not asked.',
    { nullable: '4+', ignorable: true, fields: abortedTransaction },
  ],
  [
    'preferredReadReplica',
    'int32',
    '11+',
    'Node id of a replica to read from next time (KIP-392); -1 for the leader.',
    { default: '-1', entity: 'brokerId' },
  ],
  [
    'records',
    'records',
    '0+',
    'Record batches; the last one may be cut off. Null or empty for none.',
    { nullable: '0+' },
  ],
];

const fetchableTopicResponse: readonly FieldRow[] = [
  ['topic', 'string', '0-12', 'Name of the topic; case matters.', { ignorable: true, entity: 'topicName' }],
  ['topicId', 'uuid', '13+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  [
    'partitions',
    '[]PartitionData',
    '0+',
    'Partitions of the topic that have something to tell.',
    { fields: partitionData },
  ],
];

const nodeEndpoint: readonly FieldRow[] = [
  ['nodeId', 'int32', '16+', 'Node id of the broker.', { mapKey: true, entity: 'brokerId' }],
  ['host', 'string', '16+', 'Host name or address to connect to.'],
  ['port', 'int32', '16+', 'TCP port to connect to.'],
  ['rack', 'string', '16+', 'Rack or zone of the broker, or null.', { nullable: '16+', default: 'null' }],
];

const response: readonly FieldRow[] = [
  [
    'throttleTimeMs',
    'int32',
    '1+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  [
    'errorCode',
    'int16',
    '7+',
    'Error of the whole request, such as 70 for an unknown session; 0 for none.',
    { ignorable: true },
  ],
  ['sessionId', 'int32', '7+', 'Session to name in the next request; 0 when there is none.', { default: '0' }],
  [
    'responses',
    '[]FetchableTopicResponse',
    '0+',
    'Topics with records or news; within a session only those.',
    { fields: fetchableTopicResponse },
  ],
  [
    'nodeEndpoints',
    '[]NodeEndpoint',
    '16+',
    'Addresses of the leaders named above, so that the client needs no metadata request (KIP-951).',
    { tag: 0, tagged: '16+', fields: nodeEndpoint },
  ],
];

export default {
  key: 1,
  name: 'Fetch',
  doc: 'Reads records from the leader or a follower, in sessions since version 7 (KIP-227). Since Kafka 0.8.',
  flexible: '12+',
  listeners: ['broker', 'controller'],
  legacy: '0-3',
  request: { versions: '0-18', fields: request },
  response: { versions: '0-18', fields: response },
} as const satisfies ApiTable;
