// CreateDelegationToken, API key 38: shape and documentation of both messages. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const creatableRenewers: readonly FieldRow[] = [
  ['principalType', 'string', '0+', 'Type of the principal, such as User.'],
  ['principalName', 'string', '0+', 'Name of the principal, such as alice.'],
];

const request: readonly FieldRow[] = [
  [
    'ownerPrincipalType',
    'string',
    '3+',
    'Type of the owner, such as User (KIP-373), or null for the requester.',
    { nullable: '3+' },
  ],
  ['ownerPrincipalName', 'string', '3+', 'Name of the owner (KIP-373), or null for the requester.', { nullable: '3+' }],
  [
    'renewers',
    '[]CreatableRenewers',
    '0+',
    'Principals that may renew the token besides its owner.',
    { fields: creatableRenewers },
  ],
  ['maxLifetimeMs', 'int64', '0+', 'Milliseconds the token may live in all; -1 for the setting of the broker.'],
];

const response: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  ['principalType', 'string', '0+', 'Type of the owner, such as User.'],
  ['principalName', 'string', '0+', 'Name of the owner.'],
  ['tokenRequesterPrincipalType', 'string', '3+', 'Type of the principal that asked for the token.'],
  ['tokenRequesterPrincipalName', 'string', '3+', 'Name of the principal that asked for the token.'],
  ['issueTimestampMs', 'int64', '0+', 'Time of creation in Unix milliseconds.'],
  ['expiryTimestampMs', 'int64', '0+', 'Time at which the token ends unless renewed, in Unix milliseconds.'],
  ['maxTimestampMs', 'int64', '0+', 'Time beyond which the token cannot be renewed, in Unix milliseconds.'],
  ['tokenId', 'string', '0+', 'Id of the token; the user name for SCRAM.'],
  ['hmac', 'bytes', '0+', 'Secret of the token; in base64 the password for SCRAM.'],
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
];

export default {
  key: 38,
  name: 'CreateDelegationToken',
  doc: 'Creates a delegation token to authenticate with by SCRAM. Since Kafka 1.1 (KIP-48).',
  flexible: '2+',
  listeners: ['broker', 'controller'],
  legacy: '0',
  request: { versions: '0-3', fields: request },
  response: { versions: '0-3', fields: response },
} as const satisfies ApiTable;
