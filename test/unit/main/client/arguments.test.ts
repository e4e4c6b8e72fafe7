import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkApi,
  checkNodeId,
  checkTimeoutMs,
  checkTopics,
  checkVersion,
} from '../../../../src/main/client/arguments.ts';
import { Metadata } from '../../../../src/protocol/flat/generated/apis.ts';

test('node ids are int32', () => {
  for (const nodeId of [0, 1, -1, 2147483647, -2147483648]) assert.equal(checkNodeId(nodeId), nodeId);
  for (const wrong of [1.5, 2147483648, Number.NaN, Number.POSITIVE_INFINITY, '1', null, undefined, 1n, {}]) {
    assert.throws(() => checkNodeId(wrong as never), { name: 'TypeError', message: /nodeId must be an int32/ });
  }
});

test('timeouts are positive int32, or left out', () => {
  assert.equal(checkTimeoutMs(undefined), -1);
  for (const timeoutMs of [1, 30_000, 2147483647]) assert.equal(checkTimeoutMs(timeoutMs), timeoutMs);
  for (const wrong of [0, -1, 0.5, 2147483648, Number.NaN, Number.POSITIVE_INFINITY, '5', null, 5n]) {
    assert.throws(() => checkTimeoutMs(wrong as never), { name: 'TypeError', message: /timeoutMs must be an integer/ });
  }
});

test('versions are int16 from 0, or left out', () => {
  assert.equal(checkVersion(undefined), -1);
  for (const version of [0, 18, 32767]) assert.equal(checkVersion(version), version);
  for (const wrong of [-1, 1.5, 32768, Number.NaN, '1', null]) {
    assert.throws(() => checkVersion(wrong as never), { name: 'TypeError', message: /version must be an integer/ });
  }
});

test('an API is one of the exports', () => {
  checkApi(Metadata);
  for (const wrong of [null, undefined, 3, 'Metadata', {}, { key: 3 }]) {
    assert.throws(() => checkApi(wrong as never), { name: 'TypeError', message: /api must be an export/ });
  }
});

test('topic names follow the rule of brokers', () => {
  const good = ['a', 'A.b_c-1', '...', '_', 'x'.repeat(249), '__consumer_offsets'];
  assert.deepEqual([...checkTopics(good)], good);
  assert.deepEqual([...checkTopics(new Set(['b', 'a']))], ['b', 'a']);
  assert.deepEqual([...checkTopics([])], []);
  assert.deepEqual([...checkTopics(['a', 'a'])], ['a']);
  for (const wrong of ['', '.', '..', 'x'.repeat(250), 'a b', 'a/b', 'ü', 'a\n', 'a,b', '\u0000']) {
    assert.throws(() => checkTopics([wrong]), { name: 'RangeError', message: /topic name .* is invalid/ }, wrong);
  }
  for (const wrong of [5, null, undefined, {}, ['a']]) {
    assert.throws(() => checkTopics([wrong as never]), TypeError);
  }
  for (const wrong of ['topic', 5, null, undefined, {}]) {
    assert.throws(() => checkTopics(wrong as never), { name: 'TypeError', message: /topics must be a list or set/ });
  }
});

test('messages show the value in a short form', () => {
  assert.throws(
    () => checkTopics(['x'.repeat(100_000)]),
    (error: Error) => error.message.length < 300,
  );
  assert.throws(() => checkNodeId('seven' as never), /not "seven"/);
});

test('a value that cannot be shown is refused too', () => {
  assert.throws(() => checkNodeId(Object.create(null)), TypeError);
  assert.throws(() => checkTimeoutMs(Symbol('s') as never), TypeError);
});
