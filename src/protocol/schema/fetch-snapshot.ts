// FetchSnapshot, API key 59: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const snapshotId: readonly FieldRow[] = [
  ['endOffset', 'int64', '0+', 'Offset after the last one that the snapshot covers.'],
  ['epoch', 'int32', '0+', 'Leader epoch of the last record that the snapshot covers.'],
];

const requestPartitionSnapshot: readonly FieldRow[] = [
  ['partition', 'int32', '0+', 'Partition index within the topic.'],
  [
    'currentLeaderEpoch',
    'int32',
    '0+',
    'Leader epoch the client knows, for the broker to detect stale metadata (KIP-320); -1 for unknown.',
  ],
  ['snapshotId', 'SnapshotId', '0+', 'Snapshot to read.', { fields: snapshotId }],
  ['position', 'int64', '0+', 'Byte position in the snapshot to read from.'],
  [
    'replicaDirectoryId',
    'uuid',
    '1+',
    'Id of the log directory of the replica (KIP-853); all zero for none.',
    { tag: 0, tagged: '1+', ignorable: true },
  ],
];

const requestTopicSnapshot: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  [
    'partitions',
    '[]PartitionSnapshot',
    '0+',
    'Partitions to read; only partition 0.',
    { fields: requestPartitionSnapshot },
  ],
];

const request: readonly FieldRow[] = [
  [
    'clusterId',
    'string',
    '0+',
    'Id of the cluster, or null to not have it checked.',
    { nullable: '0+', default: 'null', tag: 0, tagged: '0+' },
  ],
  ['replicaId', 'int32', '0+', 'Node id of the reader; -1 for none.', { default: '-1', entity: 'brokerId' }],
  ['maxBytes', 'int32', '0+', 'Bytes of snapshot in the whole response at most.', { default: '2147483647' }],
  ['topics', '[]TopicSnapshot', '0+', 'Topics to read; only the metadata topic.', { fields: requestTopicSnapshot }],
];

const leaderIdAndEpoch: readonly FieldRow[] = [
  ['leaderId', 'int32', '0+', 'Node id of the leader; -1 for none.', { entity: 'brokerId' }],
  ['leaderEpoch', 'int32', '0+', 'Epoch of the leader, one more with each election; -1 for unknown.'],
];

const responsePartitionSnapshot: readonly FieldRow[] = [
  ['index', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
  ['snapshotId', 'SnapshotId', '0+', 'Snapshot that was read.', { fields: snapshotId }],
  [
    'currentLeader',
    'LeaderIdAndEpoch',
    '0+',
    'Leader that the broker knows instead, when it does not lead the partition itself.',
    { tag: 0, tagged: '0+', fields: leaderIdAndEpoch },
  ],
  ['size', 'int64', '0+', 'Bytes of the whole snapshot.'],
  ['position', 'int64', '0+', 'Byte position in the snapshot that the bytes start at.'],
  [
    'unalignedRecords',
    'records',
    '0+',
    'Bytes of record batches, which may begin and end in the middle of a batch: read them with `raw`.',
    { unaligned: true },
  ],
];

const responseTopicSnapshot: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  [
    'partitions',
    '[]PartitionSnapshot',
    '0+',
    'Partitions read; only partition 0.',
    { fields: responsePartitionSnapshot },
  ],
];

const nodeEndpoint: readonly FieldRow[] = [
  ['nodeId', 'int32', '1+', 'Node id of the controller.', { mapKey: true, entity: 'brokerId' }],
  ['host', 'string', '1+', 'Host name or address to connect to.'],
  ['port', 'uint16', '1+', 'TCP port to connect to.'],
];

const response: readonly FieldRow[] = [
  [
    'throttleTimeMs',
    'int32',
    '0+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  ['topics', '[]TopicSnapshot', '0+', 'Topics read; only the metadata topic.', { fields: responseTopicSnapshot }],
  [
    'nodeEndpoints',
    '[]NodeEndpoint',
    '1+',
    'Addresses of the leaders named above (KIP-853).',
    { tag: 0, tagged: '1+', fields: nodeEndpoint },
  ],
];

export default {
  key: 59,
  name: 'FetchSnapshot',
  doc: 'Reads a snapshot of the metadata log in pieces. Between controllers and brokers (KIP-630).',
  flexible: '0+',
  listeners: ['controller'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
