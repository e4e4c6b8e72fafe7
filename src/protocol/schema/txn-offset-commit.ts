// TxnOffsetCommit, API key 28: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const txnOffsetCommitRequestPartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['committedOffset', 'int64', '0+', 'Offset of the next record to read.'],
  [
    'committedLeaderEpoch',
    'int32',
    '2+',
    'Leader epoch of the last record read (KIP-320); -1 for unknown.',
    { default: '-1', ignorable: true },
  ],
  ['committedMetadata', 'string', '0+', 'Free text stored with the offset, or null.', { nullable: '0+' }],
];

const txnOffsetCommitRequestTopic: readonly FieldRow[] = [
  ['name', 'string', '0-5', 'Name of the topic; case matters.', { entity: 'topicName', ignorable: true }],
  ['topicId', 'uuid', '6+', 'Id of the topic; never given again.', { ignorable: true }],
  [
    'partitions',
    '[]TxnOffsetCommitRequestPartition',
    '0+',
    'Partitions to commit.',
    { fields: txnOffsetCommitRequestPartition },
  ],
];

const request: readonly FieldRow[] = [
  ['transactionalId', 'string', '0+', 'Transactional id of the producer.', { entity: 'transactionalId' }],
  ['groupId', 'string', '0+', 'Id of the group, the same for all its members.', { entity: 'groupId' }],
  ['producerId', 'int64', '0+', 'Id that the cluster gave to the producer.', { entity: 'producerId' }],
  ['producerEpoch', 'int16', '0+', 'Epoch of the producer; older ones are fenced off.'],
  [
    'generationIdOrMemberEpoch',
    'int32',
    '3+',
    'Generation or member epoch of the consumer that read the records (KIP-447); -1 to not have it checked.',
    { default: '-1' },
  ],
  [
    'memberId',
    'string',
    '3+',
    'Member id of the consumer that read the records (KIP-447); empty to not have it checked.',
    { default: '' },
  ],
  [
    'groupInstanceId',
    'string',
    '3+',
    'Id given by configuration to a static member (KIP-345), or null.',
    { nullable: '3+', default: 'null' },
  ],
  ['topics', '[]TxnOffsetCommitRequestTopic', '0+', 'Topics to commit.', { fields: txnOffsetCommitRequestTopic }],
];

const txnOffsetCommitResponsePartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
];

const txnOffsetCommitResponseTopic: readonly FieldRow[] = [
  ['name', 'string', '0-5', 'Name of the topic; case matters.', { entity: 'topicName', ignorable: true }],
  ['topicId', 'uuid', '6+', 'Id of the topic; never given again.', { ignorable: true }],
  [
    'partitions',
    '[]TxnOffsetCommitResponsePartition',
    '0+',
    'Partitions committed.',
    { fields: txnOffsetCommitResponsePartition },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['topics', '[]TxnOffsetCommitResponseTopic', '0+', 'Topics committed.', { fields: txnOffsetCommitResponseTopic }],
];

export default {
  key: 28,
  name: 'TxnOffsetCommit',
  doc: 'Commits positions of a group as a part of a transaction. Since Kafka 0.11 (KIP-98).',
  flexible: '3+',
  listeners: ['broker'],
  request: { versions: '0-6', fields: request },
  response: { versions: '0-6', fields: response },
} as const satisfies ApiTable;
