// FindCoordinator, API key 10: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['key', 'string', '0-3', 'Group id or transactional id, as keyType says.'],
  [
    'keyType',
    'int8',
    '1+',
    'What the keys are: 0 group ids, 1 transactional ids, 2 share partitions (KIP-932).',
    { default: '0' },
  ],
  ['coordinatorKeys', '[]string', '4+', 'Keys to look up; for share partitions written as groupId:topicId:partition.'],
];

const coordinator: readonly FieldRow[] = [
  ['key', 'string', '4+', 'Key this answers.'],
  ['nodeId', 'int32', '4+', 'Node id of the coordinator; -1 after an error.', { entity: 'brokerId' }],
  ['host', 'string', '4+', 'Host name or address to connect to.'],
  ['port', 'int32', '4+', 'TCP port to connect to.'],
  ['errorCode', 'int16', '4+', 'Error code; 0 for success.'],
  [
    'errorMessage',
    'string',
    '4+',
    'Explanation of the error by the broker, or null.',
    { nullable: '4+', ignorable: true },
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
  ['errorCode', 'int16', '0-3', 'Error code; 0 for success.'],
  [
    'errorMessage',
    'string',
    '1-3',
    'Explanation of the error by the broker, or null.',
    { nullable: '1-3', ignorable: true },
  ],
  ['nodeId', 'int32', '0-3', 'Node id of the coordinator; -1 after an error.', { entity: 'brokerId' }],
  ['host', 'string', '0-3', 'Host name or address to connect to.'],
  ['port', 'int32', '0-3', 'TCP port to connect to.'],
  ['coordinators', '[]Coordinator', '4+', 'One answer for each key asked for.', { fields: coordinator }],
];

export default {
  key: 10,
  name: 'FindCoordinator',
  doc: 'Asks which brokers coordinate groups or transactional ids, many since version 4 (KIP-699). Since Kafka 0.8.2.',
  flexible: '3+',
  listeners: ['broker'],
  request: { versions: '0-6', fields: request },
  response: { versions: '0-6', fields: response },
} as const satisfies ApiTable;
