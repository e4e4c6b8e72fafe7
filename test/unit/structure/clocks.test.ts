// Time is an argument: which files read which clock. A time limit by the wall clock would jump with it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceFiles } from './support/source-files.ts';

const readersOf = (clock: RegExp): string[] =>
  sourceFiles('src')
    // The embedded broker is a process of its own in spirit: it has its own clock, which tests move.
    .filter(
      ({ path, text }) => !path.startsWith('testing/') && clock.test(text.replaceAll(/\/\*.*?\*\/|\/\/[^\n]*/gs, '')),
    )
    .map(({ path }) => path);

test('only files that need the wall clock read it', () => {
  assert.deepEqual(readersOf(/\bDate\.now\b|\bnew Date\b/), [
    // An offset of so long ago is found by the times of records.
    'cli/groups/reset.ts',
    // The life of a token, which its server tells in wall time.
    'common/oidc-token-provider.ts',
    // Records without a timestamp.
    'main/producer/record-routes.ts',
    'protocol/flat/records/record-writer.ts',
    // Compared with the monotonic clock, it tells that the machine was suspended.
    'worker/index.ts',
  ]);
});

test('all threads share one monotonic clock, and nothing below the poll loop reads it', () => {
  assert.deepEqual(readersOf(/\bperformance\.(?:now|timeOrigin)\b|\bhrtime\b/), ['common/clock.ts']);
  const readers = readersOf(/\bmonotonicNowMs\b/).filter((path) => path !== 'common/clock.ts');
  assert.deepEqual(
    readers.filter((path) => !path.startsWith('main/') && !path.startsWith('cli/')),
    ['common/oidc-token-provider.ts', 'worker/index.ts'],
  );
});
