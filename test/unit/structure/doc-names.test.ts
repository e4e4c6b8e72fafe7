// What README and docs name exists: pages and headings that they link to, classes of errors, options.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { projectFolder } from '../../../scripts/project.ts';
import * as errors from '../../../src/common/errors/errors.ts';

const pages = ['README.md', ...readdirSync(join(projectFolder, 'docs')).map((name) => join('docs', name))].filter(
  (name) => name.endsWith('.md'),
);
const textOf = (page: string): string => readFileSync(join(projectFolder, page), 'utf8');
/** JavaScript's, Node's, and those of other clients. */
const foreign = new Set([
  'Error',
  'AggregateError',
  'TypeError',
  'RangeError',
  'SyntaxError',
  'KafkaJSError',
  'LibrdKafkaError',
]);

test('links of README and docs lead to existing pages and headings', () => {
  const broken = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)].flatMap(([link, path, anchor]) => {
      const target = path === '' ? page : join(dirname(page), path!);
      if (!existsSync(join(projectFolder, target))) return [`${page}: ${link}`];
      if (anchor === undefined) return [];
      return anchorsOf(textOf(target)).includes(anchor) ? [] : [`${page}: ${link}`];
    }),
  );
  assert.deepEqual(broken, []);
});

test('every error that README and docs name is a class of the package', () => {
  const known = new Set(Object.keys(errors));
  const unknown = pages
    // This page compares with classes of Python.
    .filter((page) => page !== join('docs', 'kafka-python.md'))
    .flatMap((page) =>
      [...textOf(page).matchAll(/\b[A-Z][A-Za-z]*Error\b/g)]
        .map(([name]) => name)
        .filter((name) => !known.has(name) && !foreign.has(name))
        .map((name) => `${page}: ${name}`),
    );
  assert.deepEqual([...new Set(unknown)], []);
});

test('the index of README names every page of docs', () => {
  const readme = textOf('README.md');
  const missing = pages.filter((page) => page !== 'README.md' && !readme.includes(`(${page.replaceAll('\\', '/')}`));
  assert.deepEqual(missing, []);
});

/** As GitHub makes them. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

test('the measured rows of README are rows of docs/performance.md', () => {
  const performance = textOf(join('docs', 'performance.md'));
  const section = /^## Measured\n(.*?)^## /ms.exec(textOf('README.md'))![1]!;
  // The figures have a date. Newer ones may be in the page.
  assert.match(section, /taken on \d{4}-\d\d-\d\d/);
  const rows = [...section.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].slice(1);
  assert.ok(rows.length >= 5, `${rows.length} rows`);
  for (const [, what, , beside] of rows) {
    const isThere = performance
      .split('\n')
      .some((line) => line.includes(`| ${what} |`) && line.includes(`| ${beside} |`));
    assert.ok(isThere, `docs/performance.md has no row ${what} beside ${beside}`);
  }
});

test('README has its parts in the order in which a newcomer needs them', () => {
  const heads = [...textOf('README.md').matchAll(/^## (.+)$/gm)].map(([, head]) => head);
  assert.deepEqual(heads.slice(0, 7), [
    'Install',
    'A first program',
    'The same, request by request',
    'Measured',
    'What works, and what does not yet',
    'What is promised, and what shows it',
    'Documentation',
  ]);
});
