// DescribeTransactions, API key 65: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['transactionalIds', '[]string', '0+', 'Transactional ids to describe.', { entity: 'transactionalId' }],
];

const topicData: readonly FieldRow[] = [
  ['topic', 'string', '0+', 'Name of the topic; case matters.', { mapKey: true, entity: 'topicName' }],
  ['partitions', '[]int32', '0+', 'Partition indexes within the topic.'],
];

const transactionState: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error of the transactional id; 0 for none.'],
  ['transactionalId', 'string', '0+', 'Transactional id of the producer.', { entity: 'transactionalId' }],
  ['transactionState', 'string', '0+', 'State, such as Ongoing or CompleteCommit.'],
  ['transactionTimeoutMs', 'int32', '0+', 'Milliseconds after which the coordinator aborts the transaction.'],
  ['transactionStartTimeMs', 'int64', '0+', 'Start of the transaction in Unix milliseconds; -1 for none open.'],
  ['producerId', 'int64', '0+', 'Id that the cluster gave to the producer.', { entity: 'producerId' }],
  ['producerEpoch', 'int16', '0+', 'Epoch of the producer; older ones are fenced off.'],
  ['topics', '[]TopicData', '0+', 'Topics with partitions in the transaction.', { fields: topicData }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  [
    'transactionStates',
    '[]TransactionState',
    '0+',
    'One description for each transactional id.',
    { fields: transactionState },
  ],
];

export default {
  key: 65,
  name: 'DescribeTransactions',
  doc: 'Describes transactions by transactional id. Since Kafka 3.0 (KIP-664).',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
