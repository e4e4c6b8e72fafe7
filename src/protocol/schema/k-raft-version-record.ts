// KRaftVersionRecord: data that travels inside another message or a record. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { DataTable } from './schema.ts';

export default {
  name: 'KRaftVersionRecord',
  kind: 'data',
  doc: 'Value of a control record that sets kraft.version, in the metadata log (KIP-853).',
  versions: '0',
  flexible: '0+',
  fields: [
    ['version', 'int16', '0+', 'Version of this record.'],
    ['kRaftVersion', 'int16', '0+', 'Level of kraft.version from here on.'],
  ],
} as const satisfies DataTable;
