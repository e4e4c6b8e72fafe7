// ListConfigResources, API key 74: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  [
    'resourceTypes',
    '[]int8',
    '1+',
    'Kinds of resources wanted: 2 topic, 4 broker, 8 broker loggers, 16 client metrics, 32 group; empty for all.',
  ],
];

const configResource: readonly FieldRow[] = [
  ['resourceName', 'string', '0+', 'Name of the resource: topic name, node id of a broker, group id.'],
  [
    'resourceType',
    'int8',
    '1+',
    'Kind of resource: 2 topic, 4 broker, 8 broker loggers, 16 client metrics, 32 group.',
    { default: '16', ignorable: true },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  ['configResources', '[]ConfigResource', '0+', 'Resources found.', { fields: configResource }],
];

export default {
  key: 74,
  name: 'ListConfigResources',
  doc: 'Lists resources with configuration, in version 0 client metrics only. Since Kafka 3.7 (KIP-1000, KIP-1142).',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
