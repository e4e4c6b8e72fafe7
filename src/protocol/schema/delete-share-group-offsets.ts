// DeleteShareGroupOffsets, API key 92: shape and documentation of both messages. Read by the generator only, runs
// in no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const deleteShareGroupOffsetsRequestTopic: readonly FieldRow[] = [
  ['topicName', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  [
    'topics',
    '[]DeleteShareGroupOffsetsRequestTopic',
    '0+',
    'Topics to forget.',
    { fields: deleteShareGroupOffsetsRequestTopic },
  ],
];

const deleteShareGroupOffsetsResponseTopic: readonly FieldRow[] = [
  ['topicName', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  ['errorCode', 'int16', '0+', 'Error of the topic; 0 when deleted.'],
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
    '[]DeleteShareGroupOffsetsResponseTopic',
    '0+',
    'One result for each topic.',
    { fields: deleteShareGroupOffsetsResponseTopic },
  ],
];

export default {
  key: 92,
  name: 'DeleteShareGroupOffsets',
  doc: 'Deletes the offsets of an empty share group for topics (KIP-932). Since Kafka 4.1.',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
