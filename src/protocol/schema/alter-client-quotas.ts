// AlterClientQuotas, API key 49: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const entityData: readonly FieldRow[] = [
  ['entityType', 'string', '0+', 'What is limited: user, client-id or ip.'],
  ['entityName', 'string', '0+', 'Name of that type; null for the default quota.', { nullable: '0+' }],
];

const opData: readonly FieldRow[] = [
  ['key', 'string', '0+', 'Quota, such as consumer_byte_rate.'],
  ['value', 'float64', '0+', 'Limit to set, in the unit of the quota; ignored on removal.'],
  ['remove', 'bool', '0+', 'True to remove the quota, false to set it.'],
];

const requestEntryData: readonly FieldRow[] = [
  ['entity', '[]EntityData', '0+', 'Entity, by one name for each of its types.', { fields: entityData }],
  ['ops', '[]OpData', '0+', 'Changes to make.', { fields: opData }],
];

const request: readonly FieldRow[] = [
  ['entries', '[]EntryData', '0+', 'Entities with quotas to change.', { fields: requestEntryData }],
  ['validateOnly', 'bool', '0+', 'True to only check the request and change nothing.'],
];

const responseEntryData: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the entity; 0 when changed.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
  ['entity', '[]EntityData', '0+', 'Entity, by one name for each of its types.', { fields: entityData }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['entries', '[]EntryData', '0+', 'One result for each entity.', { fields: responseEntryData }],
];

export default {
  key: 49,
  name: 'AlterClientQuotas',
  doc: 'Sets and removes client quotas. Since Kafka 2.6 (KIP-546).',
  flexible: '1+',
  listeners: ['broker', 'controller'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
