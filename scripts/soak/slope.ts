// Owns the slope through what a soak measured, with its confidence. Pure functions.

import { warmUpShare } from './limits.ts';

export interface Slope {
  readonly mibPerHour: number;
  /** Half of the 95 % interval. Infinite: too few values. */
  readonly plusMinus: number;
}

/** `grows`: the whole interval is above the limit. `flat`: the whole interval is below it. */
export type Trend = 'grows' | 'flat' | 'undecided';

const minValues = 5;
/** Values that depend on each other count for fewer, but never for less than this. */
const minIndependent = 4;
const maxCorrelation = 0.95;

/**
 * Least squares, without the warm-up. Neighbours are alike, so that they count as fewer than they
 * are, by their correlation at lag 1.
 */
export function slopeOf(seconds: readonly number[], values: readonly number[]): Slope {
  const from = (seconds.at(-1) ?? 0) * warmUpShare;
  const chosen = seconds.flatMap((second, i) => (second < from ? [] : [i]));
  const xs = chosen.map((i) => seconds[i]! / 3600);
  const ys = chosen.map((i) => values[i]!);
  const n = xs.length;
  if (n < minValues) return { mibPerHour: 0, plusMinus: Number.POSITIVE_INFINITY };
  const [meanX, meanY] = [mean(xs), mean(ys)];
  const spread = xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  const slope = xs.reduce((sum, x, i) => sum + (x - meanX) * (ys[i]! - meanY), 0) / spread;
  const residuals = xs.map((x, i) => ys[i]! - meanY - slope * (x - meanX));
  const squares = residuals.reduce((sum, value) => sum + value ** 2, 0);
  const neighbours = residuals.slice(1).reduce((sum, value, i) => sum + value * residuals[i]!, 0);
  const correlation = squares === 0 ? 0 : Math.min(maxCorrelation, Math.max(0, neighbours / squares));
  const independent = Math.max(minIndependent, (n * (1 - correlation)) / (1 + correlation));
  const freedom = independent - 2;
  const error = Math.sqrt(squares / freedom / spread);
  return { mibPerHour: round(slope), plusMinus: round(quantileOf(freedom) * error) };
}

export function trendOf({ mibPerHour, plusMinus }: Slope, limitMiBPerHour: number): Trend {
  if (mibPerHour - plusMinus > limitMiBPerHour) return 'grows';
  return mibPerHour + plusMinus <= limitMiBPerHour ? 'flat' : 'undecided';
}

/** 97.5 % of Student's t, by the expansion of Cornish and Fisher: 4 % too small at 3 degrees of freedom, exact beyond 10. */
function quantileOf(freedom: number): number {
  const z = 1.96;
  return z + (z ** 3 + z) / (4 * freedom) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2);
}

const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
const round = (value: number): number => Math.round(value * 100) / 100;
