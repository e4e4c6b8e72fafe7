// AbortedTxn: an entry of the transaction index, a file of the broker. Read by the generator only, runs in no thread;
// facts and words, no code.

import type { DataTable } from './schema.ts';

export default {
  name: 'AbortedTxn',
  kind: 'data',
  doc: 'Entry of the transaction index that a broker keeps beside a segment, after its int16 version.',
  versions: '0',
  flexible: 'none',
  fields: [
    ['producerId', 'int64', '0+', 'Id that the cluster gave to the producer.'],
    ['firstOffset', 'int64', '0+', 'Offset of the first record of the aborted transaction.'],
    ['lastOffset', 'int64', '0+', 'Offset of the abort marker.'],
    ['lastStableOffset', 'int64', '0+', 'Offset below which no transaction was open when the marker was written.'],
  ],
} as const satisfies DataTable;
