// AssignReplicasToDirs, API key 73: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const requestPartitionData: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
];

const requestTopicData: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  [
    'partitions',
    '[]PartitionData',
    '0+',
    'Partitions with a replica in the directory.',
    { fields: requestPartitionData },
  ],
];

const requestDirectoryData: readonly FieldRow[] = [
  ['id', 'uuid', '0+', 'Id of the log directory.'],
  ['topics', '[]TopicData', '0+', 'Topics with replicas in the directory.', { fields: requestTopicData }],
];

const request: readonly FieldRow[] = [
  ['brokerId', 'int32', '0+', 'Node id of the broker.', { entity: 'brokerId' }],
  ['brokerEpoch', 'int64', '0+', 'Epoch of the broker registration; -1 for unknown.', { default: '-1' }],
  [
    'directories',
    '[]DirectoryData',
    '0+',
    'Log directories with the replicas in them.',
    { fields: requestDirectoryData },
  ],
];

const responsePartitionData: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 for none.'],
];

const responseTopicData: readonly FieldRow[] = [
  ['topicId', 'uuid', '0+', 'Unique id of the topic (KIP-516); all zero for none.'],
  ['partitions', '[]PartitionData', '0+', 'Partitions with the results.', { fields: responsePartitionData }],
];

const responseDirectoryData: readonly FieldRow[] = [
  ['id', 'uuid', '0+', 'Id of the log directory.'],
  ['topics', '[]TopicData', '0+', 'Topics with the results.', { fields: responseTopicData }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  ['directories', '[]DirectoryData', '0+', 'Log directories with the results.', { fields: responseDirectoryData }],
];

export default {
  key: 73,
  name: 'AssignReplicasToDirs',
  doc: 'Tells the controller which log directories replicas are in. From brokers, since Kafka 3.7 (KIP-858).',
  flexible: '0+',
  listeners: ['controller'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
