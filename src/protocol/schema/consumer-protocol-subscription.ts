// ConsumerProtocolSubscription: data that travels inside another message or a record. Read by the generator only,
// runs in no thread; facts and words, no code.

import type { DataTable, FieldRow } from './schema.ts';

const topicPartition: readonly FieldRow[] = [
  ['topic', 'string', '1+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  ['partitions', '[]int32', '1+', 'Partition indexes within the topic.'],
];

export default {
  name: 'ConsumerProtocolSubscription',
  kind: 'data',
  doc: 'What a consumer tells the leader of a classic group: topics wanted, partitions owned. After its int16 version.',
  versions: '0-3',
  flexible: 'none',
  fields: [
    ['topics', '[]string', '0+', 'Names of the topics wanted.'],
    ['userData', 'bytes', '0+', 'Bytes of the assignor, or null.', { nullable: '0+', default: 'null' }],
    [
      'ownedPartitions',
      '[]TopicPartition',
      '1+',
      'Topics with the partitions the consumer has now (KIP-429).',
      { ignorable: true, fields: topicPartition },
    ],
    [
      'generationId',
      'int32',
      '2+',
      'Generation in which it got them (KIP-792); -1 for none.',
      { default: '-1', ignorable: true },
    ],
    [
      'rackId',
      'string',
      '3+',
      'Rack or zone of the consumer (KIP-881), or null for none.',
      { nullable: '3+', default: 'null', ignorable: true },
    ],
  ],
} as const satisfies DataTable;
