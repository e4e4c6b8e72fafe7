// DescribeClientQuotas, API key 48: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const componentData: readonly FieldRow[] = [
  ['entityType', 'string', '0+', 'What is limited: user, client-id or ip.'],
  ['matchType', 'int8', '0+', 'What to match: 0 the name given, 1 the default quota, 2 any name.'],
  ['match', 'string', '0+', 'Name to match with matchType 0, else null.', { nullable: '0+' }],
];

const request: readonly FieldRow[] = [
  [
    'components',
    '[]ComponentData',
    '0+',
    'Conditions, one for each entity type; all must match.',
    { fields: componentData },
  ],
  ['strict', 'bool', '0+', 'True to leave out quotas that have entity types not named in the filter.'],
];

const entityData: readonly FieldRow[] = [
  ['entityType', 'string', '0+', 'What is limited: user, client-id or ip.'],
  ['entityName', 'string', '0+', 'Name of that type; null for the default quota.', { nullable: '0+' }],
];

const valueData: readonly FieldRow[] = [
  ['key', 'string', '0+', 'Quota, such as consumer_byte_rate.'],
  ['value', 'float64', '0+', 'Limit, in the unit of the quota.'],
];

const entryData: readonly FieldRow[] = [
  ['entity', '[]EntityData', '0+', 'Entity, by one name for each of its types.', { fields: entityData }],
  ['values', '[]ValueData', '0+', 'Quotas of the entity.', { fields: valueData }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
  [
    'entries',
    '[]EntryData',
    '0+',
    'Entities found with their quotas, or null after an error.',
    { nullable: '0+', fields: entryData },
  ],
];

export default {
  key: 48,
  name: 'DescribeClientQuotas',
  doc: 'Lists client quotas that match a filter. Since Kafka 2.6 (KIP-546).',
  flexible: '1+',
  listeners: ['broker'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
