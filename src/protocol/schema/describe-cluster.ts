// DescribeCluster, API key 60: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  [
    'includeClusterAuthorizedOperations',
    'bool',
    '0+',
    'True to get the operations this client may do on the cluster (KIP-430).',
  ],
  ['endpointType', 'int8', '1+', 'Whose addresses: 1 brokers, 2 controllers.', { default: '1' }],
  ['includeFencedBrokers', 'bool', '2+', 'True to get brokers that are registered but not in service too (KIP-1073).'],
];

const describeClusterBroker: readonly FieldRow[] = [
  ['brokerId', 'int32', '0+', 'Node id of the broker.', { mapKey: true, entity: 'brokerId' }],
  ['host', 'string', '0+', 'Host name or address to connect to.'],
  ['port', 'int32', '0+', 'TCP port to connect to.'],
  ['rack', 'string', '0+', 'Rack or zone of the broker, or null.', { nullable: '0+', default: 'null' }],
  ['isFenced', 'bool', '2+', 'True for a broker that is registered but not in service.'],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
  ['endpointType', 'int8', '1+', 'Whose addresses these are: 1 brokers, 2 controllers.', { default: '1' }],
  ['clusterId', 'string', '0+', 'Id of the cluster, made when it was set up.'],
  [
    'controllerId',
    'int32',
    '0+',
    'Node id of the controller, or of a broker that forwards to it; -1 for none.',
    { default: '-1', entity: 'brokerId' },
  ],
  ['brokers', '[]DescribeClusterBroker', '0+', 'Nodes of the kind asked for.', { fields: describeClusterBroker }],
  [
    'clusterAuthorizedOperations',
    'int32',
    '0+',
    'Bit per ACL operation the client may do on the cluster; -2147483648 when not asked for.',
    { default: '-2147483648' },
  ],
];

export default {
  key: 60,
  name: 'DescribeCluster',
  doc: 'Describes brokers, or from version 1 controllers (KIP-919), without topics. Since Kafka 2.8 (KIP-700).',
  flexible: '0+',
  listeners: ['broker', 'controller'],
  request: { versions: '0-2', fields: request },
  response: { versions: '0-2', fields: response },
} as const satisfies ApiTable;
