// Heartbeat, API key 12: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  ['generationId', 'int32', '0+', 'Generation of the group, one more with each rebalance.'],
  ['memberId', 'string', '0+', 'Id of the member within its group.'],
  [
    'groupInstanceId',
    'string',
    '3+',
    'Id given by configuration to a static member (KIP-345), or null.',
    { nullable: '3+', default: 'null' },
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
  ['errorCode', 'int16', '0+', 'Error code, such as 27 to join again; 0 for success.'],
];

export default {
  key: 12,
  name: 'Heartbeat',
  doc: 'Keeps a group member alive and tells it of a rebalance by error 27. Since Kafka 0.9.',
  flexible: '4+',
  listeners: ['broker'],
  request: { versions: '0-4', fields: request },
  response: { versions: '0-4', fields: response },
} as const satisfies ApiTable;
