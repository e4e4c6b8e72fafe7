// OffsetDelete, API key 47: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const offsetDeleteRequestPartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
];

const offsetDeleteRequestTopic: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  [
    'partitions',
    '[]OffsetDeleteRequestPartition',
    '0+',
    'Partitions whose offsets are to be deleted.',
    { fields: offsetDeleteRequestPartition },
  ],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  [
    'topics',
    '[]OffsetDeleteRequestTopic',
    '0+',
    'Topics whose offsets are to be deleted.',
    { fields: offsetDeleteRequestTopic },
  ],
];

const offsetDeleteResponsePartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.', { mapKey: true }],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 when deleted.'],
];

const offsetDeleteResponseTopic: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  [
    'partitions',
    '[]OffsetDeleteResponsePartition',
    '0+',
    'Partitions with the result.',
    { fields: offsetDeleteResponsePartition },
  ],
];

const response: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  [
    'throttleTimeMs',
    'int32',
    '0+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  ['topics', '[]OffsetDeleteResponseTopic', '0+', 'Topics with the result.', { fields: offsetDeleteResponseTopic }],
];

export default {
  key: 47,
  name: 'OffsetDelete',
  doc: 'Deletes committed offsets of a group for topics it does not read any more. Since Kafka 2.4 (KIP-496).',
  flexible: 'none',
  listeners: ['broker'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
