// Tests what `npm run bench -- --check` says of figures.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growths } from '../../../bench/support/check.ts';

test('a figure that has grown by more than a fifth is too dear, others are not', () => {
  const before = { same: 2, dearer: 2, cheaper: 2, 'a little dearer': 2 };
  const after = { same: 2, dearer: 2.5, cheaper: 1, 'a little dearer': 2.3 };
  assert.deepEqual(
    growths(before, after).map(({ name, isTooMuch }) => [name, isTooMuch]),
    [
      ['same', false],
      ['dearer', true],
      ['cheaper', false],
      ['a little dearer', false],
    ],
  );
});

test('a figure that only one side has is not compared', () => {
  assert.deepEqual(growths({ gone: 1 }, { added: 1 }), []);
});
