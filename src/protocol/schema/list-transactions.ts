// ListTransactions, API key 66: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['stateFilters', '[]string', '0+', 'States of the transactions wanted, such as Ongoing; empty for all.'],
  ['producerIdFilters', '[]int64', '0+', 'Producer ids wanted; empty for all.', { entity: 'producerId' }],
  [
    'durationFilter',
    'int64',
    '1+',
    'Only transactions open for more milliseconds than this (KIP-994); -1 for all.',
    { default: '-1' },
  ],
  [
    'transactionalIdPattern',
    'string',
    '2+',
    'RE2 pattern of the transactional ids wanted (KIP-1152), or null for all.',
    { nullable: '2+', default: 'null' },
  ],
];

const transactionState: readonly FieldRow[] = [
  ['transactionalId', 'string', '0+', 'Transactional id of the producer.', { entity: 'transactionalId' }],
  ['producerId', 'int64', '0+', 'Id that the cluster gave to the producer.', { entity: 'producerId' }],
  ['transactionState', 'string', '0+', 'State, such as Ongoing or CompleteCommit.'],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  ['unknownStateFilters', '[]string', '0+', 'States asked for that the broker does not know.'],
  ['transactionStates', '[]TransactionState', '0+', 'Transactions found.', { fields: transactionState }],
];

export default {
  key: 66,
  name: 'ListTransactions',
  doc: 'Lists transactions that a broker coordinates; ask every broker for all of them. Since Kafka 3.0 (KIP-664).',
  flexible: '0+',
  listeners: ['broker'],
  request: { versions: '0-2', fields: request },
  response: { versions: '0-2', fields: response },
} as const satisfies ApiTable;
