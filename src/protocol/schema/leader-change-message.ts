// LeaderChangeMessage: data that travels inside another message or a record. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { DataTable, FieldRow } from './schema.ts';

const voter: readonly FieldRow[] = [
  ['voterId', 'int32', '0+', 'Node id of the voter.'],
  ['voterDirectoryId', 'uuid', '1+', 'Directory id of the voter (KIP-853); all zero for unknown.'],
];

export default {
  name: 'LeaderChangeMessage',
  kind: 'data',
  doc: 'Value of the control record with which a new controller leader begins its epoch (KIP-595).',
  versions: '0-1',
  flexible: '0+',
  fields: [
    ['version', 'int16', '0+', 'Version of this record.'],
    ['leaderId', 'int32', '0+', 'Node id of the new leader.', { entity: 'brokerId' }],
    ['voters', '[]Voter', '0+', 'Voters of the quorum.', { fields: voter }],
    ['grantingVoters', '[]Voter', '0+', 'Voters that voted for the leader.', { fields: voter }],
  ],
} as const satisfies DataTable;
