// DescribeProducers, API key 61: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const topicRequest: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  ['partitionIndexes', '[]int32', '0+', 'Partition indexes within the topic.'],
];

const request: readonly FieldRow[] = [
  ['topics', '[]TopicRequest', '0+', 'Topics to look at.', { fields: topicRequest }],
];

const producerState: readonly FieldRow[] = [
  ['producerId', 'int64', '0+', 'Id that the cluster gave to the producer.', { entity: 'producerId' }],
  ['producerEpoch', 'int32', '0+', 'Epoch of the producer that the partition knows.'],
  ['lastSequence', 'int32', '0+', 'Sequence number of the last record written; -1 for none.', { default: '-1' }],
  [
    'lastTimestamp',
    'int64',
    '0+',
    'Time of the last record written, in Unix milliseconds; -1 for none.',
    { default: '-1' },
  ],
  ['coordinatorEpoch', 'int32', '0+', 'Epoch of the coordinator that wrote the last marker.'],
  [
    'currentTxnStartOffset',
    'int64',
    '0+',
    'Offset at which the open transaction begins; -1 for none.',
    { default: '-1' },
  ],
];

const partitionResponse: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
  [
    'errorMessage',
    'string',
    '0+',
    'Explanation of the error by the broker, or null.',
    { nullable: '0+', default: 'null' },
  ],
  ['activeProducers', '[]ProducerState', '0+', 'Producers with state on the partition.', { fields: producerState }],
];

const topicResponse: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['partitions', '[]PartitionResponse', '0+', 'Partitions looked at.', { fields: partitionResponse }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['topics', '[]TopicResponse', '0+', 'Topics looked at.', { fields: topicResponse }],
];

export default {
  key: 61,
  name: 'DescribeProducers',
  doc: 'Lists producers with state on partitions, to find hanging transactions. Since Kafka 2.8 (KIP-664).',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
