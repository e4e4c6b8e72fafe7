// InitProducerId, API key 22: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  [
    'transactionalId',
    'string',
    '0+',
    'Transactional id, or null for idempotence only.',
    { nullable: '0+', entity: 'transactionalId' },
  ],
  [
    'transactionTimeoutMs',
    'int32',
    '0+',
    'Milliseconds after which the coordinator aborts an open transaction; unused without transactional id.',
  ],
  [
    'producerId',
    'int64',
    '3+',
    'Producer id to go on with, with its epoch increased (KIP-360); -1 for a new one.',
    { default: '-1', entity: 'producerId' },
  ],
  ['producerEpoch', 'int16', '3+', 'Epoch that goes with the producer id; -1 for none.', { default: '-1' }],
  [
    'enable2Pc',
    'bool',
    '6+',
    'True to take part in two-phase commit: the coordinator sets no time limit (KIP-939).',
    { default: 'false' },
  ],
  [
    'keepPreparedTxn',
    'bool',
    '6+',
    'True to keep a prepared transaction instead of aborting it (KIP-939).',
    { default: 'false' },
  ],
];

const response: readonly FieldRow[] = [
  [
    'throttleTimeMs',
    'int32',
    '0+',
    'Milliseconds the client must pause because of a quota; 0 for none.',
    { ignorable: true },
  ],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  ['producerId', 'int64', '0+', 'Producer id to use; -1 after an error.', { default: '-1', entity: 'producerId' }],
  ['producerEpoch', 'int16', '0+', 'Epoch of the producer; older ones are fenced off.'],
  [
    'ongoingTxnProducerId',
    'int64',
    '6+',
    'Producer id of the prepared transaction that was kept (KIP-939); -1 for none.',
    { default: '-1', entity: 'producerId' },
  ],
  ['ongoingTxnProducerEpoch', 'int16', '6+', 'Epoch that goes with it; -1 for none.', { default: '-1' }],
];

export default {
  key: 22,
  name: 'InitProducerId',
  doc: 'Gets a producer id and epoch, and ends what an older producer left open. Since Kafka 0.11 (KIP-98).',
  flexible: '2+',
  listeners: ['broker'],
  latestUnstable: true,
  request: { versions: '0-6', fields: request },
  response: { versions: '0-6', fields: response },
} as const satisfies ApiTable;
