// AddOffsetsToTxn, API key 25: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['transactionalId', 'string', '0+', 'Transactional id of the producer.', { entity: 'transactionalId' }],
  ['producerId', 'int64', '0+', 'Id that the cluster gave to the producer.', { entity: 'producerId' }],
  ['producerEpoch', 'int16', '0+', 'Epoch of the producer; older ones are fenced off.'],
  ['groupId', 'string', '0+', 'Id of the group whose offsets will be committed.', { entity: 'groupId' }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
];

export default {
  key: 25,
  name: 'AddOffsetsToTxn',
  doc: 'Adds the offsets of a group to a transaction, before TxnOffsetCommit. Since Kafka 0.11 (KIP-98).',
  flexible: '3+',
  listeners: ['broker'],
  request: { versions: '0-4', fields: request },
  response: { versions: '0-4', fields: response },
} as const satisfies ApiTable;
