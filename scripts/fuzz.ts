// Runs the fuzz targets one after another, for a time or a number of cases, and ends with one line of JSON.
//   npm run fuzz -- --minutes N --seed S [--target NAME] [--case CASE_SEED]
//   npm run fuzz -- --cases 10000000 --seed S
// A time is divided equally, a number by the shares of the targets. Exit code 1 when anything was found.

import { Option } from 'commander';
import { type FuzzTarget, runCase, runTarget, type TargetSummary } from '../test/fuzz/support/target.ts';
import { targets } from '../test/fuzz/targets/index.ts';
import { integerFrom, numberAbove, scriptCommand } from './arguments.ts';

const values = scriptCommand('npm run fuzz --', 'Gives hostile input to one part after another.')
  .option('--minutes <number>', 'how long, for all targets together', numberAbove(0), 1)
  .option('--cases <number>', 'how many cases, for all targets together, instead of a time', integerFrom(1))
  .option('--seed <number>', 'what the cases are drawn from; default: the clock', integerFrom(0))
  .addOption(new Option('--target <name>', 'only this one').choices(targets.map(({ name }) => name)))
  .option('--case <seed>', 'only this case of the target, as a finding names it', integerFrom(-(2 ** 31)))
  .parse()
  .opts<{
    readonly minutes: number;
    readonly cases?: number;
    readonly seed?: number;
    readonly target?: string;
    readonly case?: number;
  }>();
const { minutes } = values;
const maxCases = values.cases ?? null;
const seed = values.seed ?? Date.now() % 1_000_000_000;
const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
const allShares = chosen.reduce((sum, { share }) => sum + share, 0);
interface Row {
  readonly cases: number;
  /** Of the processor, not of the clock. */
  readonly perCpuSecond: number;
}

if (values.case !== undefined) await oneCase(values.case);
else await allCases();

async function oneCase(caseSeed: number): Promise<void> {
  for (const target of chosen) {
    await target.prepare();
    const result = await runCase(target, caseSeed);
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    if (result.finding !== null) process.exitCode = 1;
  }
}

async function allCases(): Promise<void> {
  const howMuch = maxCases === null ? `${minutes} minutes` : `${maxCases} cases`;
  process.stderr.write(`seed ${seed}, ${howMuch} for ${chosen.map(({ name }) => name).join(', ')}\n`);
  const started = performance.now();
  const summaries: TargetSummary[] = [];
  const perTarget: Record<string, Row> = {};
  for (const target of chosen) {
    await target.prepare();
    const begun = process.cpuUsage();
    const summary = await runTarget(target, seed, endOf(target));
    summaries.push(summary);
    const { user, system } = process.cpuUsage(begun);
    const seconds = (user + system) / 1e6;
    const row = { cases: summary.cases, perCpuSecond: Math.round(summary.cases / seconds) };
    perTarget[target.name] = row;
    const found = summary.findings.length;
    process.stderr.write(
      `${target.name}: ${row.cases} cases, ${row.perCpuSecond} a second of the processor, ${found} findings\n`,
    );
    for (const finding of summary.findings) process.stderr.write(`${JSON.stringify(finding)}\n`);
  }
  const untyped = summaries.reduce((sum, { findings }) => sum + findings.length, 0);
  const cases = summaries.reduce((sum, summary) => sum + summary.cases, 0);
  const slowestMs = Math.max(...summaries.map((summary) => summary.slowestMs));
  const peakRssMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  const tookMinutes = Math.round((performance.now() - started) / 6000) / 10;
  process.stdout.write(
    `${JSON.stringify({ cases, untyped, slowestMs, peakRssMiB, minutes: tookMinutes, seed, perTarget })}\n`,
  );
  if (untyped > 0) process.exitCode = 1;
}

function endOf({ share }: FuzzTarget): (cases: number) => boolean {
  if (maxCases !== null) {
    const most = Math.ceil((maxCases * share) / allShares);
    return (cases) => cases >= most;
  }
  const end = performance.now() + (minutes * 60_000) / chosen.length;
  return () => performance.now() >= end;
}
