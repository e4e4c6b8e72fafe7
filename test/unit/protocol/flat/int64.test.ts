import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import Long from 'long';
import { int64Parts, longOf } from '../../../../src/protocol/flat/int64.ts';

const huge = 2n ** 53n + 1n;
const made = (value: bigint): Long => longOf(Number(BigInt.asIntN(32, value)), Number(value >> 32n));

test('an int64 is printed and put into JSON as a number, or as text if a number would lose digits', () => {
  assert.equal(inspect({ offset: made(42n), lag: made(-1n) }), '{ offset: 42, lag: -1 }');
  assert.equal(inspect({ offset: made(huge) }), '{ offset: 9007199254740993 }');
  const json = JSON.stringify({ offset: made(42n), lag: made(-1n), far: made(huge), least: made(-(2n ** 63n)) });
  assert.equal(json, '{"offset":42,"lag":-1,"far":"9007199254740993","least":"-9223372036854775808"}');
});

test('an int64 is a Long in every other way', () => {
  const value = made(huge);
  assert.ok(value instanceof Long);
  assert.ok(Long.isLong(value));
  assert.ok(value.equals(Long.fromString('9007199254740993')));
  assert.equal(value.add(1).toString(), '9007199254740994');
  assert.deepEqual({ ...int64Parts(value) }, { low: value.low, high: value.high });
  assert.deepEqual(Object.keys(value), ['low', 'high', 'unsigned']);
});
