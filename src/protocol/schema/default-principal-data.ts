// DefaultPrincipalData: data that travels inside another message or a record. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { DataTable } from './schema.ts';

export default {
  name: 'DefaultPrincipalData',
  kind: 'data',
  doc: 'A principal as brokers write it into an Envelope, after its int16 version.',
  versions: '0',
  flexible: '0+',
  fields: [
    ['type', 'string', '0+', 'Type of the principal, such as User.'],
    ['name', 'string', '0+', 'Name of the principal.'],
    ['tokenAuthenticated', 'bool', '0+', 'True when it authenticated by a delegation token.'],
  ],
} as const satisfies DataTable;
