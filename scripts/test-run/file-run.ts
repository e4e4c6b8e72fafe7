// Owns the process of one test file: starts it, limits its time, and reports its result. Each file has a process of its own, so that threads,
// handles and crashes of one test do not affect others. Output goes to files: a process that the test has left behind could keep a pipe open.

import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runnablePath } from '../project.ts';
import { type Counts, type FileEvents, readEvents, type SkippedTest } from './events.ts';
import type { TestFile } from './test-files.ts';

export interface FileResult {
  readonly file: TestFile;
  readonly counts: Counts;
  readonly skipped: readonly SkippedTest[];
  /** Names of the failed tests. */
  readonly failed: readonly string[];
  /** The `diagnostic` texts of its tests. */
  readonly notes: readonly string[];
  /** The problem of the process itself. Null if there is none beside failed tests. */
  readonly problem: string | null;
  readonly hasFailed: boolean;
  /** The output of the process. Only its end if it is very long. */
  readonly output: string;
  /** node:test's report of the failed tests. Only its beginning if it is very long. */
  readonly failures: string;
  readonly durationMs: number;
}

export interface FileRunOptions {
  readonly node: string;
  readonly timeoutMs: number;
  /** A test runs if its name contains one of these texts. Empty: all tests run. */
  readonly names: readonly string[];
  /** Added to the environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** When it is aborted, the process is ended. */
  readonly signal: AbortSignal;
  /** Is told each `slowMs` which tests are running. */
  readonly onSlow: (text: string) => void;
  readonly slowMs: number;
}

interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly isTimedOut: boolean;
  /** Set if the process could not be started. */
  readonly error: Error | null;
}

/** The time between SIGTERM and SIGKILL. It is enough for exit handlers to stop their brokers. */
const killGraceMs = 10_000;
const outputLimit = 16 * 1024;
const none: Counts = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };

/** @param script  the file that Node runs for that test file */
export async function runFile(file: TestFile, script: string, options: FileRunOptions): Promise<FileResult> {
  const started = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'test-run-'));
  try {
    const paths = { events: join(folder, 'events'), spec: join(folder, 'spec'), output: join(folder, 'output') };
    const watch = setInterval(() => {
      const seconds = Math.round((performance.now() - started) / 1000);
      options.onSlow(`${file.path} has taken ${seconds} s so far${whereIn(readEvents(textOf(paths.events)))}`);
    }, options.slowMs);
    const end = await runProcess(nodeArguments(file, script, paths, options.names), paths.output, options);
    clearInterval(watch);
    const events = readEvents(textOf(paths.events));
    return {
      ...outcome(end, events, options),
      file,
      skipped: events.skipped,
      failed: events.failed,
      notes: events.notes,
      output: tail(textOf(paths.output)),
      failures: head(failuresIn(textOf(paths.spec))),
      durationMs: performance.now() - started,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function nodeArguments(
  { folder }: TestFile,
  script: string,
  paths: { readonly events: string; readonly spec: string },
  names: readonly string[],
): string[] {
  return [
    '--enable-source-maps',
    '--test-reporter=spec',
    `--test-reporter-destination=${paths.spec}`,
    `--test-reporter=${runnablePath('scripts/test-run/events.ts')}`,
    `--test-reporter-destination=${paths.events}`,
    ...names.map((name) => `--test-name-pattern=${name.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}`),
    // Loads the test file, and checks after each test that nothing is left.
    runnablePath('test/helpers/invariant/checked-file.ts'),
    folder,
    script,
  ];
}

function runProcess(args: string[], outputFile: string, options: FileRunOptions): Promise<ProcessEnd> {
  const output = openSync(outputFile, 'w');
  const env = { ...process.env, ...options.env };
  // This variable is set when the runner itself is tested. The tests would then send reports to a parent that does not read them.
  delete env.NODE_TEST_CONTEXT;
  return new Promise((resolve) => {
    const child = spawn(options.node, args, { stdio: ['ignore', output, output], env });
    closeSync(output);
    let isTimedOut = false;
    let forcing: NodeJS.Timeout | undefined;
    const stop = (): void => {
      child.kill('SIGTERM');
      forcing ??= setTimeout(() => child.kill('SIGKILL'), killGraceMs);
    };
    const deadline = setTimeout(() => {
      isTimedOut = true;
      stop();
    }, options.timeoutMs);
    options.signal.addEventListener('abort', stop);
    if (options.signal.aborted) stop();
    const settle = (exitCode: number | null, signal: NodeJS.Signals | null, error: Error | null): void => {
      clearTimeout(deadline);
      clearTimeout(forcing);
      options.signal.removeEventListener('abort', stop);
      resolve({ exitCode, signal, isTimedOut, error });
    };
    child.once('exit', (exitCode, signal) => settle(exitCode, signal, null));
    child.once('error', (error) => settle(null, null, error));
  });
}

/** A process that fails without a failed test counts as a failed test. Otherwise its failure would be in no number of the summary. */
function outcome(
  end: ProcessEnd,
  events: FileEvents,
  options: FileRunOptions,
): Pick<FileResult, 'counts' | 'problem' | 'hasFailed'> {
  const counts = events.counts ?? none;
  const isReported = counts.fail + counts.cancelled > 0;
  const problem = problemOf(end, events, options, isReported);
  if (problem === null) return { counts, problem, hasFailed: isReported };
  return { counts: { ...counts, tests: counts.tests + 1, fail: counts.fail + 1 }, problem, hasFailed: true };
}

function problemOf(end: ProcessEnd, events: FileEvents, options: FileRunOptions, isReported: boolean): string | null {
  const where = whereIn(events);
  if (end.error !== null) return `could not be started: ${end.error.message}`;
  if (end.isTimedOut) {
    const limit = `${options.timeoutMs / 1000} s`;
    if (events.finished === 0 || where !== '') return `took longer than ${limit}${where}`;
    return `its process was still there after ${limit}, though no test was running: something it opened is still open`;
  }
  if (end.signal !== null) return `ended by ${end.signal}${where}`;
  if (events.counts === null) return `ended with exit code ${end.exitCode} before its tests were done${where}`;
  if (events.counts.tests === 0 && options.names.length === 0) return 'has no tests';
  if (end.exitCode !== 0 && !isReported) return `ended with exit code ${end.exitCode}, though no test failed`;
  return null;
}

/** `, while running "group > test" for 12 s`; empty when no test was running. */
function whereIn({ running }: FileEvents): string {
  if (running.length === 0) return '';
  const now = Date.now();
  const named = running.map(({ name, since }) => `"${name}" for ${Math.round((now - since) / 1000)} s`);
  return `, while running ${named.join(' and ')}`;
}

/** The spec reporter repeats the failed tests under a heading. Only that part is returned. */
function failuresIn(spec: string): string {
  const heading = spec.lastIndexOf('failing tests:');
  return heading === -1 ? '' : spec.slice(spec.indexOf('\n', heading) + 1).trim();
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function tail(text: string): string {
  const surplus = text.length - outputLimit;
  return surplus <= 0 ? text : `[${surplus} characters left out]\n${text.slice(surplus)}`;
}

function head(text: string): string {
  const surplus = text.length - outputLimit;
  return surplus <= 0 ? text : `${text.slice(0, outputLimit)}\n[${surplus} characters left out]`;
}
