// Owns docs/performance.md: the goals of the project's figures beside the newest figure of each, out of saved results. Main thread. Must not measure, and
// must not leave out a goal that nobody has measured.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../../scripts/project.ts';
import { type Result, readResults } from './compare.ts';
import { type Goal, goals } from './goals.ts';

export type SavedRow = Result & { readonly theirs: number; readonly ratio: number };

const command = 'npm run bench -- --page';

/** Writes the page from all files of `bench/results`. */
export function writePerformancePage(): void {
  const folder = join(projectFolder, 'bench', 'results');
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
  // Files are named for their days.
  const results = files.sort().flatMap((name) => readResults(readFileSync(join(folder, name), 'utf8')));
  writeFileSync(join(projectFolder, 'docs', 'performance.md'), performancePage(results as SavedRow[]));
}

/** @param results  older ones first */
export function performancePage(results: readonly SavedRow[]): string {
  const newest = new Map<string, SavedRow>();
  for (const row of results) newest.set(keyOf(row), row);
  const rows = [...newest.values()];
  return `# Performance

Made from the files of \`bench/results\` by \`${command}\`; do not edit. \`bench/README.md\` says how each figure is measured. A ratio compares two programs
of the same run, in turns, on the same machine; it says more than a figure by itself. Runs on busy machines are noisy; the load says how busy it was.

## Goals

| what | goal | measured | met | when, where |
|---|---|---|---|---|
${goals.map((goal) => goalLine(goal, rows)).join('\n')}

## The newest figure of each row

| benchmark | row | figure | beside | its figure | ratio | when, where |
|---|---|---|---|---|---|---|
${rows.map(line).join('\n')}
`;
}

/** Parameters do not count: the newest run of a row is shown, whatever its size was. */
function keyOf({ benchmark, name, comparison }: SavedRow): string {
  return `${benchmark} ${name} ${comparison}`;
}

function goalLine({ what, goal, row, isMet }: Goal, rows: readonly SavedRow[]): string {
  const found = row === null ? undefined : rows.find((one) => keyOf(one) === row);
  if (found === undefined) return `| ${what} | ${goal} | not measured yet | - | - |`;
  return `| ${what} | ${goal} | ${figure(found.ratio)} | ${isMet(found.ratio) ? 'yes' : 'no'} | ${place(found)} |`;
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

function figure(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function place({ environment }: SavedRow): string {
  const { date, node, cpu, cores, load } = environment as Readonly<Record<string, unknown>>;
  const busy = typeof load === 'number' ? `, load ${figure(load)}` : '';
  return `${String(date).slice(0, 10)}, Node ${String(node).replace('v', '')}, ${String(cores)} x ${String(cpu)}${busy}`;
}
