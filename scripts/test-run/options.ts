// Owns the command line of the test runner: the meaning of its words, and which are refused. Must not read files.

import { Command } from 'commander';
import { gathered } from '../arguments.ts';

export interface RunOptions {
  /** Folders under `test`, in the order in which they run. Empty: all. */
  readonly folders: readonly string[];
  /** Folders left out when `folders` is empty. */
  readonly except: readonly string[];
  /** Leaves out the files of long-files.ts. */
  readonly isShort: boolean;
  /** Words after `--`: parts of file paths, or else of test names. */
  readonly filters: readonly string[];
  /** The Node binary that runs the tests. */
  readonly node: string;
  /** Files at a time, at least 1. */
  readonly concurrency: number;
  /** The time limit of one file in ms. Null: the default of its folder. */
  readonly timeoutMs: number | null;
}

interface Values {
  readonly except: readonly string[];
  readonly short: boolean;
  readonly node: string;
  readonly concurrency?: string;
  readonly timeoutSeconds?: string;
}

export const usage =
  'run-tests [--except FOLDER]... [--short] [--node BINARY] [--concurrency N] [--timeout-seconds N] [FOLDER...] [-- PATH-OR-NAME...]';

/** Two files keep two cores busy. More would slow down tests that wait for other threads. */
const defaultConcurrency = 2;

/** Throws for an unknown option or a wrong number. */
export function parseRunOptions(argv: readonly string[]): RunOptions {
  const end = argv.indexOf('--');
  const command = new Command('run-tests')
    .helpOption(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showSuggestionAfterError()
    .argument('[folder...]')
    .option('--except <folder>', 'may be given several times', gathered, [])
    .option('--short', 'leave out the files that take long', false)
    .option('--node <binary>', 'the Node that runs the tests', process.execPath)
    .option('--concurrency <number>')
    .option('--timeout-seconds <number>')
    .parse(end === -1 ? argv : argv.slice(0, end), { from: 'user' });
  const values = command.opts<Values>();
  const timeout = values.timeoutSeconds;
  return {
    folders: command.args,
    except: values.except,
    isShort: values.short,
    filters: end === -1 ? [] : argv.slice(end + 1),
    node: values.node,
    concurrency:
      values.concurrency === undefined ? defaultConcurrency : positiveInteger('--concurrency', values.concurrency),
    timeoutMs: timeout === undefined ? null : positiveInteger('--timeout-seconds', timeout) * 1000,
  };
}

function positiveInteger(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`${option} ${JSON.stringify(text)}: expected an integer above 0`);
}
