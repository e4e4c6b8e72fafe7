// SaslAuthenticate, API key 36: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['authBytes', 'bytes', '0+', 'Token of the client, as the mechanism defines it.'],
];

const response: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error code, such as 58 for refused credentials; 0 for success.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
  ['authBytes', 'bytes', '0+', 'Token of the broker, as the mechanism defines it.'],
  [
    'sessionLifetimeMs',
    'int64',
    '1+',
    'Milliseconds after which the client must authenticate again (KIP-368); 0 for never.',
    { default: '0', ignorable: true },
  ],
];

export default {
  key: 36,
  name: 'SaslAuthenticate',
  doc: 'Carries one token of a SASL exchange each way. Since Kafka 1.0 (KIP-152).',
  flexible: '2+',
  listeners: ['broker', 'controller'],
  request: { versions: '0-2', fields: request },
  response: { versions: '0-2', fields: response },
} as const satisfies ApiTable;
