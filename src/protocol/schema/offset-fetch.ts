// OffsetFetch, API key 9: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const offsetFetchRequestTopic: readonly FieldRow[] = [
  ['name', 'string', '0-7', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['partitionIndexes', '[]int32', '0-7', 'Partition indexes within the topic.'],
];

const offsetFetchRequestTopics: readonly FieldRow[] = [
  ['name', 'string', '8-9', 'Name of the topic; case matters.', { ignorable: true, entity: 'topicName' }],
  ['topicId', 'uuid', '10+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  ['partitionIndexes', '[]int32', '8+', 'Partition indexes within the topic.'],
];

const offsetFetchRequestGroup: readonly FieldRow[] = [
  ['groupId', 'string', '8+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  [
    'memberId',
    'string',
    '9+',
    'Id of the asking member of a consumer group (KIP-848), or null from outside of the group.',
    { nullable: '9+', default: 'null', ignorable: true },
  ],
  [
    'memberEpoch',
    'int32',
    '9+',
    'Epoch of the asking member, to be checked (KIP-848); -1 from outside of the group.',
    { default: '-1', ignorable: true },
  ],
  [
    'topics',
    '[]OffsetFetchRequestTopics',
    '8+',
    'Topics to look up, or null for all that the group has committed.',
    { nullable: '8+', fields: offsetFetchRequestTopics },
  ],
];

const request: readonly FieldRow[] = [
  ['groupId', 'string', '0-7', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  [
    'topics',
    '[]OffsetFetchRequestTopic',
    '0-7',
    'Topics to look up, or null for all that the group has committed.',
    { nullable: '2-7', fields: offsetFetchRequestTopic },
  ],
  [
    'groups',
    '[]OffsetFetchRequestGroup',
    '8+',
    'Groups to look up, all with the same coordinator.',
    { fields: offsetFetchRequestGroup },
  ],
  [
    'requireStable',
    'bool',
    '7+',
    'True to get error 88 instead of an offset that an open transaction may still change (KIP-447).',
    { default: 'false' },
  ],
];

const offsetFetchResponsePartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0-7', 'Partition index within the topic.'],
  ['committedOffset', 'int64', '0-7', 'Offset of the next record to read; -1 for none.'],
  [
    'committedLeaderEpoch',
    'int32',
    '5-7',
    'Leader epoch of the last record read (KIP-320); -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  ['metadata', 'string', '0-7', 'Free text stored with the offset, or null.', { nullable: '0-7' }],
  ['errorCode', 'int16', '0-7', 'Error of the partition; 0 for none.'],
];

const offsetFetchResponseTopic: readonly FieldRow[] = [
  ['name', 'string', '0-7', 'Name of the topic; case matters.', { entity: 'topicName' }],
  [
    'partitions',
    '[]OffsetFetchResponsePartition',
    '0-7',
    'Partitions with their committed offsets.',
    { fields: offsetFetchResponsePartition },
  ],
];

const offsetFetchResponsePartitions: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '8+', 'Partition index within the topic.'],
  ['committedOffset', 'int64', '8+', 'Offset of the next record to read; -1 for none.'],
  [
    'committedLeaderEpoch',
    'int32',
    '8+',
    'Leader epoch of the last record read (KIP-320); -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  ['metadata', 'string', '8+', 'Free text stored with the offset, or null.', { nullable: '8+' }],
  ['errorCode', 'int16', '8+', 'Error of the partition; 0 for none.'],
];

const offsetFetchResponseTopics: readonly FieldRow[] = [
  ['name', 'string', '8-9', 'Name of the topic; case matters.', { ignorable: true, entity: 'topicName' }],
  ['topicId', 'uuid', '10+', 'Unique id of the topic (KIP-516); all zero for none.', { ignorable: true }],
  [
    'partitions',
    '[]OffsetFetchResponsePartitions',
    '8+',
    'Partitions with their committed offsets.',
    { fields: offsetFetchResponsePartitions },
  ],
];

const offsetFetchResponseGroup: readonly FieldRow[] = [
  ['groupId', 'string', '8+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  [
    'topics',
    '[]OffsetFetchResponseTopics',
    '8+',
    'Topics with their committed offsets.',
    { fields: offsetFetchResponseTopics },
  ],
  ['errorCode', 'int16', '8+', 'Error of the group; 0 for none.', { default: '0' }],
];

const response: readonly FieldRow[] = [
  [
    'throttleTimeMs',
    'int32',
    '3+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  [
    'topics',
    '[]OffsetFetchResponseTopic',
    '0-7',
    'Topics with their committed offsets.',
    { fields: offsetFetchResponseTopic },
  ],
  ['errorCode', 'int16', '2-7', 'Error of the whole request; 0 for none.', { default: '0', ignorable: true }],
  ['groups', '[]OffsetFetchResponseGroup', '8+', 'One result for each group.', { fields: offsetFetchResponseGroup }],
];

export default {
  key: 9,
  name: 'OffsetFetch',
  doc: 'Reads committed positions, of many groups from version 8 (KIP-709), of ZooKeeper in version 0. Since 0.8.1.',
  flexible: '6+',
  listeners: ['broker'],
  legacy: '0',
  request: { versions: '0-10', fields: request },
  response: { versions: '0-10', fields: response },
} as const satisfies ApiTable;
