// A hand-written file stays under 400 lines: a longer one owns more than one thing. The linter limits functions. Generated code
// and the schema tables may be longer, because they are lists.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceFiles } from './support/source-files.ts';

const maxLines = 400;

for (const folder of ['src', 'test', 'bench', 'scripts', 'examples']) {
  test(`hand-written files of ${folder} are under ${maxLines} lines`, () => {
    const files = sourceFiles(folder).filter(({ path }) => !/\b(generated|schema|node_modules)\//.test(path));
    assert.ok(files.length > 3, `${files.length} files found`);
    const tooLong = files
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines >= maxLines)
      .map(({ path, lines }) => `${folder}/${path}: ${lines} lines`);
    assert.deepEqual(tooLong, []);
  });
}
