// Owns the grouping of saved rows by workload and client, for the page and the report. Any thread. Must not read files.

import type { BenchRow } from './rows.ts';

export interface SavedRow extends BenchRow {
  readonly benchmark: string;
  readonly environment: Readonly<Record<string, unknown>>;
}

export interface MissingLine {
  readonly benchmark: string;
  readonly name: string;
  readonly missing: string;
  readonly reason: string;
}

export interface ClientFigure {
  readonly value: number;
  readonly unit: string;
  /** Ours divided by this one. 1 for our own. */
  readonly ratio: number;
  /** Smallest, median, largest. Null for rows that do not tell. */
  readonly spread: readonly number[] | null;
}

export interface WorkloadFigures {
  readonly benchmark: string;
  readonly name: string;
  /** Ours first. Then by metric, such as `recordsPerSecond`. */
  readonly clients: ReadonlyMap<string, ReadonlyMap<string, ClientFigure>>;
  readonly scale: { readonly axis: string; readonly x: number } | null;
  readonly load: { readonly blockMs: number; readonly share: number } | null;
  readonly rows: readonly SavedRow[];
}

/** The newest row of each name and comparison; results are given older ones first. */
export function newestRows(results: readonly SavedRow[]): SavedRow[] {
  const newest = new Map<string, SavedRow>();
  for (const row of results) newest.set(keyOf(row), row);
  return [...newest.values()];
}

/** Parameters do not count: the newest run of a row is shown, whatever its size was. */
export function keyOf({ benchmark, name, comparison }: Pick<SavedRow, 'benchmark' | 'name' | 'comparison'>): string {
  return `${benchmark} ${name} ${comparison}`;
}

/** Rows that compare clients, by workload. Other rows are left out. */
export function workloadsOf(rows: readonly SavedRow[]): WorkloadFigures[] {
  const byName = new Map<string, SavedRow[]>();
  for (const row of rows) {
    if (row.parameters.client === undefined || !row.name.includes(': ')) continue;
    const key = `${row.benchmark} ${workloadOf(row.name)}`;
    const list = byName.get(key);
    if (list === undefined) byName.set(key, [row]);
    else list.push(row);
  }
  return [...byName.values()].map((list) => figuresOf(list));
}

function workloadOf(name: string): string {
  return name.slice(0, name.lastIndexOf(': '));
}

function figuresOf(rows: readonly SavedRow[]): WorkloadFigures {
  const { benchmark, name, parameters } = rows[0]!;
  const clients = new Map<string, Map<string, ClientFigure>>();
  const keep = (client: string, metric: string, figure: ClientFigure): void => {
    const known = clients.get(client);
    if (known === undefined) clients.set(client, new Map([[metric, figure]]));
    else if (!known.has(metric)) known.set(metric, figure);
  };
  for (const row of rows) {
    const metric = row.name.slice(workloadOf(row.name).length + 2);
    const spread = row.parameters.spread as { ours: number[]; theirs: number[] } | undefined;
    const { unit } = row;
    keep(String(row.parameters.client), metric, { value: row.ours, unit, ratio: 1, spread: spread?.ours ?? null });
    keep(row.comparison, metric, { value: row.theirs, unit, ratio: row.ratio, spread: spread?.theirs ?? null });
  }
  return {
    benchmark,
    name: workloadOf(name),
    clients,
    scale: (parameters.scale as WorkloadFigures['scale'] | undefined) ?? null,
    load: (parameters.load as WorkloadFigures['load'] | undefined) ?? null,
    rows,
  };
}

/** Three digits, and large numbers without an exponent. */
export function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}
