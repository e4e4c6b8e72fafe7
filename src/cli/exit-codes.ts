// Owns the exit codes of the command line, and which error leads to which. Main thread.

import {
  AuthorizationError,
  BrokerError,
  Cancelled,
  KafkaClientError,
  KafkaConfigurationError,
  KafkaTimeoutError,
  NetworkThreadError,
  NoBrokersAvailable,
} from '../common/errors/errors.ts';

export const exitCodes = {
  success: 0,
  /** A broker refused something, or an item of several failed. */
  failure: 1,
  /** The command line or the configuration is wrong: nothing was done. */
  usage: 2,
  /** No broker could be reached, or none answered in time. */
  unavailable: 3,
  /** The login or the operation was refused. */
  denied: 4,
  /** A topic, partition or group does not exist. */
  notFound: 5,
  /** The input could not be read, such as JSON that is not valid. What came before it was sent. */
  badInput: 6,
  /** Ctrl-C, with the same code as in shells. */
  interrupted: 130,
} as const;

/** The command line is wrong. The message says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The input is wrong. The message says where. */
export class InputError extends Error {
  override readonly name = 'InputError';
}

/** The user gave up. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly exitCode: number;

  constructor(exitCode: number = exitCodes.interrupted) {
    super('interrupted');
    this.exitCode = exitCode;
  }
}

const refusals: ReadonlySet<string> = new Set([
  'KAFKA_SASL_AUTHENTICATION_FAILED',
  'KAFKA_UNSUPPORTED_SASL_MECHANISM',
  'KAFKA_ILLEGAL_SASL_STATE',
  'KAFKA_TLS_AUTHENTICATION',
]);
const unknownNames: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'GROUP_ID_NOT_FOUND',
  'RESOURCE_NOT_FOUND',
  'TRANSACTIONAL_ID_NOT_FOUND',
]);

export function exitCodeFor(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof UsageError || error instanceof KafkaConfigurationError) return exitCodes.usage;
  if (error instanceof InputError) return exitCodes.badInput;
  if (error instanceof AggregateError) return commonCode(error.errors);
  if (isDenied(error)) return exitCodes.denied;
  if (error instanceof BrokerError && unknownNames.has(error.errorName)) return exitCodes.notFound;
  if (error instanceof NoBrokersAvailable || error instanceof KafkaTimeoutError) return exitCodes.unavailable;
  if (error instanceof Cancelled || error instanceof NetworkThreadError) return exitCodes.failure;
  return exitCodes.failure;
}

/** The exit code that all errors share, or else the code of a failure. */
function commonCode(errors: readonly unknown[]): number {
  const codes = new Set(errors.map(exitCodeFor));
  const [first] = codes;
  return codes.size === 1 && first !== undefined ? first : exitCodes.failure;
}

const maxDepth = 8;

function isDenied(error: unknown, depth = 0): boolean {
  if (error instanceof AuthorizationError) return true;
  if (!(error instanceof KafkaClientError) || depth > maxDepth) return false;
  if (refusals.has(error.code)) return true;
  const causes = error instanceof NoBrokersAvailable ? error.causes.map((one) => one.error) : [];
  return [error.cause, ...causes].some((cause) => isDenied(cause, depth + 1));
}
