// ControlRecordTypeSchema: data that travels inside another message or a record. Read by the generator only, runs
// in no thread; facts and words, no code.

import type { DataTable } from './schema.ts';

export default {
  name: 'ControlRecordTypeSchema',
  kind: 'data',
  doc: 'Key of a control record, after its int16 version: which kind of control record it is.',
  versions: '0',
  flexible: 'none',
  fields: [
    [
      'type',
      'int16',
      '0+',
      'Kind: 0 abort, 1 commit, 2 leader change, 3 snapshot header, 4 snapshot footer, 5 kraft.version, 6 voters.',
    ],
  ],
} as const satisfies DataTable;
