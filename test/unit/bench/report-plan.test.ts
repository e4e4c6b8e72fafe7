// Tests the order and the hour of the whole report.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isIn, reportPlan, roundsAt } from '../../../bench/support/report-plan.ts';
import { projectFolder } from '../../../scripts/project.ts';

const minute = 60_000;

test('a report that is late goes on with fewer rounds, and tells what it has no time for', () => {
  const rounds = [0, 39, 40, 49, 50, 56, 57, 90].map((minutes) => roundsAt(minutes * minute, 5, false));
  assert.deepEqual(rounds, [5, 5, 2, 2, 1, 1, 0, 0]);
  assert.equal(roundsAt(45 * minute, 1, false), 1);
  assert.deepEqual(
    [0, 8, 9].map((minutes) => roundsAt(minutes * minute, 1, true)),
    [1, 1, 0],
  );
});

test('a benchmark without a part does all, else what has a goal or what has none', () => {
  const [goal, table] = [{}, { isTable: true }];
  assert.deepEqual([isIn(undefined, goal), isIn(undefined, table)], [true, true]);
  assert.deepEqual([isIn('goals', goal), isIn('goals', table)], [true, false]);
  assert.deepEqual([isIn('tables', goal), isIn('tables', table)], [false, true]);
});

test('each step of the report is a benchmark, and what has goals comes before every table', () => {
  const missing = reportPlan.filter(({ name }) => !existsSync(join(projectFolder, 'bench', `${name}.ts`)));
  assert.deepEqual(missing, []);
  const firstTable = reportPlan.findIndex(({ part }) => part === 'tables');
  assert.equal(
    reportPlan.slice(firstTable).some(({ part }) => part === 'goals'),
    false,
  );
});
