// DescribeDelegationToken, API key 41: shape and documentation of both messages. Read by the generator only, runs
// in no thread; facts and words, no code.

import type { ApiTable, FieldRow } from './schema.ts';

const describeDelegationTokenOwner: readonly FieldRow[] = [
  ['principalType', 'string', '0+', 'Type of the principal, such as User.'],
  ['principalName', 'string', '0+', 'Name of the principal, such as alice.'],
];

const request: readonly FieldRow[] = [
  [
    'owners',
    '[]DescribeDelegationTokenOwner',
    '0+',
    'Owners whose tokens are wanted, or null for all.',
    { nullable: '0+', fields: describeDelegationTokenOwner },
  ],
];

const describedDelegationTokenRenewer: readonly FieldRow[] = [
  ['principalType', 'string', '0+', 'Type of the principal, such as User.'],
  ['principalName', 'string', '0+', 'Name of the principal, such as alice.'],
];

const describedDelegationToken: readonly FieldRow[] = [
  ['principalType', 'string', '0+', 'Type of the owner, such as User.'],
  ['principalName', 'string', '0+', 'Name of the owner.'],
  ['tokenRequesterPrincipalType', 'string', '3+', 'Type of the principal that asked for the token.'],
  ['tokenRequesterPrincipalName', 'string', '3+', 'Name of the principal that asked for the token.'],
  ['issueTimestamp', 'int64', '0+', 'Time of creation in Unix milliseconds.'],
  ['expiryTimestamp', 'int64', '0+', 'Time at which the token ends unless renewed, in Unix milliseconds.'],
  ['maxTimestamp', 'int64', '0+', 'Time beyond which the token cannot be renewed, in Unix milliseconds.'],
  ['tokenId', 'string', '0+', 'Id of the token; the user name for SCRAM.'],
  ['hmac', 'bytes', '0+', 'Secret of the token; in base64 the password for SCRAM.'],
  [
    'renewers',
    '[]DescribedDelegationTokenRenewer',
    '0+',
    'Principals that may renew the token besides its owner.',
    { fields: describedDelegationTokenRenewer },
  ],
];

const response: readonly FieldRow[] = [
  ['errorCode', 'int16', '0+', 'Error code; 0 for success.'],
  [
    'tokens',
    '[]DescribedDelegationToken',
    '0+',
    'Tokens found that this client may see.',
    { fields: describedDelegationToken },
  ],
  ['throttleTimeMs', 'int32', '0+', 'Milliseconds the client must pause because of a quota; 0 for none.'],
];

export default {
  key: 41,
  name: 'DescribeDelegationToken',
  doc: 'Lists delegation tokens of owners. Since Kafka 1.1 (KIP-48).',
  flexible: '2+',
  listeners: ['broker', 'controller'],
  legacy: '0',
  request: { versions: '0-3', fields: request },
  response: { versions: '0-3', fields: response },
} as const satisfies ApiTable;
