// The records that a reader of committed records sees, if transactions interleave, markers repeat, or lists are out of order.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Long from 'long';
import { CorruptRecordError } from '../../../../src/common/errors/errors.ts';
import { committedRanges, committedRecords } from '../../../../src/protocol/flat/records/aborted-transactions.ts';
import type { RecordsView } from '../../../../src/protocol/flat/records/record-view.ts';
import { decode, encode } from './support.ts';

let offset = 0;

/** A batch of one record per value, at the next offsets. */
function batch(producerId: number, values: string[], isTransactional = true): Buffer {
  const baseOffset = offset;
  offset += values.length;
  return encode({ baseOffset, producerId, isTransactional, records: values.map((value) => ({ value })) });
}

function marker(producerId: number, type: number, keyBytes = [0, 0, 0, type]): Buffer {
  const baseOffset = offset++;
  const key = Uint8Array.from(keyBytes);
  return encode({
    baseOffset,
    producerId,
    isTransactional: true,
    isControl: true,
    records: [{ key, value: Uint8Array.of(0, 0, 0, 0, 0, 1) }],
  });
}

const abort = (producerId: number): Buffer => marker(producerId, 0);
const commit = (producerId: number): Buffer => marker(producerId, 1);

function field(...build: (() => Buffer)[]): RecordsView {
  offset = 100;
  return decode(Buffer.concat(build.map((make) => make())));
}

function aborted(...list: [producerId: number, firstOffset: number][]) {
  return list.map(([producerId, firstOffset]) => ({
    producerId: Long.fromNumber(producerId),
    firstOffset: Long.fromNumber(firstOffset),
  }));
}

function seen(view: RecordsView, list: ReturnType<typeof aborted> | null): string {
  return [...committedRecords(view, list)].map(({ value }) => value!.toString()).join(' ');
}

describe('committedRanges', () => {
  it('leaves out aborted transactions and keeps those committed, those of others and plain records', () => {
    const view = field(
      () => batch(-1, ['plain1'], false),
      () => batch(1, ['a1', 'a2']),
      () => batch(2, ['b1']),
      () => abort(1),
      () => batch(1, ['a3']),
      () => batch(-1, ['plain2'], false),
      () => commit(1),
      () => commit(2),
    );
    assert.equal(seen(view, aborted([1, 101])), 'plain1 b1 a3 plain2');
    assert.deepEqual(committedRanges(view, aborted([1, 101])), [
      { first: 0, count: 1 },
      { first: 3, count: 3 },
    ]);
    assert.equal(seen(view, null), 'plain1 a1 a2 b1 a3 plain2');
  });

  it('accepts the list in any order, and the same producer more than once', () => {
    const view = field(
      () => batch(1, ['a1']),
      () => abort(1),
      () => batch(1, ['a2']),
      () => commit(1),
      () => batch(1, ['a3']),
      () => abort(1),
      () => batch(1, ['a4']),
    );
    assert.equal(seen(view, aborted([1, 104], [1, 100])), 'a2 a4');
  });

  it('ignores repeated markers and markers of other kinds', () => {
    const view = field(
      () => abort(1),
      () => batch(1, ['a1']),
      () => abort(1),
      () => abort(1),
      () => marker(1, 7),
      () => batch(1, ['a2']),
    );
    assert.equal(seen(view, aborted([1, 101])), 'a2');
  });

  it('leaves out a transaction that started before what was fetched', () => {
    const view = field(
      () => batch(5, ['x']),
      () => abort(5),
      () => batch(5, ['y']),
    );
    assert.equal(seen(view, aborted([5, 3])), 'y');
  });

  it('keeps records that are not transactional, even of a producer in an aborted transaction', () => {
    const view = field(
      () => batch(5, ['x']),
      () => batch(5, ['idempotent'], false),
    );
    assert.equal(seen(view, aborted([5, 100])), 'idempotent');
  });

  it('refuses a marker that cannot be read', () => {
    const view = field(() => marker(1, 0, [0, 0]));
    assert.equal(view.error, null);
    assert.throws(() => committedRanges(view, null), CorruptRecordError);
  });

  it('gives ranges that a cursor can read', () => {
    const view = field(
      () => batch(1, ['a1', 'a2']),
      () => abort(1),
      () => batch(2, ['b1', 'b2']),
      () => commit(2),
    );
    const values: string[] = [];
    for (const range of committedRanges(view, aborted([1, 100]))) {
      for (const cursor = view.cursorOver(range); cursor.next(); ) values.push(cursor.value!.toString());
    }
    assert.deepEqual(values, ['b1', 'b2']);
    assert.throws(() => view.cursorOver({ first: 3, count: 2 }), RangeError);
    assert.throws(() => view.cursorOver({ first: -1, count: 2 }), RangeError);
  });
});
