// Owns how goals find their figures in saved rows. Any thread.

import { figure, type SavedRow } from './figures.ts';

export interface Found {
  readonly value: number;
  readonly text: string;
  readonly row: SavedRow;
}

export interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly limit: number;
  readonly is: 'at most' | 'at least';
  readonly find: (rows: readonly SavedRow[]) => Found | null;
  /** What was tried, for goals that are missed. */
  readonly tried?: string;
}

/** Those that are no Node clients of others. */
export const noPeers = [
  /^bare socket/,
  /^Kafka's/,
  /^kafka-python/,
  /^this client/,
  /^its own/,
  /^the build of/,
  /^no client/,
];
export const older = 'the build of 2026-11-22';
export const platformatic = "@platformatic/kafka's Fetch and Produce";

export const rate = 'recordsPerSecond';
export const main = 'mainThreadMicrosecondsPerRecord';
export const cpu = 'cpuMicrosecondsPerRecord';

export function isPeer({ comparison }: SavedRow): boolean {
  return !noPeers.some((pattern) => pattern.test(comparison));
}

export function rowsNamed(rows: readonly SavedRow[], benchmark: string, name: string): SavedRow[] {
  return rows.filter((row) => row.benchmark === benchmark && row.name === name);
}

/** The ratio to one other client. */
export function beside(benchmark: string, name: string, comparison: string): Goal['find'] {
  return (rows) => {
    const row = rowsNamed(rows, benchmark, name).find((one) => one.comparison === comparison);
    return row === undefined ? null : { value: row.ratio, text: `${figure(row.ratio)} of ${comparison}`, row };
  };
}

/** The ratio to the Node client that comes nearest. */
export function besideBest(benchmark: string, name: string, better: 'higher' | 'lower'): Goal['find'] {
  return (rows) => {
    const [row] = rowsNamed(rows, benchmark, name)
      .filter(isPeer)
      .sort((a, b) => (better === 'higher' ? a.ratio - b.ratio : b.ratio - a.ratio));
    return row === undefined ? null : { value: row.ratio, text: `${figure(row.ratio)} of ${row.comparison}`, row };
  };
}

/** Our own figure, whatever it was compared with. */
export function own(benchmark: string, name: string): Goal['find'] {
  return (rows) => {
    const row = rowsNamed(rows, benchmark, name)[0];
    return row === undefined ? null : { value: row.ours, text: `${figure(row.ours)} ${row.unit}`, row };
  };
}

/** One client of a workload against the Node client of others that is cheapest there. */
export function variantBesideCheapest(benchmark: string, name: string, variant: string): Goal['find'] {
  return (rows) => {
    const all = rowsNamed(rows, benchmark, name);
    const row = all.find(({ comparison }) => comparison === variant);
    const [cheapest] = all.filter(isPeer).sort((a, b) => a.theirs - b.theirs);
    if (row === undefined || cheapest === undefined) return null;
    const value = row.theirs / cheapest.theirs;
    return { value, text: `${figure(value)} of ${cheapest.comparison}`, row: cheapest };
  };
}

/** One client of a workload against one other, when neither is the first. */
export function variantBeside(benchmark: string, name: string, variant: string, comparison: string): Goal['find'] {
  return (rows) => {
    const all = rowsNamed(rows, benchmark, name);
    const [mine, other] = [variant, comparison].map((client) => all.find((row) => row.comparison === client));
    if (mine === undefined || other === undefined) return null;
    const value = mine.theirs / other.theirs;
    return { value, text: `${figure(value)} of ${comparison}`, row: other };
  };
}

/** The CPU of all threads but the main one, per record, against another client. */
export function otherThreads(benchmark: string, name: string, comparison: string): Goal['find'] {
  return (rows) => {
    const [mains, alls] = [main, cpu].map((metric) =>
      rowsNamed(rows, benchmark, `${name}: ${metric}`).find((row) => row.comparison === comparison),
    );
    if (mains === undefined || alls === undefined) return null;
    const value = (alls.ours - mains.ours) / (alls.theirs - mains.theirs);
    return { value, text: `${figure(value)} of ${comparison}`, row: alls };
  };
}

/** The worst of several figures of one run, such as counts that must be 0. */
export function sum(benchmark: string, names: readonly string[]): Goal['find'] {
  return (rows) => {
    const found = names.flatMap((name) => rowsNamed(rows, benchmark, name).slice(0, 1));
    if (found.length < names.length) return null;
    const value = found.reduce((all, row) => all + row.ours, 0);
    return { value, text: figure(value), row: found[0]! };
  };
}

export const sizes = ['100 B', '1 KiB'] as const;
