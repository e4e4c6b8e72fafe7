// ControllerRegistration, API key 70: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

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
  ['controllerId', 'int32', '0+', 'Node id of the controller.'],
  ['incarnationId', 'uuid', '0+', 'Id of this run of the process.'],
  ['zkMigrationReady', 'bool', '0+', 'True when the controller is configured to migrate from ZooKeeper (KIP-866).'],
  ['listeners', '[]Listener', '0+', 'Addresses of the controller, one for each listener.', { fields: listener }],
  ['features', '[]Feature', '0+', 'Features the node supports.', { fields: feature }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
];

export default {
  key: 70,
  name: 'ControllerRegistration',
  doc: 'Registers a controller with the leader of the controllers (KIP-919).',
  flexible: '0+',
  listeners: ['controller'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
