// The slope through what a soak measures, and the verdict about it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { slopeOf, trendOf } from '../../../scripts/soak/slope.ts';
import { Random } from '../protocol/support/random.ts';

const minutes = (n: number): number[] => Array.from({ length: n }, (_, i) => i * 60);
/** Between -0.5 and 0.5, the same in each run. */
const noise = (i: number): number => {
  const random = new Random(i);
  return random.below(1000) / 1000 - 0.5;
};

describe('the slope of memory in a soak', () => {
  it('is exact for a line, whatever the warm-up was', () => {
    const seconds = minutes(61);
    const values = seconds.map((second) => (second < 1200 ? 100 - second / 20 : 40 + (3 * second) / 3600));
    assert.deepEqual(slopeOf(seconds, values), { mibPerHour: 3, plusMinus: 0 });
  });

  it('has an interval that holds the true slope, and is narrow enough to decide after an hour', () => {
    const seconds = minutes(61);
    for (const truth of [0, 5]) {
      const slope = slopeOf(
        seconds,
        seconds.map((second, i) => 50 + (truth * second) / 3600 + noise(i)),
      );
      assert.ok(Math.abs(slope.mibPerHour - truth) <= slope.plusMinus, JSON.stringify(slope));
      assert.equal(trendOf(slope, 1), truth === 0 ? 'flat' : 'grows');
    }
  });

  it('has a wider interval when neighbours are alike', () => {
    const seconds = minutes(61);
    const alike = slopeOf(
      seconds,
      seconds.map((_, i) => 50 + Math.sin(i / 6) / 2),
    );
    const independent = slopeOf(
      seconds,
      seconds.map((_, i) => 50 + noise(i)),
    );
    assert.ok(alike.plusMinus > 2 * independent.plusMinus, JSON.stringify({ alike, independent }));
  });

  it('is not moved by moments that are far off', () => {
    const seconds = minutes(61);
    const bumps = seconds.map((second, i) => 50 + noise(i) / 2 + (second > 2400 && i % 7 === 0 ? 20 : 0));
    const slope = slopeOf(seconds, bumps);
    assert.ok(Math.abs(slope.mibPerHour) < 0.5, JSON.stringify(slope));
    assert.equal(trendOf(slope, 1), 'flat');
  });

  it('decides nothing with few values', () => {
    const slope = slopeOf(minutes(6), [1, 2, 3, 4, 5, 6]);
    assert.equal(slope.plusMinus, Number.POSITIVE_INFINITY);
    assert.equal(trendOf(slope, 1), 'undecided');
  });
});
