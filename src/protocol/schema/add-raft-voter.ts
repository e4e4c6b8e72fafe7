// AddRaftVoter, API key 80: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const listener: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the listener.', { mapKey: true }],
  ['host', 'string', '0+', 'Host name or address to connect to.'],
  ['port', 'uint16', '0+', 'TCP port to connect to.'],
];

const request: readonly FieldRow[] = [
  ['clusterId', 'string', '0+', 'Id of the cluster, or null to not have it checked.', { nullable: '0+' }],
  ['timeoutMs', 'int32', '0+', 'Milliseconds to wait until the voter is added.'],
  ['voterId', 'int32', '0+', 'Node id of the voter.'],
  ['voterDirectoryId', 'uuid', '0+', 'Directory id of the voter (KIP-853); all zero for unknown.'],
  ['listeners', '[]Listener', '0+', 'Addresses of the voter, one for each listener.', { fields: listener }],
  [
    'ackWhenCommitted',
    'bool',
    '1+',
    'True to be answered when the change is committed, false when it is written by the leader (KIP-1186).',
    { default: 'true' },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', ignorable: true },
  ],
];

export default {
  key: 80,
  name: 'AddRaftVoter',
  doc: 'Adds a controller to the voters of the quorum. Since Kafka 3.9 (KIP-853).',
  flexible: '0+',
  listeners: ['controller', 'broker'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
