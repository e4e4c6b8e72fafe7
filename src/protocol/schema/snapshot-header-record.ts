// SnapshotHeaderRecord: data that travels inside another message or a record. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { DataTable } from './schema.ts';

export default {
  name: 'SnapshotHeaderRecord',
  kind: 'data',
  doc: 'Value of the control record that begins a metadata snapshot (KIP-630).',
  versions: '0',
  flexible: '0+',
  fields: [
    ['version', 'int16', '0+', 'Version of this record.'],
    [
      'lastContainedLogTimestamp',
      'int64',
      '0+',
      'Time of the last record that the snapshot covers, in Unix milliseconds.',
    ],
  ],
} as const satisfies DataTable;
