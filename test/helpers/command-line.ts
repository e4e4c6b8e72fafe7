// Owns the running of the command line as a process of its own: its input, what it prints, how it ends. Runs in the test's thread.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { runnablePath } from '../../scripts/project.ts';

export interface CommandRun {
  /** Written to its standard input, which then ends. Default: nothing. */
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The lines of stdout, without the empty one at the end. */
  readonly lines: readonly string[];
}

export interface RunningCommand {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it has printed so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<Ended>;
}

const timeoutMs = 300_000;

/** Starts it. It is killed when it takes too long. */
export function startCommandLine(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): RunningCommand {
  const { KAFKA_BOOTSTRAP_SERVERS: _, KAFKA_COMMAND_CONFIG: __, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--enable-source-maps', runnablePath('src/cli/index.ts'), ...args], {
    stdio: 'pipe',
    env: { ...inherited, ...environment },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      texts[name] += chunk;
    });
  }
  // A command that ends without reading its input gives the reason itself.
  child.stdin.on('error', () => {});
  const ended = once(child, 'close').then(([exitCode, signal]: unknown[]) => ({
    exitCode: exitCode as number | null,
    signal: signal as NodeJS.Signals | null,
    ...texts,
    lines: texts.stdout.split('\n').slice(0, -1),
  }));
  return { child, stdout: () => texts.stdout, stderr: () => texts.stderr, ended };
}

/** Runs it to its end, with success or failure. */
export async function runCommandLine(
  args: readonly string[],
  { input = '', environment }: CommandRun = {},
): Promise<Ended> {
  const { child, ended } = startCommandLine(args, environment);
  child.stdin.end(input);
  return ended;
}
