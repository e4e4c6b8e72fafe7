// ListGroups, API key 16: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['statesFilter', '[]string', '4+', 'States of the groups wanted, such as Stable (KIP-518); empty for all.'],
  ['typesFilter', '[]string', '5+', 'Types of the groups wanted, such as consumer (KIP-848); empty for all.'],
];

const listedGroup: readonly FieldRow[] = [
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  ['protocolType', 'string', '0+', 'Kind of group, such as consumer; empty when offsets are all it has.'],
  ['groupState', 'string', '4+', 'State of the group, such as Stable or Empty.', { ignorable: true }],
  ['groupType', 'string', '5+', 'Type of the group: classic, consumer, share or streams.', { ignorable: true }],
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
  ['groups', '[]ListedGroup', '0+', 'Groups that this broker coordinates.', { fields: listedGroup }],
];

export default {
  key: 16,
  name: 'ListGroups',
  doc: 'Lists the groups that a broker coordinates; ask every broker for all of them. Since Kafka 0.9.',
  flexible: '3+',
  listeners: ['broker'],
  request: { versions: '0-5', fields: request },
  response: { versions: '0-5', fields: response },
} as const satisfies ApiTable;
