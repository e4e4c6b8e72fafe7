// Results of administration calls, as they come from the network thread.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import Long from 'long';
import { withLongs } from '../../../../src/main/admin/results.ts';

test('an int64 comes back as a Long, anywhere, and is shown and put into JSON as its number', () => {
  const plain = structuredClone({ offset: Long.fromNumber(42), rows: [{ at: Long.fromString('-1') }] });
  const { offset, rows } = withLongs(plain);
  assert.ok(Long.isLong(offset));
  assert.equal(offset.add(1).toNumber(), 43);
  assert.equal(JSON.stringify({ offset, rows }), '{"offset":42,"rows":[{"at":-1}]}');
  assert.equal(inspect(offset), '42');
});
