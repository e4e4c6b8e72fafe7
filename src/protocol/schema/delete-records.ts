// DeleteRecords, API key 21: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const deleteRecordsPartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['offset', 'int64', '0+', 'Records before this offset go; -1 for the high watermark.'],
];

const deleteRecordsTopic: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  [
    'partitions',
    '[]DeleteRecordsPartition',
    '0+',
    'Partitions to delete records of.',
    { fields: deleteRecordsPartition },
  ],
];

const request: readonly FieldRow[] = [
  ['topics', '[]DeleteRecordsTopic', '0+', 'Topics to delete records of.', { fields: deleteRecordsTopic }],
  ['timeoutMs', 'int32', '0+', 'Milliseconds to wait until all replicas have deleted.'],
];

const deleteRecordsPartitionResult: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.', { mapKey: true }],
  ['lowWatermark', 'int64', '0+', 'Lowest offset that is left on any replica.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
];

const deleteRecordsTopicResult: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  [
    'partitions',
    '[]DeleteRecordsPartitionResult',
    '0+',
    'Partitions with the result.',
    { fields: deleteRecordsPartitionResult },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['topics', '[]DeleteRecordsTopicResult', '0+', 'Topics with the result.', { fields: deleteRecordsTopicResult }],
];

export default {
  key: 21,
  name: 'DeleteRecords',
  doc: 'Deletes records of partitions before an offset. Since Kafka 0.11 (KIP-107).',
  flexible: '2+',
  listeners: ['broker'],
  request: { versions: '0-2', fields: request },
  response: { versions: '0-2', fields: response },
} as const satisfies ApiTable;
