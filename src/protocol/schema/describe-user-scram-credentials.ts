// DescribeUserScramCredentials, API key 50: shape and documentation of both messages. Read by the generator only,
// runs in no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const userName: readonly FieldRow[] = [['name', 'string', '0+', 'Name of the user.']];

const request: readonly FieldRow[] = [
  ['users', '[]UserName', '0+', 'Users to describe, or null for all.', { nullable: '0+', fields: userName }],
];

const credentialInfo: readonly FieldRow[] = [
  ['mechanism', 'int8', '0+', 'Mechanism: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512.'],
  ['iterations', 'int32', '0+', 'Iterations of the key derivation.'],
];

const describeUserScramCredentialsResult: readonly FieldRow[] = [
  ['user', 'string', '0+', 'Name of the user.'],
  ['errorCode', 'int16', '0+', 'Error of the user; 0 for none.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
  ['credentialInfos', '[]CredentialInfo', '0+', 'Credentials the user has.', { fields: credentialInfo }],
];

const response: readonly FieldRow[] = [
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
  ['errorCode', 'int16', '0+', 'Error of the whole request; 0 for none.'],
  ['errorMessage', 'string', '0+', 'Explanation of the error by the broker, or null.', { nullable: '0+' }],
  [
    'results',
    '[]DescribeUserScramCredentialsResult',
    '0+',
    'One result for each user.',
    { fields: describeUserScramCredentialsResult },
  ],
];

export default {
  key: 50,
  name: 'DescribeUserScramCredentials',
  doc: 'Lists the SCRAM credentials of users, without secrets. Since Kafka 2.7 (KIP-554).',
  flexible: '0+',
  listeners: ['broker', 'controller'],
  request: { versions: '0', fields: request },
  response: { versions: '0', fields: response },
} as const satisfies ApiTable;
