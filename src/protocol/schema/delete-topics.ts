// DeleteTopics, API key 20: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const deleteTopicState: readonly FieldRow[] = [
  [
    'name',
    'string',
    '6+',
    'Topic name, or null to name it by id.',
    { nullable: '6+', default: 'null', entity: 'topicName' },
  ],
  ['topicId', 'uuid', '6+', 'Topic id; all zero when named by name.'],
];

const request: readonly FieldRow[] = [
  ['topics', '[]DeleteTopicState', '6+', 'Topics to delete.', { fields: deleteTopicState }],
  ['topicNames', '[]string', '0-5', 'Names of the topics to delete.', { ignorable: true, entity: 'topicName' }],
  ['timeoutMs', 'int32', '0+', 'Milliseconds to wait until the topics are gone.'],
];

const deletableTopicResult: readonly FieldRow[] = [
  [
    'name',
    'string',
    '0+',
    'Topic name; null when the topic was named by an id that is unknown.',
    { nullable: '6+', mapKey: true, entity: 'topicName' },
  ],
  ['topicId', 'uuid', '6+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  [
    'errorMessage',
    'string',
    '5+',
    'Explanation of the error by the broker, or null.',
    { nullable: '5+', default: 'null', ignorable: true },
  ],
];

const response: readonly FieldRow[] = [
  [
    'throttleTimeMs',
    'int32',
    '1+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  ['responses', '[]DeletableTopicResult', '0+', 'One result for each topic.', { fields: deletableTopicResult }],
];

export default {
  key: 20,
  name: 'DeleteTopics',
  doc: 'Deletes topics by name, from version 6 also by id (KIP-516). Since Kafka 0.10.1 (KIP-4).',
  flexible: '4+',
  listeners: ['broker', 'controller'],
  legacy: '0',
  request: { versions: '0-6', fields: request },
  response: { versions: '0-6', fields: response },
} as const satisfies ApiTable;
