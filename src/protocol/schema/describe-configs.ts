// DescribeConfigs, API key 32: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const describeConfigsResource: readonly FieldRow[] = [
  ['resourceType', 'int8', '0+', 'Kind of resource: 2 topic, 4 broker, 8 broker loggers, 16 client metrics, 32 group.'],
  ['resourceName', 'string', '0+', 'Name of the resource: topic name, node id of a broker, group id.'],
  ['configurationKeys', '[]string', '0+', 'Keys wanted, or null for all.', { nullable: '0+' }],
];

const request: readonly FieldRow[] = [
  ['resources', '[]DescribeConfigsResource', '0+', 'Resources to describe.', { fields: describeConfigsResource }],
  [
    'includeSynonyms',
    'bool',
    '1+',
    'True to get the values that would follow if this one were taken away (KIP-226).',
    { default: 'false' },
  ],
  ['includeDocumentation', 'bool', '3+', 'True to get the documentation of each key (KIP-569).', { default: 'false' }],
];

const describeConfigsSynonym: readonly FieldRow[] = [
  ['name', 'string', '1+', 'Configuration key at that source, such as log.retention.ms for retention.ms.'],
  ['value', 'string', '1+', 'Value at that source; null when unset or sensitive.', { nullable: '1+' }],
  ['source', 'int8', '1+', 'Where the value comes from, as in configSource.'],
];

const describeConfigsResourceResult: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Configuration key.'],
  ['value', 'string', '0+', 'Configuration value; null when unset or sensitive.', { nullable: '0+' }],
  ['readOnly', 'bool', '0+', 'True when the value cannot be changed.'],
  [
    'configSource',
    'int8',
    '1+',
    'Where the value comes from: 1 topic, 2 broker, 3 all brokers, 4 broker file, 5 Kafka itself; -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  ['isDefault', 'bool', '0', 'True when the value is the default of the broker.'],
  ['isSensitive', 'bool', '0+', 'True for secrets, whose value is never shown.'],
  [
    'synonyms',
    '[]DescribeConfigsSynonym',
    '1+',
    'Values of this key from all sources, the one in effect first.',
    { ignorable: true, fields: describeConfigsSynonym },
  ],
  [
    'configType',
    'int8',
    '3+',
    'Type of the value: 1 bool, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password; 0 unknown.',
    { default: '0', ignorable: true },
  ],
  [
    'documentation',
    'string',
    '3+',
    'What the key means, in the words of the broker, or null.',
    { nullable: '3+', ignorable: true },
  ],
];

const describeConfigsResult: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the resource; 0 for none.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
  ['resourceType', 'int8', '0+', 'Kind of resource, as in the request.'],
  ['resourceName', 'string', '0+', 'Name of the resource: topic name, node id of a broker, group id.'],
  [
    'configs',
    '[]DescribeConfigsResourceResult',
    '0+',
    'Configuration of the resource.',
    { fields: describeConfigsResourceResult },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['results', '[]DescribeConfigsResult', '0+', 'One result for each resource.', { fields: describeConfigsResult }],
];

export default {
  key: 32,
  name: 'DescribeConfigs',
  doc: 'Reads the configuration of topics, brokers and other resources. Since Kafka 0.11 (KIP-133).',
  flexible: '4+',
  listeners: ['broker', 'controller'],
  legacy: '0',
  request: { versions: '0-4', fields: request },
  response: { versions: '0-4', fields: response },
} as const satisfies ApiTable;
