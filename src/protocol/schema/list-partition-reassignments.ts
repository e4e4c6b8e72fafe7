// ListPartitionReassignments, API key 46: shape and documentation of both messages. Read by the generator only,
// runs in no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const listPartitionReassignmentsTopics: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['partitionIndexes', '[]int32', '0+', 'Partition indexes within the topic.'],
];

const request: readonly FieldRow[] = [
  ['timeoutMs', 'int32', '0+', 'Milliseconds the broker may take.', { default: '60000' }],
  [
    'topics',
    '[]ListPartitionReassignmentsTopics',
    '0+',
    'Topics with partitions to list, or null for all.',
    { nullable: '0+', default: 'null', fields: listPartitionReassignmentsTopics },
  ],
];

const ongoingPartitionReassignment: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['replicas', '[]int32', '0+', 'Node ids of all replicas, the preferred leader first.', { entity: 'brokerId' }],
  ['addingReplicas', '[]int32', '0+', 'Node ids of replicas to come.', { entity: 'brokerId' }],
  ['removingReplicas', '[]int32', '0+', 'Node ids of replicas to go.', { entity: 'brokerId' }],
];

const ongoingTopicReassignment: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  [
    'partitions',
    '[]OngoingPartitionReassignment',
    '0+',
    'Partitions on the move.',
    { fields: ongoingPartitionReassignment },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
  [
    'topics',
    '[]OngoingTopicReassignment',
    '0+',
    'Topics with partitions on the move.',
    { fields: ongoingTopicReassignment },
  ],
];

export default {
  key: 46,
  name: 'ListPartitionReassignments',
  doc: 'Lists partitions that are moving to other brokers. Since Kafka 2.4 (KIP-455).',
  flexible: '0+',
  listeners: ['broker', 'controller'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
