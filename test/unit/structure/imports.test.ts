// Reads every line of src that loads a module and fails on any that the table of rooms does not allow: what keeps the wire
// codecs out of the application thread is not discipline.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Exception, exceptions, packagesOf, roomNames, roomOf, violations } from './support/import-rules.ts';
import { findReferences } from './support/references.ts';
import { packageJson, sourceFiles } from './support/source-files.ts';

describe('imports in src', () => {
  const files = sourceFiles('src').map(({ path, text }) => ({ path, references: findReferences(text) }));
  const used = new Set<Exception>();

  test('are all allowed', () => {
    assert.ok(files.length > 100, `${files.length} files found`);
    assert.deepEqual(
      files.flatMap(({ path, references }) => violations(path, references, used)),
      [],
    );
  });

  test('need every exception', () => {
    assert.deepEqual(
      exceptions.filter((exception) => !used.has(exception)),
      [],
    );
  });

  test('are of packages that package.json names', () => {
    const { dependencies, optionalDependencies, peerDependencies } = packageJson();
    const declared = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
    const needed = new Set(files.flatMap(({ path, references }) => packagesOf(path, references)));
    assert.deepEqual(
      [...needed].filter((name) => !declared.includes(name)),
      [],
    );
  });

  test('are looked at in every room', () => {
    const seen = new Set(files.map(({ path }) => roomOf(path)));
    assert.deepEqual(
      roomNames.filter((name) => !seen.has(name)),
      [],
    );
  });
});

describe('a forbidden import is found', () => {
  const forbidden: readonly (readonly [what: string, path: string, text: string])[] = [
    ['of another room', 'main/x.ts', `import { a } from '../worker/poll-loop.ts';`],
    ['of a wire codec', 'main/x.ts', `import { a } from '../protocol/wire/header.ts';`],
    ['of types only', 'main/x.ts', `import type { A } from '../worker/poll-loop.ts';`],
    ['of a type among values', 'ring/x.ts', `import { type A } from '../codec/index.ts';`],
    ['over several lines', 'worker/x.ts', `import {\n  a, // from 'x'\n  b,\n} from '../main/future.ts';`],
    ['for its side effects', 'common/x.ts', `import '../ring/layout.ts';`],
    ['of all names', 'common/x.ts', `import * as ring from '../ring/layout.ts';`],
    ['by a re-export', 'common/x.ts', `export { a } from '../ring/layout.ts';`],
    ['by a re-export of types', 'common/x.ts', `export type { A } from '../ring/layout.ts';`],
    ['by a re-export of everything', 'common/x.ts', `export * from '../ring/layout.ts';`],
    ['by a re-export under a name', 'common/x.ts', `export * as ring from '../ring/layout.ts';`],
    ['at run time', 'main/x.ts', `const a = await import('../worker/index.ts');`],
    ['in a type', 'main/x.ts', `let a: import('../worker/index.ts').A;`],
    ['inside a template', 'main/x.ts', `const a = \`\${await import('../worker/index.ts')}\`;`],
    ['by require', 'main/x.ts', `const a = require('../worker/index.ts');`],
    ['by a require called at once', 'main/x.ts', `const a = createRequire(import.meta.url)('../worker/index.ts');`],
    ['by a require of another name', 'codec/crc32c.ts', `const load = createRequire(import.meta.url);`],
    ['by resolution', 'main/x.ts', `import.meta.resolve('piscina');`],
    ['by a computed name', 'main/x.ts', `const a = await import(\`../\${room}/index.ts\`);`],
    ['by a computed path', 'main/x.ts', `const a = require(\`./\${room}/../../worker\`);`],
    ['by URL', 'main/kafka-client.ts', `new Worker(new URL('../worker/index.js', import.meta.url));`],
    ['of tables', 'worker/x.ts', `import { apis } from '../protocol/schema/index.ts';`],
    ['of the generator', 'main/x.ts', `import { generateFiles } from '../protocol/generate/index.ts';`],
    ['of tests', 'main/x.ts', `import { waitFor } from '../../test/helpers/wait-for.ts';`],
    ['of a built-in package', 'main/x.ts', `import { connect } from 'node:net';`],
    ['of a built-in package at run time', 'main/x.ts', `process.getBuiltinModule('node:net');`],
    ['of a package, types excepted', 'common/x.ts', `import { Worker } from 'node:worker_threads';`],
    ['of an optional package that would have to be there', 'codec/x.ts', `import { crc32 } from '@node-rs/crc32';`],
    ['of an unknown package', 'worker/x.ts', `import kafka from 'kafkajs/src/index.js';`],
    ['in a folder of no room', 'helpers/x.ts', ''],
  ];
  for (const [what, path, text] of forbidden) {
    test(what, () => assert.equal(violations(path, findReferences(text)).length, 1));
  }
});

describe('an allowed import is not complained of', () => {
  const allowed: readonly (readonly [what: string, path: string, text: string])[] = [
    ['in its own room', 'main/x.ts', `import { Future } from './future.ts';`],
    ['of a room below', 'worker/x.ts', `import { wireCodec } from '../protocol/wire/codecs.ts';`],
    ['of types of a package', 'common/x.ts', `import type { MessagePort } from 'node:worker_threads';`],
    ['of part of a package', 'worker/x.ts', `import { lookup } from 'node:dns/promises';`],
    ['of a name that is a word', 'main/x.ts', `import type from './type.ts';\nimport { from } from './from.ts';`],
    ['computed within its own folder', 'main/x.ts', `require(\`./\${file}\${suffix}\`);`],
    ['of an optional package', 'codec/x.ts', `createRequire(import.meta.url)('@node-rs/crc32');`],
    ['in a comment', 'main/x.ts', `// import '../worker/index.ts'\n/* import '../worker/index.ts' */`],
    ['in a string', 'main/x.ts', `const text = "import '../worker/index.ts';";`],
    ['in a regular expression', 'main/x.ts', `const pattern = /import '..\\/worker'/;\nreturn a / b / c;`],
    ['in names', 'main/x.ts', `export { a, b };\nexport const from = 'x';\nthis.require('../worker/index.ts');`],
  ];
  for (const [what, path, text] of allowed) {
    test(what, () => assert.deepEqual(violations(path, findReferences(text)), []));
  }
});

test('a reference has the line it begins on', () => {
  const text = `// one\nimport {\n  a,\n} from './a.ts';\nconst b = \`\n\${await import('./b.ts')}\`;\n`;
  assert.deepEqual(
    findReferences(text).map(({ specifier, line }) => [specifier, line]),
    [
      ['./a.ts', 2],
      ['./b.ts', 6],
    ],
  );
});
