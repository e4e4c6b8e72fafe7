// What scripts do with their arguments.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { majorsOfArguments, supportedMajors } from '../../../scripts/node-binaries.ts';

test('scripts that run on every Node run on all supported ones, or on those that are named', () => {
  assert.deepEqual(majorsOfArguments('script', 'Runs.', []), supportedMajors);
  assert.deepEqual(majorsOfArguments('script', 'Runs.', ['22', '24']), [22, 24]);
});

test('the fuzz repeats a case by the seed that a finding names, which may be negative', () => {
  const fuzz = fileURLToPath(new URL('../../../scripts/fuzz.js', import.meta.url));
  const output = execFileSync(process.execPath, [fuzz, '--target', 'scram', '--case', '-1733454388'], {
    encoding: 'utf8',
  });
  assert.equal((JSON.parse(output) as { finding: unknown }).finding, null);
});
