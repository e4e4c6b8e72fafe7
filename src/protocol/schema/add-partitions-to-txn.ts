// AddPartitionsToTxn, API key 24: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const addPartitionsToTxnTopic: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  ['partitions', '[]int32', '0+', 'Partition indexes to add.'],
];

const addPartitionsToTxnTransaction: readonly FieldRow[] = [
  ['transactionalId', 'string', '4+', 'Transactional id of the producer.', { mapKey: true, entity: 'transactionalId' }],
  ['producerId', 'int64', '4+', 'Id that the cluster gave to the producer.', { entity: 'producerId' }],
  ['producerEpoch', 'int16', '4+', 'Epoch of the producer; older ones are fenced off.'],
  [
    'verifyOnly',
    'bool',
    '4+',
    'True to only check that the partitions are part of the transaction.',
    { default: 'false' },
  ],
  [
    'topics',
    '[]AddPartitionsToTxnTopic',
    '4+',
    'Topics with the partitions to add.',
    { fields: addPartitionsToTxnTopic },
  ],
];

const request: readonly FieldRow[] = [
  [
    'transactions',
    '[]AddPartitionsToTxnTransaction',
    '4+',
    'Transactions of several producers, from a broker; clients send one.',
    { fields: addPartitionsToTxnTransaction },
  ],
  ['v3AndBelowTransactionalId', 'string', '0-3', 'Transactional id of the producer.', { entity: 'transactionalId' }],
  ['v3AndBelowProducerId', 'int64', '0-3', 'Id that the cluster gave to the producer.', { entity: 'producerId' }],
  ['v3AndBelowProducerEpoch', 'int16', '0-3', 'Epoch of the producer; older ones are fenced off.'],
  [
    'v3AndBelowTopics',
    '[]AddPartitionsToTxnTopic',
    '0-3',
    'Topics with the partitions to add.',
    { fields: addPartitionsToTxnTopic },
  ],
];

const addPartitionsToTxnPartitionResult: readonly FieldRow[] = [
  ['partitionIndex', 'int32', '0+', 'Partition index within the topic.', { mapKey: true }],
  ['partitionErrorCode', 'int16', '0+', 'Error of the partition; 0 when added.'],
];

const addPartitionsToTxnTopicResult: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  [
    'resultsByPartition',
    '[]AddPartitionsToTxnPartitionResult',
    '0+',
    'One result for each partition.',
    { fields: addPartitionsToTxnPartitionResult },
  ],
];

const addPartitionsToTxnResult: readonly FieldRow[] = [
  ['transactionalId', 'string', '4+', 'Transactional id of the producer.', { mapKey: true, entity: 'transactionalId' }],
  [
    'topicResults',
    '[]AddPartitionsToTxnTopicResult',
    '4+',
    'One result for each topic.',
    { fields: addPartitionsToTxnTopicResult },
  ],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '4+', 'Error of the whole request; 0 for none.', { ignorable: true }],
  [
    'resultsByTransaction',
    '[]AddPartitionsToTxnResult',
    '4+',
    'One result for each transaction.',
    { fields: addPartitionsToTxnResult },
  ],
  [
    'resultsByTopicV3AndBelow',
    '[]AddPartitionsToTxnTopicResult',
    '0-3',
    'One result for each topic.',
    { fields: addPartitionsToTxnTopicResult },
  ],
];

export default {
  key: 24,
  name: 'AddPartitionsToTxn',
  doc: 'Adds partitions to a transaction; from version 4 brokers check with it (KIP-890). Since Kafka 0.11 (KIP-98).',
  flexible: '3+',
  listeners: ['broker'],
  request: { versions: '0-5', fields: request },
  response: { versions: '0-5', fields: response },
} as const satisfies ApiTable;
