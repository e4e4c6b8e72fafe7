// AlterReplicaLogDirs, API key 34: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const alterReplicaLogDirTopic: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  ['partitions', '[]int32', '0+', 'Partition indexes within the topic.'],
];

const alterReplicaLogDir: readonly FieldRow[] = [
  ['path', 'string', '0+', 'Absolute path of the log directory on the broker.', { mapKey: true }],
  [
    'topics',
    '[]AlterReplicaLogDirTopic',
    '0+',
    'Topics with partitions to move there.',
    { fields: alterReplicaLogDirTopic },
  ],
];

const request: readonly FieldRow[] = [
  [
    'dirs',
    '[]AlterReplicaLogDir',
    '0+',
    'Directories with the replicas to move there.',
    { fields: alterReplicaLogDir },
  ],
];

const alterReplicaLogDirPartitionResult: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 when the move has begun.'],
];

const alterReplicaLogDirTopicResult: readonly FieldRow[] = [
  ['topicName', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  [
    'partitions',
    '[]AlterReplicaLogDirPartitionResult',
    '0+',
    'Partitions with the results.',
    { fields: alterReplicaLogDirPartitionResult },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  [
    'results',
    '[]AlterReplicaLogDirTopicResult',
    '0+',
    'Topics with the results.',
    { fields: alterReplicaLogDirTopicResult },
  ],
];

export default {
  key: 34,
  name: 'AlterReplicaLogDirs',
  doc: 'Moves replicas between log directories of one broker. Since Kafka 1.0 (KIP-113).',
  flexible: '2+',
  listeners: ['broker'],
  legacy: '0',
  request: { versions: '0-2', fields: request },
  response: { versions: '0-2', fields: response },
} as const satisfies ApiTable;
