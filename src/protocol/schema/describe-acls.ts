// DescribeAcls, API key 29: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  [
    'resourceTypeFilter',
    'int8',
    '0+',
    'Resource type to match: 1 any, 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.',
  ],
  ['resourceNameFilter', 'string', '0+', 'Resource name to match, or null for any.', { nullable: '0+' }],
  [
    'patternTypeFilter',
    'int8',
    '1+',
    'Pattern type to match: 1 any, 2 all that apply to the name, 3 literal, 4 prefix (KIP-290).',
    { default: '3' },
  ],
  ['principalFilter', 'string', '0+', 'Principal to match, such as User:alice, or null for any.', { nullable: '0+' }],
  ['hostFilter', 'string', '0+', 'Host to match, or null for any.', { nullable: '0+' }],
  [
    'operation',
    'int8',
    '0+',
    'Operation to match: 1 any, 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, and more.',
  ],
  ['permissionType', 'int8', '0+', 'Permission to match: 1 any, 2 deny, 3 allow.'],
];

const aclDescription: readonly FieldRow[] = [
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

const describeAclsResource: readonly FieldRow[] = [
  [
    'resourceType',
    'int8',
    '0+',
    'Resource type: 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.',
  ],
  ['resourceName', 'string', '0+', 'Name, or prefix of names, as patternType says.'],
  ['patternType', 'int8', '1+', 'How the name is meant: 3 literal, 4 prefix (KIP-290).', { default: '3' }],
  ['acls', '[]AclDescription', '0+', 'Entries of the resource.', { fields: aclDescription }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
  [
    'resources',
    '[]DescribeAclsResource',
    '0+',
    'Resources with their matching entries.',
    { fields: describeAclsResource },
  ],
];

export default {
  key: 29,
  name: 'DescribeAcls',
  doc: 'Lists access control entries that match a filter. Since Kafka 0.11 (KIP-140).',
  flexible: '2+',
  listeners: ['broker', 'controller'],
  legacy: '0',
  request: { versions: '0-3', fields: request },
  response: { versions: '0-3', fields: response },
} as const satisfies ApiTable;
