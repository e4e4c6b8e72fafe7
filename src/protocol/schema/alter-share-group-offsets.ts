// AlterShareGroupOffsets, API key 91: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const alterShareGroupOffsetsRequestPartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['startOffset', 'int64', '0+', 'Offset to go on from.'],
];

const alterShareGroupOffsetsRequestTopic: readonly FieldRow[] = [
  ['topicName', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  [
    'partitions',
    '[]AlterShareGroupOffsetsRequestPartition',
    '0+',
    'Partitions to set offsets for.',
    { fields: alterShareGroupOffsetsRequestPartition },
  ],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  [
    'topics',
    '[]AlterShareGroupOffsetsRequestTopic',
    '0+',
    'Topics to set offsets for.',
    { fields: alterShareGroupOffsetsRequestTopic },
  ],
];

const alterShareGroupOffsetsResponsePartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
];

const alterShareGroupOffsetsResponseTopic: readonly FieldRow[] = [
  ['topicName', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  [
    'partitions',
    '[]AlterShareGroupOffsetsResponsePartition',
    '0+',
    'Partitions with the results.',
    { fields: alterShareGroupOffsetsResponsePartition },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
  [
    'responses',
    '[]AlterShareGroupOffsetsResponseTopic',
    '0+',
    'Topics with the results.',
    { fields: alterShareGroupOffsetsResponseTopic },
  ],
];

export default {
  key: 91,
  name: 'AlterShareGroupOffsets',
  doc: 'Sets the start offsets of an empty share group (KIP-932). Since Kafka 4.1.',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
