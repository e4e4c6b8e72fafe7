// JoinGroup, API key 11: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const joinGroupRequestProtocol: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Strategy, such as range or cooperative-sticky.', { mapKey: true }],
  [
    'metadata',
    'bytes',
    '0+',
    'What the leader needs to assign; a ConsumerProtocolSubscription with its version for consumers.',
  ],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  ['sessionTimeoutMs', 'int32', '0+', 'Milliseconds without heartbeat after which the member is taken out.'],
  [
    'rebalanceTimeoutMs',
    'int32',
    '1+',
    'Milliseconds that members have to join again in a rebalance (KIP-62); -1 for the session timeout.',
    { default: '-1', ignorable: true },
  ],
  ['memberId', 'string', '0+', 'Id the coordinator gave to this member; empty on the first call.'],
  [
    'groupInstanceId',
    'string',
    '5+',
    'Id given by configuration to a static member (KIP-345), or null.',
    { nullable: '5+', default: 'null' },
  ],
  ['protocolType', 'string', '0+', 'Kind of group, such as consumer; all members must have the same.'],
  [
    'protocols',
    '[]JoinGroupRequestProtocol',
    '0+',
    'Assignment strategies the member supports, the one it likes best first.',
    { fields: joinGroupRequestProtocol },
  ],
  [
    'reason',
    'string',
    '8+',
    'Why the member joins, for the log of the broker (KIP-800), or null.',
    { nullable: '8+', default: 'null', ignorable: true },
  ],
];

const joinGroupResponseMember: readonly FieldRow[] = [
  ['memberId', 'string', '0+', 'Id of the member within its group.'],
  [
    'groupInstanceId',
    'string',
    '5+',
    'Id given by configuration to a static member (KIP-345), or null.',
    { nullable: '5+', default: 'null', ignorable: true },
  ],
  ['metadata', 'bytes', '0+', 'What the member sent for the strategy chosen.'],
];

const response: readonly FieldRow[] = [
  [
    'throttleTimeMs',
    'int32',
    '2+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  [
    'errorCode',
    'int16',
    '0+',
    'Error code, such as 79 to call again with the member id given (KIP-394); 0 for success.',
  ],
  ['generationId', 'int32', '0+', 'Generation that this rebalance began; -1 after an error.', { default: '-1' }],
  [
    'protocolType',
    'string',
    '7+',
    'Kind of group, such as consumer, or null.',
    { nullable: '7+', default: 'null', ignorable: true },
  ],
  [
    'protocolName',
    'string',
    '0+',
    'Strategy that the group has agreed on; null or empty after an error.',
    { nullable: '7+' },
  ],
  ['leader', 'string', '0+', 'Member id of the leader of the group.'],
  [
    'skipAssignment',
    'bool',
    '9+',
    'True when the leader must not assign anew, because nothing changed (KIP-814).',
    { default: 'false' },
  ],
  ['memberId', 'string', '0+', 'Id of this member, given by the coordinator.'],
  [
    'members',
    '[]JoinGroupResponseMember',
    '0+',
    'All members, for the leader to assign; empty for the others.',
    { fields: joinGroupResponseMember },
  ],
];

export default {
  key: 11,
  name: 'JoinGroup',
  doc: 'Joins a classic group and waits for the rebalance, whose leader and generation it learns. Since Kafka 0.9.',
  flexible: '6+',
  listeners: ['broker'],
  request: { versions: '0-9', fields: request },
  response: { versions: '0-9', fields: response },
} as const satisfies ApiTable;
