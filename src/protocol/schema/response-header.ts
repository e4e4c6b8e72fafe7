// ResponseHeader: comes before the body of every response. Read by the generator only, runs in no thread; facts and
// words, no code.

import type { DataTable } from './schema.ts';

export default {
  name: 'ResponseHeader',
  kind: 'header',
  doc: 'Comes before every response body: which request it answers. ApiVersions responses always use version 0.',
  versions: '0-1',
  flexible: '1+',
  fields: [['correlationId', 'int32', '0+', 'Correlation id of the request that this answers.']],
} as const satisfies DataTable;
