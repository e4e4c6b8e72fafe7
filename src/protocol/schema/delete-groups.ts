// DeleteGroups, API key 42: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['groupsNames', '[]string', '0+', 'Ids of the groups to delete.', { entity: 'groupId' }],
];

const deletableGroupResult: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { mapKey: true, entity: 'groupId' }],
  ['errorCode', 'int16', '0+', 'Error of the group; 0 when deleted.'],
  [
    'errorMessage',
    'string',
    '3+',
    'Explanation of the error by the broker, or null.',
    { nullable: '3+', default: 'null', ignorable: true },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['results', '[]DeletableGroupResult', '0+', 'One result for each group.', { fields: deletableGroupResult }],
];

export default {
  key: 42,
  name: 'DeleteGroups',
  doc: 'Deletes empty groups with their offsets. Since Kafka 1.1 (KIP-229).',
  flexible: '2+',
  listeners: ['broker'],
  request: { versions: '0-3', fields: request },
  response: { versions: '0-3', fields: response },
} as const satisfies ApiTable;
