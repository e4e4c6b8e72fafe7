// ElectLeaders, API key 43: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const topicPartitions: readonly FieldRow[] = [
  ['topic', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  ['partitions', '[]int32', '0+', 'Partition indexes within the topic.'],
];

const request: readonly FieldRow[] = [
  ['electionType', 'int8', '1+', '0 to elect the preferred replica, 1 to elect one out of sync if need be (unclean).'],
  [
    'topicPartitions',
    '[]TopicPartitions',
    '0+',
    'Topics with partitions to elect for, or null for all.',
    { nullable: '0+', fields: topicPartitions },
  ],
  ['timeoutMs', 'int32', '0+', 'Milliseconds to wait until the elections are over.', { default: '60000' }],
];

const partitionResult: readonly FieldRow[] = [
  ['partitionId', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
];

const replicaElectionResult: readonly FieldRow[] = [
  ['topic', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['partitionResult', '[]PartitionResult', '0+', 'One result for each partition.', { fields: partitionResult }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '1+', 'Error of the whole request; 0 for none.'],
  [
    'replicaElectionResults',
    '[]ReplicaElectionResult',
    '0+',
    'Topics with the results.',
    { fields: replicaElectionResult },
  ],
];

export default {
  key: 43,
  name: 'ElectLeaders',
  doc: 'Elects leaders, the preferred ones (KIP-183) or from version 1 unclean ones too (KIP-460). Since Kafka 2.2.',
  flexible: '2+',
  listeners: ['broker', 'controller'],
  request: { versions: '0-2', fields: request },
  response: { versions: '0-2', fields: response },
} as const satisfies ApiTable;
