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
/** 97.5 % of the normal distribution. */
const quantile = 1.96;

/**
 * The median of the slopes between any two values (Theil and Sen), without the warm-up: a moment in which something was still under way
 * is far off, and must not decide. The interval is that of Kendall's rank correlation. Neighbours are alike, so that they count as fewer
 * than they are, by their correlation at lag 1.
 */
export function slopeOf(seconds: readonly number[], values: readonly number[]): Slope {
  const from = (seconds.at(-1) ?? 0) * warmUpShare;
  const chosen = seconds.flatMap((second, i) => (second < from ? [] : [i]));
  const xs = chosen.map((i) => seconds[i]! / 3600);
  const ys = chosen.map((i) => values[i]!);
  const n = xs.length;
  if (n < minValues) return { mibPerHour: 0, plusMinus: Number.POSITIVE_INFINITY };
  const slopes = ys.flatMap((y, i) => ys.slice(i + 1).map((later, j) => (later - y) / (xs[i + 1 + j]! - xs[i]!)));
  slopes.sort((a, b) => a - b);
  const slope = at(slopes, slopes.length / 2);
  const offsets = ys.map((y, i) => y - slope * xs[i]!);
  const offset = mean(offsets);
  const residuals = offsets.map((value) => value - offset);
  const squares = residuals.reduce((sum, value) => sum + value ** 2, 0);
  const neighbours = residuals.slice(1).reduce((sum, value, i) => sum + value * residuals[i]!, 0);
  const correlation = squares === 0 ? 0 : Math.min(maxCorrelation, Math.max(0, neighbours / squares));
  const independent = Math.max(minIndependent, (n * (1 - correlation)) / (1 + correlation));
  const pairsBeside = quantile * Math.sqrt(((n * (n - 1) * (2 * n + 5)) / 18) * (n / independent));
  const lowest = at(slopes, (slopes.length - pairsBeside) / 2);
  const highest = at(slopes, (slopes.length + pairsBeside) / 2);
  return { mibPerHour: round(slope), plusMinus: round(Math.max(slope - lowest, highest - slope)) };
}

export function trendOf({ mibPerHour, plusMinus }: Slope, limitMiBPerHour: number): Trend {
  if (mibPerHour - plusMinus > limitMiBPerHour) return 'grows';
  return mibPerHour + plusMinus <= limitMiBPerHour ? 'flat' : 'undecided';
}

/** The value nearest to a place in a sorted list. */
function at(sorted: readonly number[], place: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(place)))]!;
}

const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
const round = (value: number): number => Math.round(value * 100) / 100;
