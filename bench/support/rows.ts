// Owns the shape of what benchmarks report, and which way a figure is better. Any thread.

/** One measured figure beside the one it is compared with, from the same run. */
export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  /** What `theirs` is. */
  readonly comparison: string;
  readonly theirs: number;
  /** ours / theirs. */
  readonly ratio: number;
  readonly parameters: Readonly<Record<string, unknown>>;
}

export type Direction = 'lower' | 'higher';

/** Whether less or more of a unit is better. Rates end in `/s`. Throws Error for a unit that is in no list. */
export function directionOf(unit: string): Direction {
  if (/^[A-Za-z]+\/s$/.test(unit)) return 'higher';
  if (lowerIsBetter.has(unit)) return 'lower';
  throw new Error(`unit ${unit}: bench/support/rows.ts does not say which way it is better`);
}

const lowerIsBetter = new Set(
  'ns us ms s ns/record connections bytes KiB MiB modules'.split(' ').concat('us per body', 'of all'),
);

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value below which `share` of the values lie. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}
