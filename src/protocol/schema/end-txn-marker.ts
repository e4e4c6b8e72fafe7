// EndTxnMarker: data that travels inside another message or a record. Read by the generator only, runs in no
// thread; facts and words, no code.

import type { DataTable } from './schema.ts';

export default {
  name: 'EndTxnMarker',
  kind: 'data',
  doc: 'Value of a commit or abort marker, after its int16 version.',
  versions: '0',
  flexible: 'none',
  fields: [['coordinatorEpoch', 'int32', '0+', 'Epoch of the transaction coordinator that wrote the marker.']],
} as const satisfies DataTable;
