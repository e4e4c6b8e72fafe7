// Owns the text of an error for a person: message, causes and code, without a stack. Main thread.

import { KafkaClientError, KafkaConfigurationError, NoBrokersAvailable } from '../../common/errors/errors.ts';
import { InputError, UsageError } from '../exit-codes.ts';
import { printable } from './table.ts';

const maxCauses = 4;
const maxErrors = 20;

export function describeError(error: unknown): string {
  if (error instanceof AggregateError) {
    const shown = error.errors.slice(0, maxErrors).map((one) => describeError(one));
    if (error.errors.length > maxErrors) shown.push(`and ${error.errors.length - maxErrors} more errors`);
    return shown.join('\n');
  }
  if (error instanceof UsageError || error instanceof InputError || error instanceof KafkaConfigurationError)
    return `error: ${lines(error.message)}`;
  if (!(error instanceof Error)) return `error: ${printable(String(error))}`;
  const parts = [`error: ${lines(error.message)}`];
  // Its message names the causes already.
  let cause = error instanceof NoBrokersAvailable ? undefined : error.cause;
  for (let i = 0; i < maxCauses && cause instanceof Error; i++, cause = cause.cause) {
    if (!parts.some((part) => part.includes((cause as Error).message))) parts.push(`  cause: ${lines(cause.message)}`);
  }
  const { code } = error as { code?: unknown };
  if (error instanceof KafkaClientError && typeof code === 'string') parts.push(`  code: ${code}`);
  return parts.join('\n');
}

/** Line breaks stay, other control characters are shown. */
function lines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
