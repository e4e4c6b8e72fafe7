// Owns the output for several items: successes on stdout, errors on stderr, one exit code for all.
// Main thread.

import type { Outcome } from '../../index.ts';
import { type Context, jsonText } from '../context.ts';
import { exitCodeFor, exitCodes } from '../exit-codes.ts';
import { describeError } from './describe-error.ts';
import { printable } from './table.ts';

export interface ReportOptions<K> {
  /** Whether an error of this Kafka name counts as done. */
  readonly isFine?: (errorName: string) => boolean;
  /** The name of an item. Default: its text. */
  readonly nameOf?: (key: K) => string;
}

/** @param done what was done to an item, as printed before its name. Null: success prints nothing */
export function reportOutcomes<K>(
  context: Context,
  done: string | null,
  results: ReadonlyMap<K, Outcome<unknown>>,
  { isFine = () => false, nameOf = String }: ReportOptions<K> = {},
): number {
  const errors: unknown[] = [];
  for (const [key, outcome] of results) {
    const name = printable(nameOf(key));
    if (outcome.ok) {
      if (done === null) continue;
      context.out.line(context.isJson ? jsonText({ ok: true, done, name }) : `${done} ${name}`);
      continue;
    }
    const { errorName } = outcome.error as { errorName?: string };
    if (errorName !== undefined && isFine(errorName)) continue;
    errors.push(outcome.error);
    const maybe = outcome.maybeApplied ? '\n  an attempt got no answer: it may have been done all the same' : '';
    context.say(`${name}: ${describeError(outcome.error)}${maybe}`);
  }
  return errors.length === 0 ? exitCodes.success : exitCodeFor(new AggregateError(errors));
}
