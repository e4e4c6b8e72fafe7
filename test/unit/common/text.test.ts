import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isWellFormed, nearestName, shown } from '../../../src/common/text.ts';

test('a value is shown short, and its own methods are not called', () => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const cases: [unknown, string][] = [
    ['text', '"text"'],
    ['x'.repeat(100), `"${'x'.repeat(60)}..."`],
    [5, '5'],
    [5n, '5'],
    [null, 'null'],
    [undefined, 'undefined'],
    [Symbol('s'), 'Symbol(s)'],
    [() => 1, 'a function'],
    [[1, 2], 'an array of 2'],
    [{}, 'an object'],
    [new Map(), 'a Map'],
    [{ low: 1, high: 2 }, 'Long(1, 2)'],
    [Object.create(null), 'an object'],
    [{ toString: () => assert.fail('called') }, 'an object'],
    [revoked.proxy, 'an object'],
    [
      {
        get constructor() {
          throw new Error('no');
        },
      },
      'an object',
    ],
  ];
  for (const [value, text] of cases) assert.equal(shown(value), text);
  assert.equal(shown('abcdef', 3), '"abc..."');
});

test('the nearest name is found in any case, and a name that is too different is not', () => {
  const known = ['alpha', 'alphabet', 'beta'];
  assert.equal(nearestName('ALPHA', known, 0), 'alpha');
  assert.equal(nearestName('alphabt', known, 2), 'alphabet');
  assert.equal(nearestName('gamma', known, 2), undefined);
  assert.equal(nearestName('x', [], 9), undefined);
});

test('text with half a surrogate pair is not well formed', () => {
  assert.deepEqual(['', 'a', '😀', '\ud83d', 'a\ude00'].map(isWellFormed), [true, true, true, false, false]);
});
