// ApiVersions, API key 18: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  [
    'clientSoftwareName',
    'string',
    '3+',
    'Name of the client library; letters, digits, dots and dashes (KIP-511).',
    { ignorable: true },
  ],
  [
    'clientSoftwareVersion',
    'string',
    '3+',
    'Version of the client library; letters, digits, dots and dashes (KIP-511).',
    { ignorable: true },
  ],
  [
    'clusterId',
    'string',
    '5+',
    'Cluster that the client expects to reach, or null to not have it checked; goes with nodeId (KIP-1242).',
    { nullable: '5+', default: 'null', ignorable: true },
  ],
  [
    'nodeId',
    'int32',
    '5+',
    'Broker that the client expects to reach, or -1 to not have it checked; goes with clusterId.',
    { default: '-1', ignorable: true },
  ],
];

const apiVersion: readonly FieldRow[] = [
  ['apiKey', 'int16', '0+', 'API key, such as 3 for Metadata.', { mapKey: true }],
  ['minVersion', 'int16', '0+', 'Lowest version the broker speaks.'],
  ['maxVersion', 'int16', '0+', 'Highest version the broker speaks.'],
];

const supportedFeatureKey: readonly FieldRow[] = [
  ['name', 'string', '3+', 'Feature name, such as metadata.version.', { mapKey: true }],
  ['minVersion', 'int16', '3+', 'Lowest level the broker supports.'],
  ['maxVersion', 'int16', '3+', 'Highest level the broker supports.'],
];

const finalizedFeatureKey: readonly FieldRow[] = [
  ['name', 'string', '3+', 'Feature name, such as metadata.version.', { mapKey: true }],
  ['maxVersionLevel', 'int16', '3+', 'Highest level in force.'],
  ['minVersionLevel', 'int16', '3+', 'Lowest level in force.'],
];

const response: readonly FieldRow[] = [
  [
    'errorCode',
    'int16',
    '0+',
    'Error code; 35 when the broker does not know this version and has answered in version 0, 129 when the request named another cluster or node.',
  ],
  ['apiKeys', '[]ApiVersion', '0+', 'Version ranges of all APIs that the broker speaks.', { fields: apiVersion }],
  [
    'throttleTimeMs',
    'int32',
    '1+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  [
    'supportedFeatures',
    '[]SupportedFeatureKey',
    '3+',
    'Cluster features the broker supports (KIP-584).',
    { tag: 0, tagged: '3+', ignorable: true, fields: supportedFeatureKey },
  ],
  [
    'finalizedFeaturesEpoch',
    'int64',
    '3+',
    'Epoch of the finalized features, growing with each change; -1 for unknown.',
    { default: '-1', tag: 1, tagged: '3+', ignorable: true },
  ],
  [
    'finalizedFeatures',
    '[]FinalizedFeatureKey',
    '3+',
    'Features in force in the whole cluster; meaningful only when the epoch is not -1.',
    { tag: 2, tagged: '3+', ignorable: true, fields: finalizedFeatureKey },
  ],
  [
    'zkMigrationReady',
    'bool',
    '3+',
    'True for a KRaft controller ready to take over metadata from ZooKeeper (KIP-866).',
    { default: 'false', tag: 3, tagged: '3+', ignorable: true },
  ],
];

export default {
  key: 18,
  name: 'ApiVersions',
  doc: 'Asks a broker for the APIs and versions it speaks, first on each connection. Since Kafka 0.10.0 (KIP-35).',
  flexible: '3+',
  listeners: ['broker', 'controller'],
  request: { versions: '0-5', fields: request },
  response: { versions: '0-5', fields: response },
} as const satisfies ApiTable;
