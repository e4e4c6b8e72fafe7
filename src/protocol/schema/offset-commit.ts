// OffsetCommit, API key 8: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const offsetCommitRequestPartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['committedOffset', 'int64', '0+', 'Offset of the next record to read.'],
  [
    'committedLeaderEpoch',
    'int32',
    '6+',
    'Leader epoch of the last record read (KIP-320); -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  [
    'commitTimestamp',
    'int64',
    '1',
    'Time of the commit in Unix milliseconds; -1 for the time the broker gets it.',
    { default: '-1' },
  ],
  ['committedMetadata', 'string', '0+', 'Free text stored with the offset, or null.', { nullable: '0+' }],
];

const offsetCommitRequestTopic: readonly FieldRow[] = [
  ['name', 'string', '0-9', 'Name of the topic; case matters.', { ignorable: true, entity: 'topicName' }],
  ['topicId', 'uuid', '10+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  [
    'partitions',
    '[]OffsetCommitRequestPartition',
    '0+',
    'Partitions to commit.',
    { fields: offsetCommitRequestPartition },
  ],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  [
    'generationIdOrMemberEpoch',
    'int32',
    '1+',
    'Generation of a classic group, member epoch of a consumer group (KIP-848); -1 from outside of the group.',
    { default: '-1', ignorable: true },
  ],
  ['memberId', 'string', '1+', 'Id of the member; empty from outside of the group.', { ignorable: true }],
  [
    'groupInstanceId',
    'string',
    '7+',
    'Id given by configuration to a static member (KIP-345), or null.',
    { nullable: '7+', default: 'null' },
  ],
  [
    'retentionTimeMs',
    'int64',
    '2-4',
    'Milliseconds to keep the offsets; -1 for the setting of the broker.',
    { default: '-1', ignorable: true },
  ],
  ['topics', '[]OffsetCommitRequestTopic', '0+', 'Topics to commit.', { fields: offsetCommitRequestTopic }],
];

const offsetCommitResponsePartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 when committed.'],
];

const offsetCommitResponseTopic: readonly FieldRow[] = [
  ['name', 'string', '0-9', 'Name of the topic; case matters.', { ignorable: true, entity: 'topicName' }],
  ['topicId', 'uuid', '10+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  [
    'partitions',
    '[]OffsetCommitResponsePartition',
    '0+',
    'Partitions committed.',
    { fields: offsetCommitResponsePartition },
  ],
];

const response: readonly FieldRow[] = [
  [
    'throttleTimeMs',
    'int32',
    '3+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  ['topics', '[]OffsetCommitResponseTopic', '0+', 'Topics committed.', { fields: offsetCommitResponseTopic }],
];

export default {
  key: 8,
  name: 'OffsetCommit',
  doc: 'Stores positions of a group with its coordinator. Since Kafka 0.8.1; version 0 stored them in ZooKeeper.',
  flexible: '8+',
  listeners: ['broker'],
  legacy: '0-1',
  request: { versions: '0-10', fields: request },
  response: { versions: '0-10', fields: response },
} as const satisfies ApiTable;
