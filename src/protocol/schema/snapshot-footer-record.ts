// SnapshotFooterRecord: data that travels inside another message or a record. Read by the generator only, runs in
// no thread; facts and words, no code.

import type { DataTable } from './schema.ts';

export default {
  name: 'SnapshotFooterRecord',
  kind: 'data',
  doc: 'Value of the control record that ends a metadata snapshot (KIP-630).',
  versions: '0',
  flexible: '0+',
  fields: [['version', 'int16', '0+', 'Version of this record.']],
} as const satisfies DataTable;
