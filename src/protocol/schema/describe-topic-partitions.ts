// DescribeTopicPartitions, API key 75: shape and documentation of both messages. Read by the generator only, runs
// in no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const topicRequest: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
];

const cursor: readonly FieldRow[] = [
  ['topicName', 'string', '0+', 'Topic to go on with.', { entity: 'topicName' }],
  ['partitionIndex', 'int32', '0+', 'Partition index to go on with.'],
];

const request: readonly FieldRow[] = [
  ['topics', '[]TopicRequest', '0+', 'Topics to describe; empty for all.', { fields: topicRequest }],
  [
    'responsePartitionLimit',
    'int32',
    '0+',
    'Partitions to return at most; a broker may set a lower limit.',
    { default: '2000' },
  ],
  [
    'cursor',
    'Cursor',
    '0+',
    'Where to begin, or null for the start.',
    { nullable: '0+', default: 'null', fields: cursor },
  ],
];

const describeTopicPartitionsResponsePartition: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['leaderId', 'int32', '0+', 'Node id of the leader; -1 for none.', { entity: 'brokerId' }],
  [
    'leaderEpoch',
    'int32',
    '0+',
    'Epoch of the leader, one more with each election; -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  ['replicaNodes', '[]int32', '0+', 'Node ids of all replicas, the preferred leader first.', { entity: 'brokerId' }],
  ['isrNodes', '[]int32', '0+', 'Node ids of the replicas that are in sync.', { entity: 'brokerId' }],
  [
    'eligibleLeaderReplicas',
    '[]int32',
    '0+',
    'Node ids of replicas out of sync that have every committed record, or null.',
    { nullable: '0+', default: 'null', entity: 'brokerId' },
  ],
  [
    'lastKnownElr',
    '[]int32',
    '0+',
    'Node ids that were last in sync or eligible, or null.',
    { nullable: '0+', default: 'null', entity: 'brokerId' },
  ],
  [
    'offlineReplicas',
    '[]int32',
    '0+',
    'Node ids of the replicas whose broker or log directory is down.',
    { ignorable: true, entity: 'brokerId' },
  ],
];

const describeTopicPartitionsResponseTopic: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the topic; 0 for none.'],
  ['name', 'string', '0+', 'Topic name, or null.', { nullable: '0+', mapKey: true, entity: 'topicName' }],
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  [
    'isInternal',
    'bool',
    '0+',
    'True for topics of Kafka itself, such as __consumer_offsets.',
    { default: 'false', ignorable: true },
  ],
  [
    'partitions',
    '[]DescribeTopicPartitionsResponsePartition',
    '0+',
    'Partitions of the topic.',
    { fields: describeTopicPartitionsResponsePartition },
  ],
  [
    'topicAuthorizedOperations',
    'int32',
    '0+',
    'Bit per ACL operation the client may do on the topic; -2147483648 when not asked for.',
    { default: '-2147483648' },
  ],
];

const response: readonly FieldRow[] = [
  [
    'throttleTimeMs',
    'int32',
    '0+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  [
    'topics',
    '[]DescribeTopicPartitionsResponseTopic',
    '0+',
    'Topics described, sorted by name.',
    { fields: describeTopicPartitionsResponseTopic },
  ],
  [
    'nextCursor',
    'Cursor',
    '0+',
    'Where the next request has to begin, or null at the end.',
    { nullable: '0+', default: 'null', fields: cursor },
  ],
];

export default {
  key: 75,
  name: 'DescribeTopicPartitions',
  doc: 'Describes topics page by page, eligible leader replicas included. Since Kafka 3.8 (KIP-966).',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
