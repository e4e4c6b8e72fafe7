// Owns the output of the test runner: functions that make texts from results.

import { type Counts, countNames } from './events.ts';
import type { FileResult } from './file-run.ts';

/** One line for a file, and one for each note of its tests. For a failed file, also its output. */
export function fileText(result: FileResult): string {
  const { counts, durationMs, failures, file, hasFailed, notes, output, problem } = result;
  const seconds = `${(durationMs / 1000).toFixed(1)} s`.padStart(8);
  const tests = `${counts.pass} of ${counts.tests}`.padStart(12);
  const head = `${hasFailed ? 'FAIL' : 'ok  '}${seconds}${tests}  ${file.path}`;
  const line = [head, ...notes.map(indent)].join('\n');
  if (!hasFailed) return `${line}\n`;
  const details = [problem ?? '', output.trimEnd(), failures].filter((text) => text !== '').map(indent);
  return `${[line, ...details].join('\n')}\n\n`;
}

/** The summary: the skipped tests with their reasons, the failed tests, and the numbers with Node's own names. */
export function summaryText(results: readonly FileResult[], durationMs: number): string {
  return skippedText(results) + failedText(results) + countsText(results, durationMs);
}

/** The sums over all files. */
export function totals(results: readonly FileResult[]): Counts {
  const sum = (name: keyof Counts): number => results.reduce((total, result) => total + result.counts[name], 0);
  return Object.fromEntries(countNames.map((name) => [name, sum(name)])) as Counts;
}

function skippedText(results: readonly FileResult[]): string {
  const byReason = new Map<string, string[]>();
  for (const { file, skipped } of results) {
    for (const { name, reason } of skipped) {
      const tests = byReason.get(reason) ?? [];
      tests.push(`${file.path}: ${name}`);
      byReason.set(reason, tests);
    }
  }
  if (byReason.size === 0) return '';
  const groups = [...byReason].map(
    ([reason, tests]) => `  ${reason}\n${tests.map((test) => `    ${test}\n`).join('')}`,
  );
  return `\nSkipped, and why:\n${groups.join('')}`;
}

function failedText(results: readonly FileResult[]): string {
  const failed = results.filter((result) => result.hasFailed);
  if (failed.length === 0) return '';
  const lines = failed.flatMap(({ file, failed: tests, problem }) => {
    const faults = problem === null ? tests : [problem, ...tests];
    return faults.map((fault) => `  ${file.path}: ${fault}\n`);
  });
  return `\nFailed:\n${lines.join('')}`;
}

function countsText(results: readonly FileResult[], durationMs: number): string {
  const counts = totals(results);
  const lines = countNames.map((name) => `# ${name} ${counts[name]}\n`);
  return `\n${lines.join('')}# duration_ms ${Math.round(durationMs)}\n`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '      ');
}
