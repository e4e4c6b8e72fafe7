// Tests what `npm run bench -- --check` says of figures.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type CheckFigures, exitCodeOf, growths } from '../../../bench/support/check.ts';
import { projectFolder } from '../../../scripts/project.ts';

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

test('each of the saved figures fails the check when it alone has grown by more than a fifth', () => {
  const saved = JSON.parse(readFileSync(join(projectFolder, 'bench', 'results', 'check.json'), 'utf8')) as Record<
    string,
    CheckFigures
  >;
  for (const figures of Object.values(saved)) {
    assert.ok(Object.keys(figures).length >= 10);
    assert.equal(exitCodeOf(growths(figures, figures), false), 0);
    for (const [name, value] of Object.entries(figures)) {
      const grownBy = (factor: number) => growths(figures, { ...figures, [name]: value * factor });
      assert.equal(exitCodeOf(grownBy(1.21), false), 1, name);
      assert.equal(exitCodeOf(grownBy(1.19), false), 0, name);
      // What is saved is what is compared with from now on.
      assert.equal(exitCodeOf(grownBy(1.21), true), 0, name);
    }
  }
});

test('a figure that only one side has is not compared', () => {
  assert.deepEqual(growths({ gone: 1 }, { added: 1 }), []);
});
