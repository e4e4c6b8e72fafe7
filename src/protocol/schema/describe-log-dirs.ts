// DescribeLogDirs, API key 35: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const describableLogDirTopic: readonly FieldRow[] = [
  ['topic', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  ['partitions', '[]int32', '0+', 'Partition indexes within the topic.'],
];

const request: readonly FieldRow[] = [
  [
    'topics',
    '[]DescribableLogDirTopic',
    '0+',
    'Topics with partitions to describe, or null for all.',
    { nullable: '0+', fields: describableLogDirTopic },
  ],
];

const describeLogDirsPartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['partitionSize', 'int64', '0+', 'Bytes that all segments of the replica take.'],
  [
    'offsetLag',
    'int64',
    '0+',
    'Records the replica is behind: the high watermark for the current one, the current replica for a future one.',
  ],
  ['isFutureKey', 'bool', '0+', 'True for a copy being made that will take the place of the current replica.'],
];

const describeLogDirsTopic: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  [
    'partitions',
    '[]DescribeLogDirsPartition',
    '0+',
    'Partitions with a replica in the directory.',
    { fields: describeLogDirsPartition },
  ],
];

const describeLogDirsResult: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the directory; 0 for none.'],
  ['logDir', 'string', '0+', 'Absolute path of the log directory on the broker.'],
  [
    'topics',
    '[]DescribeLogDirsTopic',
    '0+',
    'Topics with replicas in the directory.',
    { fields: describeLogDirsTopic },
  ],
  ['totalBytes', 'int64', '4+', 'Bytes of the volume (KIP-827); -1 for unknown.', { default: '-1', ignorable: true }],
  [
    'usableBytes',
    'int64',
    '4+',
    'Bytes free on the volume (KIP-827); -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  [
    'isCordoned',
    'bool',
    '5+',
    'True when no new replicas may be placed in the directory (KIP-1066).',
    { default: 'false', ignorable: true },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '3+', 'Error of the whole request; 0 for none.', { ignorable: true }],
  ['results', '[]DescribeLogDirsResult', '0+', 'Log directories of the broker.', { fields: describeLogDirsResult }],
];

export default {
  key: 35,
  name: 'DescribeLogDirs',
  doc: 'Describes the log directories of one broker and the replicas in them. Since Kafka 1.0 (KIP-113).',
  flexible: '2+',
  listeners: ['broker'],
  legacy: '0',
  request: { versions: '0-5', fields: request },
  response: { versions: '0-5', fields: response },
} as const satisfies ApiTable;
