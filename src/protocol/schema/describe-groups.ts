// DescribeGroups, API key 15: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['groups', '[]string', '0+', 'Ids of the groups to describe.', { entity: 'groupId' }],
  [
    'includeAuthorizedOperations',
    'bool',
    '3+',
    'True to get the operations this client may do on each group (KIP-430).',
  ],
];

const describedGroupMember: readonly FieldRow[] = [
  ['memberId', 'string', '0+', 'Id of the member within its group.'],
  [
    'groupInstanceId',
    'string',
    '4+',
    'Id given by configuration to a static member (KIP-345), or null.',
    { nullable: '4+', default: 'null', ignorable: true },
  ],
  ['clientId', 'string', '0+', 'Client id that the member sends in its request headers.'],
  ['clientHost', 'string', '0+', 'Host that the member connects from.'],
  ['memberMetadata', 'bytes', '0+', 'What the member sent for the strategy chosen; empty during a rebalance.'],
  ['memberAssignment', 'bytes', '0+', 'What the member got; empty during a rebalance.'],
];

const describedGroup: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the group; 0 for none.'],
  [
    'errorMessage',
    'string',
    '6+',
    'Explanation of the error by the broker, or null.',
    { nullable: '6+', default: 'null' },
  ],
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  ['groupState', 'string', '0+', 'State of the group, such as Stable or Empty; empty after an error.'],
  ['protocolType', 'string', '0+', 'Kind of group, such as consumer; empty after an error.'],
  ['protocolData', 'string', '0+', 'Strategy that the group has agreed on; empty for none.'],
  ['members', '[]DescribedGroupMember', '0+', 'Members of the group.', { fields: describedGroupMember }],
  [
    'authorizedOperations',
    'int32',
    '3+',
    'Bit per ACL operation the client may do on the group; -2147483648 when not asked for.',
    { default: '-2147483648' },
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
  ['groups', '[]DescribedGroup', '0+', 'One description for each group.', { fields: describedGroup }],
];

export default {
  key: 15,
  name: 'DescribeGroups',
  doc: 'Describes classic groups with members and assignments. Since Kafka 0.9.',
  flexible: '5+',
  listeners: ['broker'],
  request: { versions: '0-6', fields: request },
  response: { versions: '0-6', fields: response },
} as const satisfies ApiTable;
