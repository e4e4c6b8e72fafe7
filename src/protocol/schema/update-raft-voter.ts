// UpdateRaftVoter, API key 82: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const listener: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the listener.', { mapKey: true }],
  ['host', 'string', '0+', 'Host name or address to connect to.'],
  ['port', 'uint16', '0+', 'TCP port to connect to.'],
];

const kRaftVersionFeature: readonly FieldRow[] = [
  ['minSupportedVersion', 'int16', '0+', 'Lowest level the node supports.'],
  ['maxSupportedVersion', 'int16', '0+', 'Highest level the node supports.'],
];

const request: readonly FieldRow[] = [
  ['clusterId', 'string', '0+', 'Id of the cluster, or null to not have it checked.', { nullable: '0+' }],
  ['currentLeaderEpoch', 'int32', '0+', 'Leader epoch the voter knows.'],
  ['voterId', 'int32', '0+', 'Node id of the voter.'],
  ['voterDirectoryId', 'uuid', '0+', 'Directory id of the voter (KIP-853); all zero for unknown.'],
  ['listeners', '[]Listener', '0+', 'Addresses of the voter, one for each listener.', { fields: listener }],
  [
    'kRaftVersionFeature',
    'KRaftVersionFeature',
    '0+',
    'Levels of kraft.version that the voter supports.',
    { fields: kRaftVersionFeature },
  ],
];

const currentLeader: readonly FieldRow[] = [
  ['leaderId', 'int32', '0+', 'Node id of the leader; -1 for none.', { default: '-1', entity: 'brokerId' }],
  [
    'leaderEpoch',
    'int32',
    '0+',
    'Epoch of the leader, one more with each election; -1 for unknown.',
    { default: '-1' },
  ],
  ['host', 'string', '0+', 'Host name or address to connect to.'],
  ['port', 'int32', '0+', 'TCP port to connect to.'],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  [
    'currentLeader',
    'CurrentLeader',
    '0+',
    'Leader of the quorum as this node knows it, with its address.',
    { tag: 0, tagged: '0+', fields: currentLeader },
  ],
];

export default {
  key: 82,
  name: 'UpdateRaftVoter',
  doc: 'Changes the addresses and versions of a voter. From controllers, since Kafka 3.9 (KIP-853).',
  flexible: '0+',
  listeners: ['controller'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
