// A hand-written file of src stays under 400 lines: one that has grown past that owns more than one thing. Functions are the
// linter's business. Generated code and the schema tables, which are lists, may be as long as they have to.

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
