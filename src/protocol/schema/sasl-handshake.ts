// SaslHandshake, API key 17: shape and documentation of both messages. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['mechanism', 'string', '0+', 'Mechanism the client wants, such as SCRAM-SHA-512.'],
];

const response: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error code, such as 33 for a mechanism the broker lacks; 0 for success.'],
  ['mechanisms', '[]string', '0+', 'Mechanisms the broker has on this listener.'],
];

export default {
  key: 17,
  name: 'SaslHandshake',
  doc: 'Chooses a SASL mechanism; SaslAuthenticate follows, with version 0 bare tokens. Since Kafka 0.10.0 (KIP-43).',
  flexible: 'none',
  listeners: ['broker', 'controller'],
  request: { versions: '0-1', fields: request },
  response: { versions: '0-1', fields: response },
} as const satisfies ApiTable;
