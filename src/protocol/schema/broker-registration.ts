// BrokerRegistration, API key 62: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const listener: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the listener.', { mapKey: true }],
  ['host', 'string', '0+', 'Host name or address to connect to.'],
  ['port', 'uint16', '0+', 'TCP port to connect to.'],
  ['securityProtocol', 'int16', '0+', 'Security of the listener: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.'],
];

const feature: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Feature name, such as metadata.version.', { mapKey: true }],
  ['minSupportedVersion', 'int16', '0+', 'Lowest level the node supports.'],
  ['maxSupportedVersion', 'int16', '0+', 'Highest level the node supports.'],
];

const request: readonly FieldRow[] = [
  ['brokerId', 'int32', '0+', 'Node id of the broker.', { entity: 'brokerId' }],
  ['clusterId', 'string', '0+', 'Id of the cluster the broker belongs to.'],
  ['incarnationId', 'uuid', '0+', 'Id of this run of the process.'],
  ['listeners', '[]Listener', '0+', 'Addresses of the broker, one for each listener.', { fields: listener }],
  ['features', '[]Feature', '0+', 'Features the node supports.', { fields: feature }],
  ['rack', 'string', '0+', 'Rack or zone of the broker, or null.', { nullable: '0+' }],
  [
    'isMigratingZkBroker',
    'bool',
    '1+',
    'True for a broker that still runs with ZooKeeper during a migration (KIP-866).',
    { default: 'false' },
  ],
  ['logDirs', '[]uuid', '2+', 'Ids of the log directories that work (KIP-858).', { ignorable: true }],
  [
    'previousBrokerEpoch',
    'int64',
    '3+',
    'Broker epoch before a clean shutdown (KIP-966); -1 for none.',
    { default: '-1', ignorable: true },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  ['brokerEpoch', 'int64', '0+', 'Epoch given to the registration; -1 after an error.', { default: '-1' }],
];

export default {
  key: 62,
  name: 'BrokerRegistration',
  doc: 'Registers a broker with the controller (KIP-631).',
  flexible: '0+',
  listeners: ['controller'],
  request: { versions: '0-4', fields: request },
  response: { versions: '0-4', fields: response },
} as const satisfies ApiTable;
