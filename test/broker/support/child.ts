// Owns child processes that run a script of test/broker/support/scripts: for tests of how a process ends, blocks or grows.
// Runs in the test's thread.

import { type ChildProcess, spawn } from 'node:child_process';
import { standsStill } from '../../helpers/standstill.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import type { Cleanup } from './client.ts';

export interface ChildEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Child {
  /** Resolves when the process has ended and its output is read. */
  readonly ended: Promise<ChildEnd>;
  readonly hasEnded: boolean;
  /** What it has printed so far. */
  readonly stdout: string;
  /** Writes a line to its stdin. */
  tell(line: string): void;
  signal(signal: NodeJS.Signals): void;
  /** Stops it by SIGSTOP. Resolves when it stands still. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  /** Options of `node` itself. */
  readonly execArgv?: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command and its arguments that replaces itself by the one behind it. */
  readonly under?: readonly string[];
}

const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** Runs the script with `args`, which it gets as JSON in its first argument. It is killed when the test ends. */
export function startChild(t: Cleanup, script: string, args: object, options: ChildOptions = {}): Child {
  const path = new URL(`./scripts/${script}${suffix}`, import.meta.url).pathname;
  const execArgv = ['--enable-source-maps', ...(options.execArgv ?? [])];
  const [command, ...rest] = [...(options.under ?? []), process.execPath, ...execArgv, path, JSON.stringify(args)];
  const child = spawn(command!, rest, {
    stdio: 'pipe',
    env: { ...process.env, ...options.env },
  });
  const stdout = collect(child, 'stdout');
  const stderr = collect(child, 'stderr');
  let hasEnded = false;
  const ended = new Promise<ChildEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => {
      hasEnded = true;
      resolve({ exitCode, signal, stdout: stdout(), stderr: stderr() });
    });
  });
  // A child that has gone does not read what it is told.
  child.stdin!.on('error', () => {});
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    ended,
    get hasEnded() {
      return hasEnded;
    },
    get stdout() {
      return stdout();
    },
    tell: (line) => {
      child.stdin!.write(`${line}\n`);
    },
    signal: (signal) => {
      child.kill(signal);
    },
    stop: async () => {
      child.kill('SIGSTOP');
      await waitFor('the standstill', () => standsStill(child.pid!));
    },
  };
}

function collect(child: ChildProcess, name: 'stdout' | 'stderr'): () => string {
  let text = '';
  child[name]!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

/** URL of a script, for `--import`. */
export function scriptUrl(script: string): string {
  return new URL(`./scripts/${script}${suffix}`, import.meta.url).href;
}
