// LeaveGroup, API key 13: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const memberIdentity: readonly FieldRow[] = [
  ['memberId', 'string', '3+', 'Id of the member; empty to name a static member by its instance id alone.'],
  [
    'groupInstanceId',
    'string',
    '3+',
    'Id given by configuration to a static member, or null.',
    { nullable: '3+', default: 'null' },
  ],
  [
    'reason',
    'string',
    '5+',
    'Why the member leaves, for the log of the broker (KIP-800), or null.',
    { nullable: '5+', default: 'null', ignorable: true },
  ],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  ['memberId', 'string', '0-2', 'Id of the member that leaves.'],
  ['members', '[]MemberIdentity', '3+', 'Members that leave.', { fields: memberIdentity }],
];

const memberResponse: readonly FieldRow[] = [
  ['memberId', 'string', '3+', 'Id of the member as in the request.'],
  ['groupInstanceId', 'string', '3+', 'Id of the static member as in the request, or null.', { nullable: '3+' }],
  ['errorCode', 'int16', '3+', 'Error of the member; 0 when it left.'],
];

const response: readonly FieldRow[] = [
  [
    'throttleTimeMs',
    'int32',
    '1+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  ['members', '[]MemberResponse', '3+', 'One result for each member.', { fields: memberResponse }],
];

export default {
  key: 13,
  name: 'LeaveGroup',
  doc: 'Takes members out of a group, from version 3 several, static ones included (KIP-345). Since Kafka 0.9.',
  flexible: '4+',
  listeners: ['broker'],
  request: { versions: '0-5', fields: request },
  response: { versions: '0-5', fields: response },
} as const satisfies ApiTable;
