// Owns how commands declare their flags, the flags that all of them have, and the checks of values. Main thread.

import type { Command } from 'commander';
import type { ExpectedRole } from '../common/control.ts';
import { commander } from './commander.ts';
import type { Context } from './context.ts';
import { UsageError } from './exit-codes.ts';

/** A role, requests of the command's own (Metadata needs no mention), or a table as output. */
export type Use = ExpectedRole | 'requests' | 'tables';

/** A command: its name, its flags, and what it does. */
export interface Declaration {
  readonly name: string;
  readonly description: string;
  /** Examples, shown below the flags. */
  readonly help?: string;
  /** What is loaded while its client connects. */
  readonly uses?: readonly Use[];
  flags(command: Command): void;
  /** @returns the exit code; nothing means success */
  run(context: Context, flags: never, operands: readonly (string | undefined)[]): Promise<number | undefined>;
}

export function addCommonFlags(command: Command): void {
  command
    .option('--bootstrap-server <host:port,...>', 'brokers to connect to first')
    .option('--bootstrap-controller <host:port,...>', 'controllers instead of brokers, for what controllers do')
    .option('--command-config <file>', "properties file, as Kafka's own tools take it")
    .option('--command-property <key=value>', 'one setting; may be given several times', gathered)
    .option('--timeout <ms>', 'limit of each call (default: 30000)', integerFrom(1))
    .addOption(
      new commander.Option('-o, --output <form>', 'form of the output').choices(['table', 'json']).default('table'),
    )
    .option('--verbose', 'log what the client does to stderr');
}

/** Collects a flag that may be given several times. */
export function gathered(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

/** Collects names, separated by commas or by giving the flag again. */
export function names(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), ...value.split(',').filter((name) => name !== '')];
}

export function integerFrom(min: number, max = 2 ** 31 - 1): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (/^-?\d+$/.test(value) && number >= min && number <= max) return number;
    throw new commander.InvalidArgumentError(`It must be an integer from ${min} to ${max}.`);
  };
}

/** A number within int64. */
export function int64Of(flag: string, value: string): bigint {
  if (/^-?\d{1,19}$/.test(value)) {
    const number = BigInt(value);
    if (number === BigInt.asIntN(64, number)) return number;
  }
  throw new UsageError(`${flag} must be an integer of 64 bits, not '${value.slice(0, 80)}'`);
}

/** The one of several flags that is set. Throws UsageError unless it is exactly one. */
export function oneOf<Name extends string>(flags: object, choices: readonly Name[]): Name {
  const given = flags as Readonly<Record<string, unknown>>;
  const set = choices.filter((name) => given[name] !== undefined && given[name] !== false);
  if (set.length === 1) return set[0]!;
  const list = choices.map(flagName).join(', ');
  throw new UsageError(set.length === 0 ? `give one of ${list}` : `give only one of ${set.map(flagName).join(', ')}`);
}

/** `fromBeginning` is `--from-beginning`. */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `topic` or `topic:0,1,2`, as in kafka-consumer-groups. */
export function topicAndPartitions(text: string): { topic: string; partitions: number[] | null } {
  const [topic, list] = text.split(':') as [string, string | undefined];
  if (list === undefined) return { topic, partitions: null };
  const partitions = list.split(',').map(Number);
  if (list !== '' && partitions.every((one) => Number.isInteger(one) && one >= 0)) return { topic, partitions };
  throw new UsageError(`'${text.slice(0, 80)}' must be TOPIC or TOPIC:PARTITION,PARTITION`);
}
