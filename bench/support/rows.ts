// Owns the rows that benchmarks report, and the direction in which a figure is better. Any thread.

/** One measured figure and the figure of the same run with which it is compared. */
export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  /** Says what `theirs` is. */
  readonly comparison: string;
  readonly theirs: number;
  /** ours / theirs. */
  readonly ratio: number;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** A client that could not be measured, and why. */
export interface MissingRow {
  readonly name: string;
  readonly missing: string;
  readonly reason: string;
}

export type Direction = 'lower' | 'higher';

/** Whether a lower or a higher figure is better. Units of rates end in `/s`. Throws for a unit that is not known here. */
export function directionOf(unit: string): Direction {
  if (/^[A-Za-z]+\/s$/.test(unit) || unit === 'share') return 'higher';
  if (lowerIsBetter.has(unit)) return 'lower';
  throw new Error(`unit ${unit}: add it to bench/support/rows.ts, which says whether lower or higher is better`);
}

const lowerIsBetter = new Set(
  'ns us ms s ns/record connections bytes KiB MiB modules'
    .split(' ')
    .concat(
      'us per body',
      'of all',
      'records twice',
      ...'cores errors disconnects evictions records x collections'.split(' '),
    ),
);

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value below which this share of the values is. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
