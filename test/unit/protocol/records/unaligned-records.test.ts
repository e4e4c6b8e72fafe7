// The bytes of a snapshot in FetchSnapshot: a slice that may begin and end anywhere.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FetchSnapshotResponseView } from '../../../../src/protocol/flat/generated/fetch-snapshot.ts';
import { passage } from '../support/passage.ts';
import { tableMessages } from '../support/tables.ts';
import { decodeOptions, encode } from './support.ts';

const through = await passage(tableMessages.get('FetchSnapshotResponse')!);
const records = Array.from({ length: 20 }, (_, i) => ({ value: `record ${i}` }));

function fetched(unalignedRecords: Buffer) {
  const flat = through.write({ topics: [{ name: 't', partitions: [{ index: 0, unalignedRecords }] }] });
  const decoded = through.decode(through.encode(flat, 1), 1, decodeOptions).flat;
  return (through.view(decoded) as FetchSnapshotResponseView).topics.at(0).partitions.at(0).unalignedRecords;
}

describe('bytes of a snapshot', () => {
  for (const compression of ['none', 'gzip', 'snappy'] as const) {
    const whole = Buffer.concat([encode({ records, compression }), encode({ records, compression, baseOffset: 20 })]);

    for (const [what, slice] of [
      ['of whole batches', whole],
      ['that begins inside a batch', whole.subarray(30)],
      ['that begins inside the head of a batch', whole.subarray(9)],
      ['that ends inside a batch', whole.subarray(0, whole.length - 11)],
      ['of nothing', Buffer.alloc(0)],
    ] as const) {
      it(`a slice ${what}, ${compression}, comes back unchanged`, () => {
        const view = fetched(slice);
        assert.equal(view.error, null);
        assert.deepEqual(view.raw, slice);
        assert.equal(view.length, 0);
        assert.equal(view.nextOffset.toNumber(), -1, 'no position is made up from bytes that are not understood');
      });
    }
  }
});
