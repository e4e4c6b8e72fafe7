// RequestHeader: comes before the body of every request. Read by the generator only, runs in no thread; facts and
// words, no code.

import type { DataTable } from './schema.ts';

export default {
  name: 'RequestHeader',
  kind: 'header',
  doc: 'Comes before every request body: its API, version and correlation id.',
  versions: '0-2',
  flexible: '2+',
  fields: [
    ['requestApiKey', 'int16', '0+', 'API key that says which request follows.'],
    ['requestApiVersion', 'int16', '0+', 'Version of the request that follows; its response has the same version.'],
    ['correlationId', 'int32', '0+', 'Number chosen by the client; the broker returns it in the response header.'],
    [
      'clientId',
      'string',
      '1+',
      'Client name for logs, metrics and quotas of the broker. Never in compact form, also not in version 2.',
      { nullable: '1+', ignorable: true, flexible: 'none' },
    ],
  ],
} as const satisfies DataTable;
