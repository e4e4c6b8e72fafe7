// Reads every line of src that loads a module, and fails on any that the table of rooms does not allow. So the application thread cannot
// import a wire codec.

import assert from 'node:assert/strict';
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { describe, test } from 'node:test';
import {
  allowedRooms,
  cycleOf,
  type Exception,
  exceptions,
  packagesOf,
  roomNames,
  roomOf,
  roomTable,
  violations,
} from './support/import-rules.ts';
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

  test('need every exception of the table', () => {
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
      [...needed].filter((name) => !declared.includes(name) && !isBuiltin(name)),
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
    ['of another room', 'main/link/x.ts', `import { a } from '../../worker/poll-loop.ts';`],
    ['of a wire codec', 'main/link/x.ts', `import { a } from '../../protocol/wire/header.ts';`],
    ['of types only', 'main/link/x.ts', `import type { A } from '../../worker/poll-loop.ts';`],
    ['of a type among values', 'ring/x.ts', `import { type A } from '../codec/index.ts';`],
    ['over several lines', 'worker/requests/x.ts', `import {\n  a, // from 'x'\n  b,\n} from '../../main/future.ts';`],
    ['for its side effects', 'common/x.ts', `import '../ring/layout.ts';`],
    ['of all names', 'common/x.ts', `import * as ring from '../ring/layout.ts';`],
    ['by a re-export', 'common/x.ts', `export { a } from '../ring/layout.ts';`],
    ['by a re-export of types', 'common/x.ts', `export type { A } from '../ring/layout.ts';`],
    ['by a re-export of everything', 'common/x.ts', `export * from '../ring/layout.ts';`],
    ['by a re-export under a name', 'common/x.ts', `export * as ring from '../ring/layout.ts';`],
    ['at run time', 'main/link/x.ts', `const a = await import('../../worker/index.ts');`],
    ['in a type', 'main/link/x.ts', `let a: import('../../worker/index.ts').A;`],
    ['inside a template', 'main/link/x.ts', `const a = \`\${await import('../../worker/index.ts')}\`;`],
    ['by require', 'main/link/x.ts', `const a = require('../../worker/index.ts');`],
    [
      'by a require called at once',
      'main/link/x.ts',
      `const a = createRequire(import.meta.url)('../../worker/index.ts');`,
    ],
    ['by our own require', 'main/link/x.ts', `requireFrom(import.meta.url)('../../worker/index.ts');`],
    ['by our own require of a package', 'ring/x.ts', `requireFrom(import.meta.url)('snappy');`],
    ['by a require of another name', 'codec/crc32c.ts', `const load = createRequire(import.meta.url);`],
    ['by resolution', 'main/link/x.ts', `import.meta.resolve('piscina');`],
    ['by a computed name', 'main/link/x.ts', `const a = await import(\`../../\${room}/index.ts\`);`],
    ['by a computed path', 'main/link/x.ts', `const a = require(\`./\${room}/../../worker\`);`],
    ['by URL', 'main/kafka-client.ts', `new Worker(new URL('../worker/index.js', import.meta.url));`],
    ['of tables', 'worker/requests/x.ts', `import { apis } from '../../protocol/schema/index.ts';`],
    ['of the generator', 'main/link/x.ts', `import { generateFiles } from '../../protocol/generate/index.ts';`],
    ['of tests', 'main/link/x.ts', `import { waitFor } from '../../../../test/helpers/wait-for.ts';`],
    ['of a built-in package', 'main/link/x.ts', `import { connect } from 'node:net';`],
    ['of a built-in package at run time', 'main/link/x.ts', `process.getBuiltinModule('node:net');`],
    ['of a package, types excepted', 'common/x.ts', `import { Worker } from 'node:worker_threads';`],
    ['of an optional package that would have to be there', 'codec/x.ts', `import { crc32 } from '@node-rs/crc32';`],
    ['of an unknown package', 'worker/requests/x.ts', `import kafka from 'kafkajs/src/index.js';`],
    ['in a folder of no room', 'helpers/x.ts', ''],
  ];
  for (const [what, path, text] of forbidden) {
    test(what, () => assert.equal(violations(path, findReferences(text)).length, 1));
  }
});

describe('an allowed import is not complained of', () => {
  const allowed: readonly (readonly [what: string, path: string, text: string])[] = [
    ['in its own room', 'main/link/x.ts', `import { Future } from './future.ts';`],
    ['of a room below', 'worker/requests/x.ts', `import { wireCodec } from '../../protocol/wire/codecs.ts';`],
    ['of types of a package', 'common/x.ts', `import type { MessagePort } from 'node:worker_threads';`],
    ['of part of a package', 'worker/net/x.ts', `import { lookup } from 'node:dns/promises';`],
    ['of a name that is a word', 'main/link/x.ts', `import type from './type.ts';\nimport { from } from './from.ts';`],
    ['computed within its own folder', 'main/link/x.ts', `require(\`./\${file}\${suffix}\`);`],
    ['of an optional package', 'codec/x.ts', `createRequire(import.meta.url)('@node-rs/crc32');`],
    ['of an optional package by our own require', 'codec/x.ts', `requireFrom(import.meta.url)('snappy');`],
    ['in a comment', 'main/link/x.ts', `// import '../../worker/index.ts'\n/* import '../../worker/index.ts' */`],
    ['in a string', 'main/link/x.ts', `const text = "import '../../worker/index.ts';";`],
    ['in a regular expression', 'main/link/x.ts', `const pattern = /import '..\\/worker'/;\nreturn a / b / c;`],
    [
      'in names',
      'main/link/x.ts',
      `export { a, b };\nexport const from = 'x';\nthis.require('../../worker/index.ts');`,
    ],
  ];
  for (const [what, path, text] of allowed) {
    test(what, () => assert.deepEqual(violations(path, findReferences(text)), []));
  }
});

