// EndTxn, API key 26: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['transactionalId', 'string', '0+', 'Transactional id of the producer.', { entity: 'transactionalId' }],
  ['producerId', 'int64', '0+', 'Id that the cluster gave to the producer.', { entity: 'producerId' }],
  ['producerEpoch', 'int16', '0+', 'Epoch of the producer; older ones are fenced off.'],
  ['committed', 'bool', '0+', 'True to commit, false to abort.'],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  [
    'producerId',
    'int64',
    '5+',
    'Producer id for the next transaction (KIP-890); -1 for unchanged or after an error.',
    { default: '-1', ignorable: true, entity: 'producerId' },
  ],
  [
    'producerEpoch',
    'int16',
    '5+',
    'Epoch for the next transaction (KIP-890); -1 for unchanged or after an error.',
    { default: '-1', ignorable: true },
  ],
];

export default {
  key: 26,
  name: 'EndTxn',
  doc: 'Commits or aborts a transaction. Since Kafka 0.11 (KIP-98).',
  flexible: '3+',
  listeners: ['broker'],
  request: { versions: '0-5', fields: request },
  response: { versions: '0-5', fields: response },
} as const satisfies ApiTable;
