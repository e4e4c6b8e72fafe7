// RenewDelegationToken, API key 39: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['hmac', 'bytes', '0+', 'Secret of the token to renew.'],
  ['renewPeriodMs', 'int64', '0+', 'Milliseconds from now the token shall live; -1 for the setting of the broker.'],
];

const response: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  ['expiryTimestampMs', 'int64', '0+', 'Time at which the token ends unless renewed, in Unix milliseconds.'],
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
];

export default {
  key: 39,
  name: 'RenewDelegationToken',
  doc: 'Lets a delegation token live longer, up to its maximum. Since Kafka 1.1 (KIP-48).',
  flexible: '2+',
  listeners: ['broker', 'controller'],
  legacy: '0',
  request: { versions: '0-2', fields: request },
  response: { versions: '0-2', fields: response },
} as const satisfies ApiTable;
