// VotersRecord: data that travels inside another message or a record. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { DataTable, FieldRow } from './schema.ts';

const endpoint: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the listener.', { mapKey: true }],
  ['host', 'string', '0+', 'Host name or address to connect to.'],
  ['port', 'uint16', '0+', 'TCP port to connect to.'],
];

const kRaftVersionFeature: readonly FieldRow[] = [
  ['minSupportedVersion', 'int16', '0+', 'Lowest level the node supports.'],
  ['maxSupportedVersion', 'int16', '0+', 'Highest level the node supports.'],
];

const voter: readonly FieldRow[] = [
  ['voterId', 'int32', '0+', 'Node id of the voter.', { entity: 'brokerId' }],
  ['voterDirectoryId', 'uuid', '0+', 'Directory id of the voter (KIP-853); all zero for unknown.'],
  ['endpoints', '[]Endpoint', '0+', 'Addresses of the voter, one for each listener.', { fields: endpoint }],
  [
    'kRaftVersionFeature',
    'KRaftVersionFeature',
    '0+',
    'Levels of kraft.version that the voter supports.',
    { fields: kRaftVersionFeature },
  ],
];

export default {
  name: 'VotersRecord',
  kind: 'data',
  doc: 'Value of the control record with the voters of the controller quorum (KIP-853).',
  versions: '0',
  flexible: '0+',
  fields: [
    ['version', 'int16', '0+', 'Version of this record.'],
    ['voters', '[]Voter', '0+', 'Voters of the quorum.', { fields: voter }],
  ],
} as const satisfies DataTable;