describe('rooms that must never know each other', () => {
  const strangers: readonly (readonly [from: string, to: readonly string[]])[] = [
    ['main/link', ['main/client', 'worker', 'worker/net', 'worker/link', 'protocol/wire', 'codec']],
    ['main/thread', ['main/client', 'main/link', 'worker', 'protocol/wire', 'codec']],
    ['main/metrics', ['main/client', 'worker/report', 'protocol/wire']],
    ['main/client', ['main', 'main/producer', 'main/consumer', 'main/admin']],
    ['main/client', ['worker', 'worker/client', 'worker/net', 'protocol/wire', 'codec']],
    [
      'worker/net',
      ['worker/client', 'worker/sasl', 'worker/link', 'worker/requests', 'protocol/wire', 'ring', 'state'],
    ],
    ['worker/requests', ['worker/net', 'worker/client', 'worker/link', 'ring', 'state']],
    ['worker/report', ['worker/client', 'worker/net', 'worker/link', 'ring']],
    ['worker/client', ['worker/sasl', 'worker/link', 'worker', 'ring', 'main/client']],
    ['worker/sasl', ['worker/link', 'worker', 'ring', 'state']],
    ['worker/link', ['worker/net', 'worker/sasl', 'worker', 'main/link']],
    ['worker', ['main/client', 'main/thread']],
    ['state', ['ring', 'protocol/flat', 'worker', 'main/client']],
    ['ring', ['protocol/flat', 'worker', 'main/link']],
    ['common', ['state', 'ring', 'codec', 'protocol/flat', 'worker', 'main/client']],
    ['codec', ['ring', 'state', 'protocol/flat', 'protocol/wire', 'worker/requests']],
    ['protocol/flat', ['codec', 'protocol/wire', 'protocol/schema', 'ring', 'state']],
    ['protocol/wire', ['protocol/schema', 'ring', 'state', 'worker/requests', 'main/link']],
    [
      'worker/producer',
      ['worker/net', 'worker/sasl', 'worker/link', 'worker/consumer', 'worker/admin', 'worker', 'ring'],
    ],
    [
      'worker/consumer',
      ['worker/net', 'worker/sasl', 'worker/link', 'worker/producer', 'worker/admin', 'worker', 'ring'],
    ],
    [
      'worker/admin',
      ['worker/net', 'worker/sasl', 'worker/link', 'worker/producer', 'worker/consumer', 'worker', 'ring'],
    ],
    ['main/producer', ['main', 'main/client']],
    ['main/consumer', ['main', 'main/client']],
    ['main/producer', ['main/consumer', 'main/admin', 'main/thread', 'worker/producer', 'protocol/wire', 'codec']],
    ['main/consumer', ['main/producer', 'main/admin', 'main/thread', 'worker/consumer', 'protocol/wire', 'codec']],
    ['main/admin', ['main', 'main/client', 'main/link', 'main/thread', 'ring', 'protocol/flat', 'worker/admin']],
  ];
  for (const [from, others] of strangers) {
    for (const to of others) {
      test(`${from} and ${to}`, () => {
        const path = posix.relative(from, `${to}/a.ts`);
        const text = `import type { A } from '${path.startsWith('.') ? path : `./${path}`}';`;
        assert.equal(violations(`${from}/x.ts`, findReferences(text)).length, 1);
      });
    }
  }
});

describe('the table of rooms', () => {
  test('has no cycle: no room is imported by a room that it imports', () => assert.equal(cycleOf(allowedRooms), null));

  test('would be refused with a cycle, which is shown', () => {
    const withCycle = new Map([...allowedRooms, ['main/link', ['common', 'main/client']]]);
    assert.deepEqual(cycleOf(withCycle), ['main/client', 'main/link', 'main/client']);
  });
});

describe('pairs of rooms that the printed table does not name are refused:', () => {
  const printed = new Map(
    roomTable()
      .split('\n')
      .slice(2)
      .map((row) => row.split('|').map((cell) => cell.trim()))
      .map(([, room, others]) => [room!, others!.split(', ')]),
  );
  const fileOf = (room: string, name: string): string => (room === 'index' ? 'index.ts' : `${room}/${name}.ts`);
  for (const from of roomNames) {
    test(from, () => {
      for (const to of roomNames) {
        if (from === to) continue;
        const path = posix.relative(posix.dirname(fileOf(from, 'x')), fileOf(to, 'a'));
        const text = `import type { A } from '${path.startsWith('.') ? path : `./${path}`}';`;
        const count = printed.get(from)!.includes(to) ? 0 : 1;
        assert.equal(violations(fileOf(from, 'x'), findReferences(text)).length, count, `${from} and ${to}`);
      }
    });
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
