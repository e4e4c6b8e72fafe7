// IncrementalAlterConfigs, API key 44: shape and documentation of both messages. Read by the generator only, runs
// in no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const alterableConfig: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Configuration key.', { mapKey: true }],
  [
    'configOperation',
    'int8',
    '0+',
    'What to do: 0 set, 1 delete, 2 append to a list, 3 subtract from a list.',
    { mapKey: true },
  ],
  ['value', 'string', '0+', 'Value to set, or the list items to add or remove; null to delete.', { nullable: '0+' }],
];

const alterConfigsResource: readonly FieldRow[] = [
  [
    'resourceType',
    'int8',
    '0+',
    'Kind of resource: 2 topic, 4 broker, 8 broker loggers, 16 client metrics, 32 group.',
    { mapKey: true },
  ],
  [
    'resourceName',
    'string',
    '0+',
    'Name of the resource: topic name, node id of a broker, group id.',
    { mapKey: true },
  ],
  ['configs', '[]AlterableConfig', '0+', 'Values to change.', { fields: alterableConfig }],
];

const request: readonly FieldRow[] = [
  ['resources', '[]AlterConfigsResource', '0+', 'Resources to configure.', { fields: alterConfigsResource }],
  ['validateOnly', 'bool', '0+', 'True to only check the request and change nothing.'],
];

const alterConfigsResourceResponse: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
  ['resourceType', 'int8', '0+', 'Kind of resource, as in the request.'],
  ['resourceName', 'string', '0+', 'Name of the resource: topic name, node id of a broker, group id.'],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  [
    'responses',
    '[]AlterConfigsResourceResponse',
    '0+',
    'One result for each resource.',
    { fields: alterConfigsResourceResponse },
  ],
];

export default {
  key: 44,
  name: 'IncrementalAlterConfigs',
  doc: 'Changes single configuration values and leaves the others. Since Kafka 2.3 (KIP-339).',
  flexible: '1+',
  listeners: ['broker', 'controller'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
