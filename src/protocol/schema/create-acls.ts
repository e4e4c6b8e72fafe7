// CreateAcls, API key 30: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const aclCreation: readonly FieldRow[] = [
  [
    'resourceType',
    'int8',
    '0+',
    'Resource type: 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.',
  ],
  ['resourceName', 'string', '0+', 'Name, or prefix of names, as resourcePatternType says; * for all.'],
  ['resourcePatternType', 'int8', '1+', 'How the name is meant: 3 literal, 4 prefix (KIP-290).', { default: '3' }],
  ['principal', 'string', '0+', 'Principal the entry is about, such as User:alice.'],
  ['host', 'string', '0+', 'Host the entry is about; * for all.'],
  [
    'operation',
    'int8',
    '0+',
    'Operation: 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, 9 and above special ones.',
  ],
  ['permissionType', 'int8', '0+', 'Permission: 2 deny, 3 allow.'],
];

const request: readonly FieldRow[] = [
  ['creations', '[]AclCreation', '0+', 'Entries to create.', { fields: aclCreation }],
];

const aclCreationResult: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the entry; 0 when created.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['results', '[]AclCreationResult', '0+', 'One result for each entry, in order.', { fields: aclCreationResult }],
];

export default {
  key: 30,
  name: 'CreateAcls',
  doc: 'Creates access control entries. Since Kafka 0.11 (KIP-140).',
  flexible: '2+',
  listeners: ['broker', 'controller'],
  legacy: '0',
  request: { versions: '0-3', fields: request },
  response: { versions: '0-3', fields: response },
} as const satisfies ApiTable;
