// A hand-written file of src stays under 400 lines: a longer one owns more than one thing. The linter limits functions. Generated code
// and the schema tables may be longer, because they are lists.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceFiles } from './support/source-files.ts';

const limit = 400;

test('hand-written files of src are under 400 lines', () => {
  const files = sourceFiles('src').filter(({ path }) => !/\/(generated|schema)\//.test(path));
  assert.ok(files.length > 50, `${files.length} files found`);
  const tooLong = files
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines >= limit)
    .map(({ path, lines }) => `src/${path}: ${lines} lines`);
  assert.deepEqual(tooLong, []);
});
