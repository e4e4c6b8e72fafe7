// OffsetForLeaderEpoch, API key 23: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const offsetForLeaderPartition: readonly FieldRow[] = [
  ['partition', 'int32', '0+', 'Partition index within the topic.'],
  [
    'currentLeaderEpoch',
    'int32',
    '2+',
    'Leader epoch the client knows, for the broker to detect stale metadata (KIP-320); -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  ['leaderEpoch', 'int32', '0+', 'Leader epoch to look up.'],
];

const offsetForLeaderTopic: readonly FieldRow[] = [
  ['topic', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  ['partitions', '[]OffsetForLeaderPartition', '0+', 'Partitions to look up.', { fields: offsetForLeaderPartition }],
];

const request: readonly FieldRow[] = [
  [
    'replicaId',
    'int32',
    '3+',
    'Node id of a follower; -1 for a consumer, -2 for a debugging tool.',
    { default: '-2', ignorable: true, entity: 'brokerId' },
  ],
  ['topics', '[]OffsetForLeaderTopic', '0+', 'Topics to look up.', { fields: offsetForLeaderTopic }],
];

const epochEndOffset: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
  ['partition', 'int32', '0+', 'Partition index within the topic.'],
  [
    'leaderEpoch',
    'int32',
    '1+',
    'Largest leader epoch not above the one asked for; -1 for none.',
    { default: '-1', ignorable: true },
  ],
  ['endOffset', 'int64', '0+', 'Offset after the last record of that epoch; -1 for none.', { default: '-1' }],
];

const offsetForLeaderTopicResult: readonly FieldRow[] = [
  ['topic', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  ['partitions', '[]EpochEndOffset', '0+', 'Partitions looked up.', { fields: epochEndOffset }],
];

const response: readonly FieldRow[] = [
  [
    'throttleTimeMs',
    'int32',
    '2+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  ['topics', '[]OffsetForLeaderTopicResult', '0+', 'Topics looked up.', { fields: offsetForLeaderTopicResult }],
];

export default {
  key: 23,
  name: 'OffsetForLeaderEpoch',
  doc: 'Asks where leader epochs end, to detect truncation (KIP-101, for consumers KIP-320). Since Kafka 0.11.',
  flexible: '4+',
  listeners: ['broker'],
  legacy: '0-1',
  request: { versions: '0-4', fields: request },
  response: { versions: '0-4', fields: response },
} as const satisfies ApiTable;
