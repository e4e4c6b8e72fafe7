// What scripts do with their arguments.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { majorsOfArguments, supportedMajors } from '../../../scripts/node-binaries.ts';

test('scripts that run on every Node run on all supported ones, or on those that are named', () => {
  assert.deepEqual(majorsOfArguments('script', 'Runs.', []), supportedMajors);
  assert.deepEqual(majorsOfArguments('script', 'Runs.', ['22', '24']), [22, 24]);
});
