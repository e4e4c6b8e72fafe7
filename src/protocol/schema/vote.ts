// Vote, API key 52: shape and documentation of both messages. Read by the generator only, runs in no thread; facts
// and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const requestPartitionData: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['replicaEpoch', 'int32', '0+', 'Epoch of the candidate.'],
  ['replicaId', 'int32', '0+', 'Node id of the candidate.', { entity: 'brokerId' }],
  ['replicaDirectoryId', 'uuid', '1+', 'Directory id of the candidate (KIP-853).', { ignorable: true }],
  ['voterDirectoryId', 'uuid', '1+', 'Directory id of the voter (KIP-853); all zero for unknown.', { ignorable: true }],
  ['lastOffsetEpoch', 'int32', '0+', 'Leader epoch of the last record in the log of the candidate.'],
  ['lastOffset', 'int64', '0+', 'End offset of the log of the candidate.'],
  ['preVote', 'bool', '2+', 'True to only ask whether a vote would be granted (KIP-996).'],
];

const requestTopicData: readonly FieldRow[] = [
  ['topicName', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  [
    'partitions',
    '[]PartitionData',
    '0+',
    'Partitions of the quorum; only partition 0.',
    { fields: requestPartitionData },
  ],
];

const request: readonly FieldRow[] = [
  [
    'clusterId',
    'string',
    '0+',
    'Id of the cluster, or null to not have it checked.',
    { nullable: '0+', default: 'null' },
  ],
  [
    'voterId',
    'int32',
    '1+',
    'Node id of the voter that gets this; -1 for unknown.',
    { default: '-1', ignorable: true, entity: 'brokerId' },
  ],
  ['topics', '[]TopicData', '0+', 'Topics of the quorum; only the metadata topic.', { fields: requestTopicData }],
];

const responsePartitionData: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
  ['leaderId', 'int32', '0+', 'Node id of the leader; -1 for none.', { entity: 'brokerId' }],
  ['leaderEpoch', 'int32', '0+', 'Epoch of the leader, one more with each election; -1 for unknown.'],
  ['voteGranted', 'bool', '0+', 'True when the vote is granted.'],
];

const responseTopicData: readonly FieldRow[] = [
  ['topicName', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  [
    'partitions',
    '[]PartitionData',
    '0+',
    'Partitions of the quorum; only partition 0.',
    { fields: responsePartitionData },
  ],
];

const nodeEndpoint: readonly FieldRow[] = [
  ['nodeId', 'int32', '1+', 'Node id of the controller.', { mapKey: true, entity: 'brokerId' }],
  ['host', 'string', '1+', 'Host name or address to connect to.'],
  ['port', 'uint16', '1+', 'TCP port to connect to.'],
];

const response: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  ['topics', '[]TopicData', '0+', 'Topics of the quorum; only the metadata topic.', { fields: responseTopicData }],
  [
    'nodeEndpoints',
    '[]NodeEndpoint',
    '1+',
    'Addresses of the leaders named above (KIP-853).',
    { tag: 0, tagged: '1+', fields: nodeEndpoint },
  ],
];

export default {
  key: 52,
  name: 'Vote',
  doc: 'Asks for votes in the election of a controller. Between controllers, since Kafka 2.7 (KIP-595).',
  flexible: '0+',
  listeners: ['controller'],
  request: { versions: '0-2', fields: request },
  response: { versions: '0-2', fields: response },
} as const satisfies ApiTable;
