// Owns how scripts read their arguments: `--help`, the nearest name for a wrong one, and exit code 2 for what is wrong.

import { Command, InvalidArgumentError } from 'commander';

const usageExitCode = 2;

/** @param name as the help shows it, such as `npm run soak --` */
export function scriptCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .showSuggestionAfterError()
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : usageExitCode));
}

/** A script that makes faults at random for a time. Its options `--minutes` and `--seed` are of `RandomRun`. */
export function randomRunCommand(name: string, description: string): Command {
  return scriptCommand(name, description)
    .option('--minutes <number>', 'how long', numberAbove(0), 1)
    .option('--seed <number>', 'what the faults are drawn from', integerFrom(0), 1);
}

export interface RandomRun {
  readonly minutes: number;
  readonly seed: number;
}

/** The value of an option that takes an integer. */
export function integerFrom(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^-?\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value;
    throw new InvalidArgumentError(`It must be an integer from ${min} on.`);
  };
}

/** The value of an option that takes a number such as 0.5. */
export function numberAbove(limit: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value) && value > limit) return value;
    throw new InvalidArgumentError(`It must be a number above ${limit}.`);
  };
}

/** Adds a value of an option that may be given several times. */
export function gathered(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
