// DescribeShareGroupOffsets, API key 90: shape and documentation of both messages. Read by the generator only, runs
// in no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const describeShareGroupOffsetsRequestTopic: readonly FieldRow[] = [
  ['topicName', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['partitions', '[]int32', '0+', 'Partition indexes within the topic.'],
];

const describeShareGroupOffsetsRequestGroup: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  [
    'topics',
    '[]DescribeShareGroupOffsetsRequestTopic',
    '0+',
    'Topics to look up, or null for all.',
    { nullable: '0+', fields: describeShareGroupOffsetsRequestTopic },
  ],
];

const request: readonly FieldRow[] = [
  [
    'groups',
    '[]DescribeShareGroupOffsetsRequestGroup',
    '0+',
    'Groups to look up.',
    { fields: describeShareGroupOffsetsRequestGroup },
  ],
];

const describeShareGroupOffsetsResponsePartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['startOffset', 'int64', '0+', 'First offset that is not yet done with; -1 for none.'],
  ['leaderEpoch', 'int32', '0+', 'Epoch of the leader, one more with each election; -1 for unknown.'],
  [
    'lag',
    'int64',
    '1+',
    'Records that still have to be delivered (KIP-1226); -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
];

const describeShareGroupOffsetsResponseTopic: readonly FieldRow[] = [
  ['topicName', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  [
    'partitions',
    '[]DescribeShareGroupOffsetsResponsePartition',
    '0+',
    'Partitions with their offsets.',
    { fields: describeShareGroupOffsetsResponsePartition },
  ],
];

const describeShareGroupOffsetsResponseGroup: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  [
    'topics',
    '[]DescribeShareGroupOffsetsResponseTopic',
    '0+',
    'Topics with their offsets.',
    { fields: describeShareGroupOffsetsResponseTopic },
  ],
  ['errorCode', 'int16', '0+', 'Error of the group; 0 for none.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  [
    'groups',
    '[]DescribeShareGroupOffsetsResponseGroup',
    '0+',
    'One result for each group.',
    { fields: describeShareGroupOffsetsResponseGroup },
  ],
];

export default {
  key: 90,
  name: 'DescribeShareGroupOffsets',
  doc: 'Reads the start offsets of share groups (KIP-932). Since Kafka 4.1.',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
