// DescribeQuorum, API key 55: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const requestPartitionData: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
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
  ['topics', '[]TopicData', '0+', 'Topics of the quorum; only the metadata topic.', { fields: requestTopicData }],
];

const replicaState: readonly FieldRow[] = [
  ['replicaId', 'int32', '0+', 'Node id of the replica.', { entity: 'brokerId' }],
  ['replicaDirectoryId', 'uuid', '2+', 'Directory id of the replica (KIP-853).'],
  ['logEndOffset', 'int64', '0+', 'End offset of its log; -1 for unknown.'],
  [
    'lastFetchTimestamp',
    'int64',
    '1+',
    'Time of its last fetch as the leader saw it, in Unix milliseconds; -1 for unknown (KIP-836).',
    { default: '-1', ignorable: true },
  ],
  [
    'lastCaughtUpTimestamp',
    'int64',
    '1+',
    'Time at which it was last caught up, in Unix milliseconds; -1 for unknown (KIP-836).',
    { default: '-1', ignorable: true },
  ],
];

const responsePartitionData: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
  [
    'errorMessage',
    'string',
    '2+',
    'Explanation of the error by the broker, or null.',
    { nullable: '2+', ignorable: true },
  ],
  ['leaderId', 'int32', '0+', 'Node id of the leader; -1 for none.', { entity: 'brokerId' }],
  ['leaderEpoch', 'int32', '0+', 'Epoch of the leader, one more with each election; -1 for unknown.'],
  ['highWatermark', 'int64', '0+', 'Offset after the last record replicated to all in-sync replicas.'],
  ['currentVoters', '[]ReplicaState', '0+', 'Voters with their positions.', { fields: replicaState }],
  ['observers', '[]ReplicaState', '0+', 'Followers without a vote, with their positions.', { fields: replicaState }],
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

const listener: readonly FieldRow[] = [
  ['name', 'string', '2+', 'Name of the listener.', { mapKey: true }],
  ['host', 'string', '2+', 'Host name or address to connect to.'],
  ['port', 'uint16', '2+', 'TCP port to connect to.'],
];

const node: readonly FieldRow[] = [
  ['nodeId', 'int32', '2+', 'Node id of the voter or observer.', { mapKey: true, entity: 'brokerId' }],
  ['listeners', '[]Listener', '2+', 'Addresses of the node, one for each listener.', { fields: listener }],
];

const response: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  [
    'errorMessage',
    'string',
    '2+',
    'Explanation of the error by the broker, or null.',
    { nullable: '2+', ignorable: true },
  ],
  ['topics', '[]TopicData', '0+', 'Topics of the quorum; only the metadata topic.', { fields: responseTopicData }],
  ['nodes', '[]Node', '2+', 'Addresses of voters and observers.', { fields: node }],
];

export default {
  key: 55,
  name: 'DescribeQuorum',
  doc: 'Describes the controller quorum: leader, voters, observers and their log positions. Since Kafka 2.7 (KIP-595).',
  flexible: '0+',
  listeners: ['broker', 'controller'],
  request: { versions: '0-2', fields: request },
  response: { versions: '0-2', fields: response },
} as const satisfies ApiTable;
