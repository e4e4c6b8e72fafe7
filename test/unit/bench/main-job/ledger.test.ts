// The proof that lines came back: it accepts only lines that came back as they were sent.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Chunk, keyBytes } from '../../../../bench/main-job/chunk.ts';
import { createLedgers, differences, type PartitionLedger } from '../../../../bench/main-job/ledger.ts';

const lines = ['first', '', 'third line', 'the same', 'the same'];

interface Fetched {
  offset: number;
  key: Buffer;
  value: Buffer;
}

/** A partition to which the lines were produced, and its records as a broker would give them back. */
function produced(): { ledger: PartitionLedger; records: Fetched[] } {
  const chunk = new Chunk();
  const records = lines.map((line, i) => {
    const start = i === 0 ? 0 : chunk.ends[i - 1]! + 1;
    chunk.bytes.set(Buffer.from(line), start);
    chunk.addLine(start, start + line.length, 3, i + 1);
    const key = Buffer.alloc(keyBytes);
    chunk.writeKey(i, key);
    return { offset: i, key, value: Buffer.from(line) };
  });
  const ledger = createLedgers(1)[0]!;
  ledger.produced.addChunk(chunk, 0);
  return { ledger, records };
}

function fetch(ledger: PartitionLedger, records: readonly Fetched[]): string[] {
  for (const { offset, key, value } of records) {
    const bytes = Buffer.concat([value, key]);
    ledger.fetched.addRecord(offset, bytes, value.length, key.length, 0, value.length);
  }
  return differences(ledger);
}

test('the key of a line is the number of its file and its own, big-endian', () => {
  const chunk = new Chunk();
  const key = Buffer.alloc(keyBytes);
  chunk.addLine(0, 1, 0x01020304, 0xfffefdfc);
  chunk.writeKey(0, key);
  assert.equal(key.toString('hex'), '01020304fffefdfc');
});

describe('a ledger', () => {
  test('balances when every record came back', () => {
    const { ledger, records } = produced();
    assert.deepEqual(fetch(ledger, records), []);
  });

  const faults: readonly (readonly [what: string, change: (records: Fetched[]) => void])[] = [
    ['a record is missing', (records) => records.splice(2, 1)],
    ['a record came twice', (records) => records.splice(2, 0, records[2]!)],
    ['two records changed places', (records) => records.splice(0, 2, records[1]!, records[0]!)],
    ['a byte of a value is another', (records) => records[2]!.value.write('F', 0)],
    ['a byte of a key is another', (records) => records[4]!.key.write('k', 7)],
    ['an offset is another', (records) => (records[1]!.offset = 7)],
    [
      'a byte went from one value to the next',
      (records) => {
        records[2]!.value = Buffer.from('third lin');
        records[3]!.value = Buffer.from('ethe same');
      },
    ],
  ];
  for (const [what, change] of faults) {
    test(`does not balance when ${what}`, () => {
      const { ledger, records } = produced();
      change(records);
      assert.notDeepEqual(fetch(ledger, records), []);
    });
  }
});
