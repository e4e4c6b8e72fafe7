// ExpireDelegationToken, API key 40: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['hmac', 'bytes', '0+', 'Secret of the token to end.'],
  ['expiryTimePeriodMs', 'int64', '0+', 'Milliseconds from now until the token ends; negative for at once.'],
];

const response: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  ['expiryTimestampMs', 'int64', '0+', 'Time at which the token ends unless renewed, in Unix milliseconds.'],
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
];

export default {
  key: 40,
  name: 'ExpireDelegationToken',
  doc: 'Makes a delegation token end, at once or later. Since Kafka 1.1 (KIP-48).',
  flexible: '2+',
  listeners: ['broker', 'controller'],
  legacy: '0',
  request: { versions: '0-2', fields: request },
  response: { versions: '0-2', fields: response },
} as const satisfies ApiTable;
