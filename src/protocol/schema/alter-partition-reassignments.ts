// AlterPartitionReassignments, API key 45: shape and documentation of both messages. Read by the generator only,
// runs in no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const reassignablePartition: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  [
    'replicas',
    '[]int32',
    '0+',
    'Node ids of the replicas to have, the preferred leader first; null to cancel a running move.',
    { nullable: '0+', default: 'null', entity: 'brokerId' },
  ],
];

const reassignableTopic: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  ['partitions', '[]ReassignablePartition', '0+', 'Partitions to reassign.', { fields: reassignablePartition }],
];

const request: readonly FieldRow[] = [
  ['timeoutMs', 'int32', '0+', 'Milliseconds to wait until the reassignments have begun.', { default: '60000' }],
  [
    'allowReplicationFactorChange',
    'bool',
    '1+',
    'False to refuse reassignments that change the number of replicas (KIP-860).',
    { default: 'true' },
  ],
  ['topics', '[]ReassignableTopic', '0+', 'Topics to reassign.', { fields: reassignableTopic }],
];

const reassignablePartitionResponse: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.'],
  ['errorCode', 'int16', '0+', 'Error of the partition; 0 when the move has begun.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
];

const reassignableTopicResponse: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { entity: 'topicName' }],
  [
    'partitions',
    '[]ReassignablePartitionResponse',
    '0+',
    'Partitions with the results.',
    { fields: reassignablePartitionResponse },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  [
    'allowReplicationFactorChange',
    'bool',
    '1+',
    'Whether the number of replicas was free to change, as in the request.',
    { default: 'true', ignorable: true },
  ],
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
  ['responses', '[]ReassignableTopicResponse', '0+', 'Topics with the results.', { fields: reassignableTopicResponse }],
];

export default {
  key: 45,
  name: 'AlterPartitionReassignments',
  doc: 'Moves partitions to other brokers, or cancels that. Since Kafka 2.4 (KIP-455).',
  flexible: '0+',
  listeners: ['broker', 'controller'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
