// test/reference.md: every row of the behavioural reference names tests, and those exist.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFolder } from '../../../scripts/project.ts';
import { faultRowCount, reliabilityPage } from '../../../scripts/reliability.ts';
import { hasTest } from './support/test-titles.ts';

/** Rows of each section: its table's, and its rules' in the order of its text. */
const rowCounts: readonly (readonly [section: string, rows: number])[] = [
  ['1.0', 7],
  ['1.1', 11],
  ['1.2', 11],
  ['1.3', 17],
  ['1.4', 6],
  ['1.5', 12],
  ['1.6', 13],
  ['1.7', 3],
  ['2.0', 11],
  ['2.1', 4],
  ['2.2', 2],
  ['2.3', 3],
  ['2.4', 2],
  ['2.5', 8],
  ['2.6', 19],
  ['2.7', 3],
  ['2.8', 16],
  ['2.9', 2],
  ['2.10', 6],
  ['2.11', 7],
  ['2.12', 4],
  ['2.13', 8],
  ['3', 34],
  ['4', 27],
  ['5', 10],
  ['6.1', 21],
  ['6.2', 2],
  ['7', 15],
  ['A', 25],
  ['B', 15],
  ['C', 16],
  ['D', 5],
  ['E', 14],
  ['F', 16],
  ['G', 11],
  ['H', 16],
  ['I', 6],
  ['S', 9],
  ['P1', 9],
  ['P2', 9],
  ['P3', 10],
  ['P4', 11],
  ['P5', 19],
  ['P6', 10],
  ['P7', 25],
  ['P8', 5],
  ['P9', 6],
  ['P10', 6],
  ['P11', 10],
  ['P12', 5],
  ['R1', 6],
  ['R2', 16],
  ['R3', 25],
  ['R4', 17],
  ['R5', 16],
  ['R6', 10],
  ['R7', 8],
];

const page = readFileSync(join(projectFolder, 'test', 'reference.md'), 'utf8');

/** Row, behaviour, tests. */
const rows = page
  .split('\n')
  .filter((line) => /^\| [\dA-IPRS]/.test(line))
  .map((line) => line.slice(2, -2).split(' | '));

test('no row of the reference is left out', () => {
  const expected = rowCounts.flatMap(([section, count]) =>
    Array.from({ length: count }, (_, i) => (/\d/.test(section) ? `${section}.${i + 1}` : `${section}${i + 1}`)),
  );
  assert.deepEqual(
    rows.map(([row]) => row),
    expected,
  );
});

test('each row says what happens and names tests that exist', () => {
  const wrong: string[] = [];
  for (const [row, behaviour, tests, ...more] of rows) {
    if (behaviour === undefined || behaviour.length < 5 || more.length > 0) wrong.push(`${row}: not three cells`);
    for (const named of (tests ?? '').split('<br>')) {
      const [, file, name] = /^([\w/-]+): (.+)$/.exec(named) ?? [];
      if (file === undefined || name === undefined) wrong.push(`${row}: names no test: "${named}"`);
      else if (!hasTest(file, name)) wrong.push(`${row}: ${file} has no test "${name}"`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('central sections are tested with a real broker too', () => {
  const central = '1.3 1.5 1.6 2.0 2.2 2.5 2.6 2.7 2.8 2.11 2.12 3 4 B C D E F H'.split(' ');
  const shown = new Set(
    rows
      .filter(([, , tests]) => tests?.includes('kafka/'))
      .map(([row]) => (/^\d/.test(row!) ? row!.slice(0, row!.lastIndexOf('.')) : row![0]!)),
  );
  assert.deepEqual(
    central.filter((section) => !shown.has(section)),
    [],
  );
});

test('docs/reliability.md has the faults of the reference, and says how many have a test', () => {
  const { is, shouldBe } = reliabilityPage();
  assert.equal(is, shouldBe, 'npm run generate:reliability writes it');
  assert.match(is, new RegExp(`${faultRowCount()} of ${faultRowCount()} rows`));
});
