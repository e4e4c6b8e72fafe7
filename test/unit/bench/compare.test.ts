// Which rows of two files of benchmark results are better or worse.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changes, comparison, type Result, readResults } from '../../../bench/support/compare.ts';
import { directionOf } from '../../../bench/support/rows.ts';

function result(name: string, unit: string, ours: number, more: object = {}): string {
  const environment = { commit: 'abc', node: 'v20.0.0', cpu: 'a cpu', platform: 'linux x64', cores: 2 };
  const row = {
    benchmark: 'micro/x',
    name,
    unit,
    ours,
    comparison: 'c',
    theirs: 1,
    ratio: 1,
    parameters: {},
    environment,
  };
  return JSON.stringify({ ...row, ...more });
}

function results(...lines: string[]): Result[] {
  return readResults(`${lines.join('\n')}\n`);
}

describe('the comparison of results', () => {
  it('knows for every unit whether higher is better, and refuses an unknown unit', () => {
    assert.equal(directionOf('MB/s'), 'higher');
    assert.equal(directionOf('records/s'), 'higher');
    for (const unit of ['ns', 'us', 'ms', 'ns/record', 'us per body', 'of all', 'connections']) {
      assert.equal(directionOf(unit), 'lower', unit);
    }
    assert.throws(() => directionOf('apples'), /unit apples/);
  });

  it('calls a lower time and a higher rate better, and small changes the same', () => {
    const before = results(result('time', 'us', 100), result('rate', 'MB/s', 100), result('little', 'us', 100));
    const after = results(result('time', 'us', 80), result('rate', 'MB/s', 80), result('little', 'us', 104));
    assert.deepEqual(
      changes(before, after).map(({ verdict, percent }) => [verdict, Math.round(percent)]),
      [
        ['better', -20],
        ['worse', -20],
        ['same', 4],
      ],
    );
  });

  it('uses the direction that a row carries', () => {
    const before = results(result('share', 'of all', 0.5, { direction: 'higher' }));
    const after = results(result('share', 'of all', 0.9, { direction: 'higher' }));
    assert.equal(changes(before, after)[0]!.verdict, 'better');
  });

  it('takes the median of a row that was measured several times, and keeps cases of one name apart', () => {
    const before = results(result('a', 'us', 10), result('a', 'us', 12), result('a', 'us', 500));
    const after = results(
      result('a', 'us', 12, { parameters: { topic: 'of this run' } }),
      result('a', 'us', 1, { parameters: { length: 4 } }),
    );
    assert.deepEqual(
      changes(before, after).map((change) => [change.before, change.after]),
      [[12, 12]],
    );
  });

  it('tells what is in only one file and what else differs', async () => {
    const before = results(result('gone', 'us', 1), result('both', 'us', 1));
    const after = results(result('both', 'us', 2), result('new', 'us', 1, { environment: { node: 'v22.0.0' } }));
    const text = await comparison(before, after);
    assert.match(text, /^worse +\+100\.0 % +1 +2 +us +micro\/x, both, beside c$/m);
    assert.match(text, /^only in the first: micro\/x, gone, beside c$/m);
    assert.match(text, /^only in the second: micro\/x, new, beside c$/m);
    assert.match(text, /^different environments: node v20\.0\.0 and v20\.0\.0 or v22\.0\.0/m);
    assert.match(text, /^abc -> abc or unknown: 0 better, 1 worse, 0 the same within 5 %$/m);
  });

  it('refuses a file that holds something else', () => {
    assert.throws(() => results('{"a": 1}'), /line 1 is not a result/);
  });
});
