// Reading decoded records on the application's side: by cursor, by index, by iteration, and what each promises.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import Long from 'long';
import type { RecordsView } from '../../../../src/protocol/flat/records/record-view.ts';
import { decode, encode } from './support.ts';

const time = 1_700_000_000_000;

function three(baseOffset: bigint | number = 5): RecordsView {
  return decode(
    encode({
      baseOffset,
      records: [
        {
          key: 'k0',
          value: 'v0',
          timestamp: time,
          headers: [
            ['h', '1'],
            ['h', null],
            ['é', ''],
          ],
        },
        { key: null, value: null, timestamp: time + 1 },
        { key: '', value: 'v2', timestamp: -1 },
      ],
    }),
  );
}

describe('a record cursor', () => {
  it('moves over all records, fields in place', () => {
    const seen: unknown[] = [];
    const cursor = three().cursor();
    while (cursor.next()) {
      const value = cursor.bytes.subarray(cursor.valueOffset, cursor.valueOffset + cursor.valueLength);
      seen.push([
        cursor.offset,
        cursor.offsetLow,
        cursor.offsetHigh,
        cursor.timestamp,
        cursor.keyLength,
        cursor.valueLength < 0 ? null : Buffer.from(value).toString(),
        cursor.headerCount,
      ]);
    }
    assert.deepEqual(seen, [
      [5, 5, 0, time, 2, 'v0', 3],
      [6, 6, 0, time + 1, -1, null, 0],
      [7, 7, 0, -1, 0, 'v2', 0],
    ]);
    assert.equal(cursor.next(), false);
    assert.equal(cursor.next(), false);
  });

  it('gives key and value as slices that stay valid when it moves on', () => {
    const cursor = three().cursor();
    cursor.next();
    const { key, value } = cursor;
    assert.ok(Buffer.isBuffer(key) && Buffer.isBuffer(value));
    assert.equal(value.buffer, cursor.bytes.buffer);
    assert.equal(value.byteOffset, cursor.bytes.byteOffset + cursor.valueOffset);
    cursor.next();
    assert.equal(cursor.key, null);
    assert.equal(cursor.value, null);
    assert.equal(`${key}${value}`, 'k0v0');
    assert.deepEqual([key, value], [Buffer.from('k0'), Buffer.from('v0')]);
    cursor.next();
    assert.equal(cursor.key!.length, 0);
  });

  it('has bytes whose parts are the same as those of any other bytes', () => {
    const { bytes } = three().cursor();
    const same = new Uint8Array(bytes);
    assert.ok(same.length > 40);
    const ends = [undefined, 0, 3, 3.7, -3, -3.7, bytes.length, bytes.length + 9, -bytes.length - 9, Number.NaN];
    for (const begin of ends)
      for (const end of ends) {
        const part = bytes.subarray(begin, end);
        assert.deepEqual(part, same.subarray(begin, end), `${begin} to ${end}`);
        assert.equal(part.buffer, bytes.buffer);
      }
    assert.deepEqual(bytes.slice(2, 9), same.slice(2, 9));
    assert.deepEqual(
      bytes.map((byte) => byte ^ 1),
      same.map((byte) => byte ^ 1),
    );
  });

  it('starts at an offset, for batches that begin before what was fetched', () => {
    const firstFrom = (view: RecordsView, from: number | bigint | Long): string => {
      const cursor = view.cursor(from);
      return cursor.next() ? Long.fromBits(cursor.offsetLow, cursor.offsetHigh).toString() : 'none';
    };
    for (const base of [5n, 2n ** 32n - 1n, 2n ** 40n]) {
      const view = three(base);
      assert.equal(firstFrom(view, 0), String(base));
      assert.equal(firstFrom(view, base), String(base));
      assert.equal(firstFrom(view, Long.fromString(String(base + 1n))), String(base + 1n));
      assert.equal(firstFrom(view, Number(base) + 2), String(base + 2n));
      assert.equal(firstFrom(view, base + 3n), 'none');
    }
    assert.throws(() => three().cursor(1.5), TypeError);
  });

  it('has no number for an offset that does not fit into a number', () => {
    const exact = three(2n ** 53n - 2n).cursor();
    exact.next();
    assert.equal(exact.offset, 2 ** 53 - 2);
    const beyond = three(2n ** 53n).cursor();
    beyond.next();
    assert.ok(Number.isNaN(beyond.offset));
    assert.equal(beyond.offsetHigh, 2 ** 21);
  });
});

describe('a records view', () => {
  it('gives records by index and in order, each in its own object', () => {
    const view = three();
    const all = [...view];
    assert.equal(all.length, 3);
    assert.deepEqual(
      all.map((record) => [record.offset.toNumber(), record.key?.toString() ?? null, record.value?.toString() ?? null]),
      [
        [5, 'k0', 'v0'],
        [6, null, null],
        [7, '', 'v2'],
      ],
    );
    assert.equal(view.at(2).value!.toString(), 'v2');
    assert.equal(view.at(0).timestamp.toNumber(), time);
    for (const index of [-1, 3, 0.5, Number.NaN]) assert.throws(() => view.at(index), RangeError);
    const indexes: number[] = [];
    view.forEach((_, index) => {
      indexes.push(index);
    });
    assert.deepEqual(indexes, [0, 1, 2]);
    assert.equal(view.toArray().length, 3);
  });

  it('parses headers once, at the first access', () => {
    const record = three().at(0);
    assert.deepEqual(
      record.headers.map(({ key, value }) => [key, value?.toString() ?? null]),
      [
        ['h', '1'],
        ['h', null],
        ['é', ''],
      ],
    );
    assert.equal(record.headers, record.headers);
    assert.deepEqual(three().at(1).headers, []);
  });

  it('becomes plain objects, text and JSON', () => {
    const view = three();
    const [first] = view.toObject() as Record<string, unknown>[];
    assert.deepEqual(Object.keys(first!), ['offset', 'timestamp', 'key', 'value', 'headers']);
    assert.match(inspect(view), /^RecordsView \[/);
    assert.match(inspect(view.at(0)), /^RecordView \{/);
    assert.equal(JSON.parse(JSON.stringify(view)).length, 3);
  });

  it('shows its error when it is printed', () => {
    const bytes = encode([{ value: 'v' }]);
    bytes[30]! ^= 1;
    assert.match(inspect(decode(bytes)), /CRC-32C/);
  });

  it('gives the same error object each time', () => {
    const bytes = encode([{ value: 'v' }]);
    bytes[30]! ^= 1;
    const view = decode(bytes);
    assert.equal(view.error, view.error);
    assert.equal(view.error!.retriable, true);
    assert.equal(three().error, null);
    assert.equal(three().faultyOffset, null);
  });
});
