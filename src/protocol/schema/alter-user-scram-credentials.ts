// AlterUserScramCredentials, API key 51: shape and documentation of both messages. Read by the generator only, runs
// in no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const scramCredentialDeletion: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the user.'],
  ['mechanism', 'int8', '0+', 'Mechanism: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512.'],
];

const scramCredentialUpsertion: readonly FieldRow[] = [
  ['name', 'string', '0+', 'Name of the user.'],
  ['mechanism', 'int8', '0+', 'Mechanism: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512.'],
  ['iterations', 'int32', '0+', 'Iterations of the key derivation.'],
  ['salt', 'bytes', '0+', 'Random salt, made by the client.'],
  ['saltedPassword', 'bytes', '0+', 'Password after key derivation with salt and iterations (RFC 5802).'],
];

const request: readonly FieldRow[] = [
  ['deletions', '[]ScramCredentialDeletion', '0+', 'Credentials to delete.', { fields: scramCredentialDeletion }],
  [
    'upsertions',
    '[]ScramCredentialUpsertion',
    '0+',
    'Credentials to create or replace.',
    { fields: scramCredentialUpsertion },
  ],
];

const alterUserScramCredentialsResult: readonly FieldRow[] = [
  ['user', 'string', '0+', 'Name of the user.'],
  ['errorCode', 'int16', '0+', 'Error of the user; 0 for none.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  [
    'results',
    '[]AlterUserScramCredentialsResult',
    '0+',
    'One result for each user.',
    { fields: alterUserScramCredentialsResult },
  ],
];

export default {
  key: 51,
  name: 'AlterUserScramCredentials',
  doc: 'Sets and deletes SCRAM credentials of users. Since Kafka 2.7 (KIP-554).',
  flexible: '0+',
  listeners: ['broker', 'controller'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
