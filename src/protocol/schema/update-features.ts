// UpdateFeatures, API key 57: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const featureUpdateKey: readonly FieldRow[] = [
  ['feature', 'string', '0+', 'Feature name, such as metadata.version.', { mapKey: true }],
  ['maxVersionLevel', 'int16', '0+', 'Level to have from now on; below 1 removes the feature.'],
  ['allowDowngrade', 'bool', '0', 'True to allow a lower level.'],
  [
    'upgradeType',
    'int8',
    '1+',
    '1 raises only, 2 may also lower when nothing is lost, 3 may also lower when data is lost (KIP-778).',
    { default: '1' },
  ],
];

const request: readonly FieldRow[] = [
  ['timeoutMs', 'int32', '0+', 'Milliseconds to wait until the features are in force.', { default: '60000' }],
  ['featureUpdates', '[]FeatureUpdateKey', '0+', 'Features to change.', { fields: featureUpdateKey }],
  ['validateOnly', 'bool', '1+', 'True to only check the request and change nothing.', { default: 'false' }],
];

const updatableFeatureResult: readonly FieldRow[] = [
  ['feature', 'string', '0+', 'Feature name, such as metadata.version.', { mapKey: true }],
  ['errorCode', 'int16', '0+', 'Error of the feature; 0 for none.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
  [
    'results',
    '[]UpdatableFeatureResult',
    '0-1',
    'One result for each feature.',
    { ignorable: true, fields: updatableFeatureResult },
  ],
];

export default {
  key: 57,
  name: 'UpdateFeatures',
  doc: 'Raises or lowers the level of cluster features. Since Kafka 2.7 (KIP-584).',
  flexible: '0+',
  listeners: ['broker', 'controller'],
  request: { versions: '0-2', fields: request },
  response: { versions: '0-2', fields: response },
} as const satisfies ApiTable;
