// SyncGroup, API key 14: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const syncGroupRequestAssignment: readonly FieldRow[] = [
  ['memberId', 'string', '0+', 'Id of the member within its group.'],
  ['assignment', 'bytes', '0+', 'What the member gets; a ConsumerProtocolAssignment with its version for consumers.'],
];

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
  [
    'protocolType',
    'string',
    '5+',
    'Kind of group the member believes in, to be checked (KIP-559), or null.',
    { nullable: '5+', default: 'null', ignorable: true },
  ],
  [
    'protocolName',
    'string',
    '5+',
    'Strategy the member believes in, to be checked (KIP-559), or null.',
    { nullable: '5+', default: 'null', ignorable: true },
  ],
  [
    'assignments',
    '[]SyncGroupRequestAssignment',
    '0+',
    'Assignments of all members from the leader; empty from the others.',
    { fields: syncGroupRequestAssignment },
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
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  [
    'protocolType',
    'string',
    '5+',
    'Kind of group, such as consumer, or null.',
    { nullable: '5+', default: 'null', ignorable: true },
  ],
  [
    'protocolName',
    'string',
    '5+',
    'Strategy of the group, or null.',
    { nullable: '5+', default: 'null', ignorable: true },
  ],
  ['assignment', 'bytes', '0+', 'What this member gets; a ConsumerProtocolAssignment with its version for consumers.'],
];

export default {
  key: 14,
  name: 'SyncGroup',
  doc: 'Ends a rebalance: the leader hands in all assignments, every member gets its own. Since Kafka 0.9.',
  flexible: '4+',
  listeners: ['broker'],
  request: { versions: '0-5', fields: request },
  response: { versions: '0-5', fields: response },
} as const satisfies ApiTable;
