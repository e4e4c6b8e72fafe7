// Owns docs/performance.md: the goals of the project's figures beside the newest figure of each, out of saved results. Main thread. Must not measure, and
// must not leave out a goal that nobody has measured.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../../scripts/project.ts';
import { readResults } from './compare.ts';
import { figure, newestRows, type SavedRow, type WorkloadFigures, workloadsOf } from './figures.ts';
import { type GoalResult, goalResults } from './goals.ts';
import { short } from './plots.ts';

const command = 'npm run bench -- --page';
const benchFolder = join(projectFolder, 'bench');

/** Writes the page from all files of `bench/results`. Rows of benchmarks that are gone do not count. */
export function writePerformancePage(): void {
  const folder = join(benchFolder, 'results');
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  // Files are named for their days.
  const results = files.sort().flatMap((name) => readResults(readFileSync(join(folder, name), 'utf8')));
  const known = (results as unknown as SavedRow[]).filter(({ benchmark }) =>
    existsSync(join(benchFolder, `${benchmark}.ts`)),
  );
  writeFileSync(join(projectFolder, 'docs', 'performance.md'), performancePage(known));
}

/** @param results  older ones first */
export function performancePage(results: readonly SavedRow[]): string {
  const rows = newestRows(results);
  const workloads = workloadsOf(rows);
  const shown = new Set(workloads.flatMap((workload) => workload.rows));
  return `# Performance

Made from the files of \`bench/results\` by \`${command}\`; do not edit. \`bench/README.md\` says how each figure is measured. A ratio compares two programs
of the same run, in turns, on the same machine; it says more than a figure by itself. Runs on busy machines are noisy; the load says how busy it was.

## Goals

| what | goal | measured | met | missed by, and what was tried | when, where |
|---|---|---|---|---|---|
${goalResults(rows).map(goalLine).join('\n')}

## Beside other clients

The figure of each client, and in brackets ours divided by it. The application's share is what its own work got of the time, or could have had where
it did nothing. [Growth](performance-growth.md) explains how costs grow.

| workload | client | records/s | main thread, us | all threads, us | application's share | delay p99 / worst, ms | peak MiB | when, where |
|---|---|---|---|---|---|---|---|---|
${workloads.flatMap(workloadLines).join('\n')}

## The newest figure of each other row

| benchmark | row | figure | beside | its figure | ratio | when, where |
|---|---|---|---|---|---|---|
${rows
  .filter((row) => !shown.has(row))
  .map(line)
  .join('\n')}
`;
}

function goalLine({ what, goal, measured, verdict, note, row }: GoalResult): string {
  if (row === null) return `| ${what} | ${goal} | not measured yet | - | - | - |`;
  return `| ${what} | ${goal} | ${measured} | ${verdict} | ${note} | ${place(row)} |`;
}

/** Workloads of other shapes, such as requests, have their own columns in the report only. */
function workloadLines({ name, clients, rows }: WorkloadFigures): string[] {
  if (![...clients.values()].some((figures) => figures.has('recordsPerSecond'))) return [];
  return [...clients].map(([client, figures]) => {
    const cell = (metric: string): string => {
      const found = figures.get(metric);
      if (found === undefined) return '-';
      return found.ratio === 1 ? short(found.value) : `${short(found.value)} (${figure(found.ratio)})`;
    };
    const delays = ['delayP99Ms', 'delayMaxMs'].map((metric) => figures.get(metric)?.value);
    const delay = delays.includes(undefined) ? '-' : delays.map((value) => figure(value!)).join(' / ');
    const metrics = [
      'recordsPerSecond',
      'mainThreadMicrosecondsPerRecord',
      'cpuMicrosecondsPerRecord',
      'applicationShare',
    ];
    const cells = [name, client, ...metrics.map(cell), delay, cell('peakMiB'), place(rows[0]!)];
    return `| ${cells.join(' | ')} |`;
  });
}

function line(row: SavedRow): string {
  const { benchmark, name, unit, ours, comparison, theirs, ratio } = row;
  const cells = [
    benchmark,
    name,
    `${figure(ours)} ${unit}`,
    comparison,
    `${figure(theirs)} ${unit}`,
    figure(ratio),
    place(row),
  ];
  return `| ${cells.join(' | ')} |`;
}

function place({ environment }: SavedRow): string {
  const { date, node, cpu, cores, load } = environment;
  const busy = typeof load === 'number' ? `, load ${figure(load)}` : '';
  return `${String(date).slice(0, 10)}, Node ${String(node).replace('v', '')}, ${String(cores)} x ${String(cpu)}${busy}`;
}
