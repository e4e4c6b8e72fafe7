// ConsumerProtocolAssignment: data that travels inside another message or a record. Read by the generator only,
// runs in no thread; facts and words, no code.

import type { DataTable, FieldRow } from './schema.ts';

const topicPartition: readonly FieldRow[] = [
  ['topic', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  ['partitions', '[]int32', '0+', 'Partition indexes within the topic.'],
];

export default {
  name: 'ConsumerProtocolAssignment',
  kind: 'data',
  doc: 'What a consumer of a classic group gets from its leader. After its int16 version.',
  versions: '0-3',
  flexible: 'none',
  fields: [
    [
      'assignedPartitions',
      '[]TopicPartition',
      '0+',
      'Topics with the partitions assigned.',
      { fields: topicPartition },
    ],
    ['userData', 'bytes', '0+', 'Bytes of the assignor, or null.', { nullable: '0+', default: 'null' }],
  ],
} as const satisfies DataTable;
