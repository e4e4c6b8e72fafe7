// RemoveRaftVoter, API key 81: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['clusterId', 'string', '0+', 'Id of the cluster, or null to not have it checked.', { nullable: '0+' }],
  ['voterId', 'int32', '0+', 'Node id of the voter.'],
  ['voterDirectoryId', 'uuid', '0+', 'Directory id of the voter (KIP-853); all zero for unknown.'],
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
  key: 81,
  name: 'RemoveRaftVoter',
  doc: 'Removes a controller from the voters of the quorum. Since Kafka 3.9 (KIP-853).',
  flexible: '0+',
  listeners: ['controller', 'broker'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
