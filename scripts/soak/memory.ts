// Owns the measuring of memory in a soak, and the slope through it with its confidence. Main thread.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface MemorySample {
  readonly rssMiB: number;
  readonly heapMiB: number;
  readonly arrayBuffersMiB: number;
}

export interface Slope {
  readonly mibPerHour: number;
  /** Half of the 95 % interval. */
  readonly plusMinus: number;
}

/** `grows`: the whole interval is above the limit. `flat`: the whole interval is below it. */
export type Trend = 'grows' | 'flat' | 'undecided';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Windows of the run after its warm-up, of which the lowest value each is used: garbage comes and goes, what is lost stays. */
const maxWindows = 80;
const minWindowSeconds = 10;

const mib = (bytes: number): number => Math.round((bytes / 1024 / 1024) * 100) / 100;

/** After a garbage collection of this thread. RSS is that of the process, with all its threads. */
export function measure(): MemorySample {
  collect();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  return { rssMiB: mib(rss), heapMiB: mib(heapUsed), arrayBuffersMiB: mib(arrayBuffers) };
}

/**
 * Least squares through the lowest values of equal windows, without the warm-up, which is the first third of the run. Neighbours are alike,
 * so that they count as fewer than they are (by their correlation at lag 1).
 */
export function slopeOf(seconds: readonly number[], values: readonly number[]): Slope {
  const { xs, ys } = lowest(seconds, values);
  const n = xs.length;
  if (n < 4) return { mibPerHour: 0, plusMinus: Number.POSITIVE_INFINITY };
  const [meanX, meanY] = [mean(xs), mean(ys)];
  const spread = xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  const slope = xs.reduce((sum, x, i) => sum + (x - meanX) * (ys[i]! - meanY), 0) / spread;
  const residuals = xs.map((x, i) => ys[i]! - meanY - slope * (x - meanX));
  const squares = residuals.reduce((sum, value) => sum + value ** 2, 0);
  const neighbours = residuals.slice(1).reduce((sum, value, i) => sum + value * residuals[i]!, 0);
  const correlation = squares === 0 ? 0 : Math.min(0.95, Math.max(0, neighbours / squares));
  const independent = Math.max(3, (n * (1 - correlation)) / (1 + correlation));
  const error = Math.sqrt(squares / (independent - 2) / spread);
  return { mibPerHour: round(slope), plusMinus: round(1.96 * error) };
}

export function trendOf({ mibPerHour, plusMinus }: Slope, limitMiBPerHour: number): Trend {
  if (mibPerHour - plusMinus > limitMiBPerHour) return 'grows';
  return mibPerHour + plusMinus <= limitMiBPerHour ? 'flat' : 'undecided';
}

function lowest(seconds: readonly number[], values: readonly number[]): { xs: number[]; ys: number[] } {
  const end = seconds.at(-1) ?? 0;
  const from = end / 3;
  const windowSeconds = Math.max(minWindowSeconds, (end - from) / maxWindows);
  const at = new Map<number, number>();
  for (const [i, second] of seconds.entries()) {
    if (second < from) continue;
    const window = Math.floor((second - from) / windowSeconds);
    const best = at.get(window);
    if (best === undefined || values[i]! < values[best]!) at.set(window, i);
  }
  const chosen = [...at.values()];
  return { xs: chosen.map((i) => seconds[i]! / 3600), ys: chosen.map((i) => values[i]!) };
}

const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
const round = (value: number): number => Math.round(value * 100) / 100;
