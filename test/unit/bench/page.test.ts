// Tests docs/performance.md: it is what the saved results say, and tells of goals that are not measured or not met.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SavedRow } from '../../../bench/support/figures.ts';
import { performancePage } from '../../../bench/support/page.ts';

const importRow = (ratio: number, date: string): SavedRow => ({
  benchmark: 'peers/start',
  name: 'cold start: time to import',
  unit: 'ms',
  ours: 100 * ratio,
  comparison: 'kafkajs',
  theirs: 100,
  ratio,
  parameters: {},
  environment: { date, node: 'v24.0.0', cpu: 'one', cores: 2, load: 0.52 },
});

test('a goal shows the newest ratio of its row and whether it is met', () => {
  const page = performancePage([importRow(0.5, '2026-01-01'), importRow(1.5, '2026-01-02')]);
  assert.match(
    page,
    /time to import \| at most that of kafkajs \| 1\.5 of kafkajs \| no \| missed by a factor of 1\.5; nothing was tried for it yet \| 2026-01-02, Node 24\.0\.0, 2 x one, load 0\.52 \|/,
  );
  assert.doesNotMatch(page, /2026-01-01/);
  assert.match(
    performancePage([importRow(0.5, '2026-01-01')]),
    /time to import \| at most that of kafkajs \| 0\.5 of kafkajs \| yes \| {2}\|/,
  );
});

test('a goal that is missed says by how much and what was tried', () => {
  const row: SavedRow = { ...importRow(2, '2026-01-01'), name: 'cold start: time to the first record' };
  assert.match(
    performancePage([row]),
    /first record, time \| at most that of kafkajs \| 2 of kafkajs \| no \| missed by a factor of 2; files for each thread/,
  );
});

test('a goal without a figure is listed as not measured', () => {
  assert.match(performancePage([]), /time to import \| at most that of kafkajs \| not measured yet \| - \| - \| - \|/);
});
