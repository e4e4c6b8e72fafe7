// Runs the fuzz targets one after another for a time, and ends with one line of JSON.
//   npm run fuzz -- --minutes N --seed S [--target NAME] [--case CASE_SEED]
// Exit code 1 when anything was found.

import { parseArgs } from 'node:util';
import { runCase, runTarget, type TargetSummary } from '../test/fuzz/support/target.ts';
import { targets } from '../test/fuzz/targets/index.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    target: { type: 'string' },
    case: { type: 'string' },
  },
});
const minutes = numberOf('minutes', values.minutes);
const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : numberOf('seed', values.seed);
const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
if (chosen.length === 0)
  throw new Error(`no target ${values.target}: there are ${targets.map(({ name }) => name).join(', ')}`);

if (values.case !== undefined) await oneCase(numberOf('case', values.case));
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
  process.stderr.write(`seed ${seed}, ${minutes} minutes for ${chosen.map(({ name }) => name).join(', ')}\n`);
  const summaries: TargetSummary[] = [];
  for (const target of chosen) {
    const end = performance.now() + (minutes * 60_000) / chosen.length;
    const summary = await runTarget(target, seed, () => performance.now() >= end);
    summaries.push(summary);
    process.stderr.write(`${target.name}: ${summary.cases} cases, ${summary.findings.length} findings\n`);
    for (const finding of summary.findings) process.stderr.write(`${JSON.stringify(finding)}\n`);
  }
  const untyped = summaries.reduce((sum, { findings }) => sum + findings.length, 0);
  const cases = summaries.reduce((sum, summary) => sum + summary.cases, 0);
  const perTarget = Object.fromEntries(summaries.map(({ target, cases: count }) => [target, count]));
  const slowestMs = Math.max(...summaries.map((summary) => summary.slowestMs));
  const peakRssMiB = Math.round(process.resourceUsage().maxRSS / 1024);
  process.stdout.write(`${JSON.stringify({ cases, untyped, slowestMs, peakRssMiB, seed, perTarget })}\n`);
  if (untyped > 0) process.exitCode = 1;
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new Error(`--${name} is ${text}: give a number`);
  return value;
}
