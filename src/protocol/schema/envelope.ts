// Envelope, API key 58: shape and documentation of both messages. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const request: readonly FieldRow[] = [
  ['requestData', 'bytes', '0+', 'Request of the client, header included.'],
  [
    'requestPrincipal',
    'bytes',
    '0+',
    'Principal of the client, written as DefaultPrincipalData or as the principal builder does it; null for none.',
    { nullable: '0+' },
  ],
  ['clientHostAddress', 'bytes', '0+', 'Address of the client, 4 or 16 bytes.'],
];

const response: readonly FieldRow[] = [
  [
    'responseData',
    'bytes',
    '0+',
    'Response to the client, header included; null after an error.',
    { nullable: '0+', default: 'null' },
  ],
  ['errorCode', 'int16', '0+', 'Error of the envelope itself; 0 for none.'],
];

export default {
  key: 58,
  name: 'Envelope',
  doc: 'Carries a request of a client from a broker to the controller. Between servers (KIP-590).',
  flexible: '0+',
  listeners: ['controller'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
