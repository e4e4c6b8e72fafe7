// Owns the running of benchmarks: prints each figure as a JSON line, with the environment in which it was measured.
//   npm run bench                     everything
//   npm run bench -- macro/fetch      some, by the start of their name
//   npm run bench -- micro --save     also keeps the lines in bench/results
//   npm run bench -- --compare A B    which rows of file B are better or worse than those of file A
//   npm run bench -- --check          whether the CPU of a record has grown by more than a fifth since --check --save
//   npm run bench -- --page           makes docs/performance.md from bench/results
//   npm run bench:peers               the whole report: compares with other clients, which it installs, and makes report.html and the page
//   npm run bench:peers -- --quick    with one short round, in less than ten minutes, not saved
//   npm run bench:peers -- failover   some of those

import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { projectFolder } from '../scripts/project.ts';
import { check } from './support/check.ts';
import { comparison, readResults } from './support/compare.ts';
import { writePerformancePage } from './support/page.ts';
import { writeReport } from './support/report.ts';
import { type Part, reportPlan, type Step } from './support/report-plan.ts';
import { type BenchRow, directionOf, type MissingRow } from './support/rows.ts';

interface BenchModule {
  /** Some tell each row as soon as it is there. @param part  what the report wants of it now */
  run?: (part?: Part) => Promise<readonly (BenchRow | MissingRow)[]> | AsyncIterable<BenchRow | MissingRow>;
  /** Whether it runs only when it is named, and is no part of the report. */
  readonly isOnlyByName?: boolean;
}

interface Flags {
  readonly save?: boolean;
  readonly group?: string;
  readonly compare?: boolean;
  readonly check?: boolean;
  readonly page?: boolean;
  readonly quick?: boolean;
}

const command = new Command('bench')
  .description(
    'Prints each figure as a line of JSON. NAME is the start of the name of a benchmark; without any all run.',
  )
  .argument('[name...]')
  .option('--save', 'also keep the lines in bench/results')
  .option('--group <folder>', 'only micro, macro or peers')
  .option('--compare', 'compare two files of results')
  .option('--check', 'whether the CPU of a record has grown since --check --save')
  .option('--page', 'make docs/performance.md of bench/results')
  .option('--quick', 'less work and less exact, not saved')
  .showSuggestionAfterError()
  .parse();
const values = command.opts<Flags>();
const positionals = command.args;
// Read by modules when they are loaded.
if (values.quick === true) process.env.BENCH_QUICK = '1';
const resultsFolder = join(projectFolder, 'bench', 'results');
if (values.compare === true) {
  if (positionals.length !== 2)
    command.error('--compare needs two files of results, by path or by name in bench/results', { exitCode: 2 });
  const [before, after] = positionals.map((name) => readResults(readFileSync(resultFile(name), 'utf8'))) as [
    ReturnType<typeof readResults>,
    ReturnType<typeof readResults>,
  ];
  process.stdout.write(await comparison(before, after));
  process.exit(0);
}
if (values.page === true) {
  writePerformancePage();
  process.exit(0);
}
if (values.check === true) process.exit(await check(values.save === true));
const { group: onlyGroup } = values;
const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const environment = {
  date: new Date().toISOString(),
  commit: commit(),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  /** How busy the machine was before the first benchmark. */
  load: Number(loadavg()[0]!.toFixed(1)),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
};

// The peers run only when they are named: all other benchmarks need only this package's own dependencies.
const needsPeers = positionals.some((start) => start.startsWith('peers'));
const groups = onlyGroup === undefined ? ['micro', 'macro', ...(needsPeers ? ['peers'] : [])] : [onlyGroup];
const starts = positionals.map((start) => (onlyGroup === undefined ? start : `${onlyGroup}/${start}`));
const names = groups.flatMap((group) =>
  readdirSync(new URL(`./${group}/`, import.meta.url))
    .filter((file) => file.endsWith(suffix) && !file.endsWith('.d.ts'))
    .map((file) => `${group}/${file.slice(0, -suffix.length)}`),
);
const wanted = names.filter((name) => starts.length === 0 || starts.some((start) => name.startsWith(start)));
if (wanted.length === 0) {
  console.error(`no benchmark begins with ${starts.join(' or ')}; there are: ${names.join(', ')}`);
  process.exit(1);
}

/** All comparisons with other clients: their lines are kept, and become a report. */
const isReport = onlyGroup === 'peers' && starts.length === 0;
// Read by modules when they are loaded.
if (isReport) process.env.BENCH_REPORT = '1';
const reported: string[] = [];
for (const step of isReport ? stepsOfReport(wanted) : wanted.sort().map((name): Step => ({ name }))) {
  const startedAt = performance.now();
  try {
    await runStep(step);
  } catch (error) {
    if (!isReport) throw error;
    // One that fails does not cost the others of a long report.
    const { stack } = error as Error;
    tell(step.name, {
      name: step.part ?? 'all',
      missing: 'this benchmark',
      reason: (stack ?? String(error)).slice(0, 2000),
    });
    process.exitCode = 1;
  }
  const minutes = (performance.now() / 60_000).toFixed(1);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.error(`${step.name}${step.part === undefined ? '' : `, ${step.part}`}: ${seconds} s, at minute ${minutes}`);
}
if (isReport) {
  const file = writeReport(reported);
  console.error(`the report: ${file}`);
  if (values.quick !== true) writePerformancePage();
}

/** In the order of the plan. What is not in it comes last, so that nothing is forgotten. */
function stepsOfReport(peers: readonly string[]): Step[] {
  const planned = new Set(reportPlan.map(({ name }) => name));
  return [...reportPlan, ...peers.filter((name) => !planned.has(name)).map((name) => ({ name }))];
}

async function runStep({ name, part }: Step): Promise<void> {
  const module = (await import(new URL(`./${name}${suffix}`, import.meta.url).href)) as BenchModule;
  if (module.run === undefined) throw new Error(`bench/${name} exports no run; put helpers into a folder support`);
  if (module.isOnlyByName === true && starts.length === 0) return;
  for await (const row of await module.run(part)) tell(name, row);
}

function tell(benchmark: string, row: BenchRow | MissingRow): void {
  const direction = 'unit' in row && { direction: directionOf(row.unit) };
  const line = JSON.stringify({ benchmark, ...withoutPlaces(row), ...direction, environment });
  console.log(line);
  if (isReport) reported.push(line);
  if (values.save === true || (isReport && values.quick !== true)) save(line);
}

/** Reasons are often messages of errors, which name files: without the folder of this machine. */
function withoutPlaces(row: BenchRow | MissingRow): BenchRow | MissingRow {
  return 'reason' in row ? { ...row, reason: row.reason.replaceAll(projectFolder, '.') } : row;
}

function save(line: string): void {
  mkdirSync(resultsFolder, { recursive: true });
  appendFileSync(join(resultsFolder, `${environment.date.slice(0, 10)}.jsonl`), `${line}\n`);
}

/** What was measured; with a plus where files differ from it. `unknown` outside of a clone. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: projectFolder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return (
      git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '+')
    );
  } catch {
    return 'unknown';
  }
}

function resultFile(name: string): string {
  const file = [name, join(resultsFolder, name), join(resultsFolder, `${name}.jsonl`)].find((path) => existsSync(path));
  if (file === undefined) throw new Error(`there is no file ${name}, and none of this name in bench/results`);
  return file;
}
