// Lists of any length are not spread into the arguments of a call: the stack has room for some ten thousand only, and then the call throws
// and what the list held is lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, greatest, least, replaceAt } from '../../../src/common/lists.ts';
import { sourceFiles } from './support/source-files.ts';

const spread =
  /\.(?:push|unshift)\((?:[^(){}]*, )?\.\.\.|\.splice\([^()]*, \.\.\.|\bMath\.(?:max|min)\((?:[^()]*, )?\.\.\.|\.fromCharCode\(\.\.\./;

test('no list is spread into push, unshift, splice, Math.max or Math.min', () => {
  const found = sourceFiles('src').flatMap(({ path, text }) =>
    text
      .split('\n')
      .map((line, i) => ({ line: line.replace(/\/\/.*/, ''), at: `${path}:${i + 1}` }))
      .filter(({ line }) => spread.test(line))
      .map(({ at, line }) => `${at} ${line.trim()}`),
  );
  assert.deepEqual(found, []);
});

test('the functions that replace them accept lists of any length', () => {
  const long = Array.from({ length: 500_000 }, (_, i) => i);
  const list = [-1, -2, -3];
  append(list, long);
  assert.equal(list.length, long.length + 3);
  replaceAt(list, 1, long);
  assert.deepEqual([list[0], list[1], list[long.length + 1], list.length], [-1, 0, -3, 2 * long.length + 2]);
  replaceAt(list, list.length - 1, [7]);
  assert.equal(list.at(-1), 7);
  assert.equal(greatest(long), 499_999);
  assert.equal(greatest([], 3), 3);
  assert.equal(least(long), 0);
});
