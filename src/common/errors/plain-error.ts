// Owns how errors cross between threads: as plain data, and back to the same class with code, fields and causes. Every thread.

import * as errors from './errors.ts';
import { type ErrorDetails, isRefusal, KafkaClientError, withoutCode } from './kafka-client-error.ts';

/** An error as plain data for structured clone and JSON. */
export interface PlainError extends Omit<ErrorDetails, 'cause' | 'causes'> {
  name: string;
  message: string;
  code?: string;
  stack?: string;
  cause?: PlainError;
  causes?: { host: string; port: number; error: PlainError }[];
  /** The problems of a KafkaConfigurationError. */
  problems?: string[];
  /** Kafka's number, if a broker sent the error. */
  errorCode?: number;
}

type ErrorClass = new (message: string, details?: ErrorDetails) => KafkaClientError;

/** All error classes of the client, by name. */
const errorClasses: ReadonlyMap<string, ErrorClass> = new Map(
  Object.values(errors)
    .filter((value): value is typeof KafkaClientError => isErrorClass(value))
    .map((type) => [type.name, type]),
);

function isErrorClass(value: unknown): boolean {
  return value === KafkaClientError || (typeof value === 'function' && value.prototype instanceof KafkaClientError);
}

const maxCauseDepth = 8;

/** Any thrown value as data. Never throws itself. */
export function toPlainError(thrown: unknown, depth = 0): PlainError {
  try {
    return describeError(thrown, depth);
  } catch {
    // A getter or `toString` of the thrown value threw an error.
    return { name: 'Error', message: 'a thrown value that cannot be described' };
  }
}

function describeError(thrown: unknown, depth: number): PlainError {
  if (!(thrown instanceof Error)) return { name: 'Error', message: `thrown value: ${String(thrown)}` };
  const plain: PlainError = { name: String(thrown.name), message: String(thrown.message) };
  const source = thrown as Error & Partial<KafkaClientError> & { errorCode?: number };
  for (const key of ['code', 'stack', 'field', 'topic'] as const) {
    if (typeof source[key] === 'string') plain[key] = source[key];
  }
  for (const key of ['nodeId', 'apiKey', 'correlationId', 'offset', 'errorCode', 'partition'] as const) {
    if (Number.isFinite(source[key])) plain[key] = source[key]!;
  }
  for (const key of ['maybeWritten', 'fatal'] as const) {
    if (typeof source[key] === 'boolean') plain[key] = source[key];
  }
  // `retriable` depends on class and cause. It is kept as a field, because the cause may be cut off.
  if (thrown instanceof KafkaClientError) {
    const type = thrown.constructor as typeof KafkaClientError;
    if (thrown.retriable !== type.retriable || isRefusal(thrown.cause)) plain.retriable = thrown.retriable;
  }
  if (thrown instanceof errors.PartitionError && thrown.recordOffset !== null)
    plain.recordOffset = String(thrown.recordOffset);
  if (thrown instanceof errors.KafkaConfigurationError) plain.problems = [...thrown.problems];
  if (depth >= maxCauseDepth) return plain;
  if (thrown.cause !== undefined) plain.cause = toPlainError(thrown.cause, depth + 1);
  if (thrown instanceof errors.NoBrokersAvailable) {
    plain.causes = thrown.causes.map(({ host, port, error }) => ({
      host,
      port,
      error: toPlainError(error, depth + 1),
    }));
  }
  return plain;
}

/** Makes the error again. Errors of the client get their class. Other errors keep name, message, code and stack. */
export function fromPlainError(plain: PlainError): Error {
  const { name, message, cause, causes, problems, stack, code, ...details } = plain;
  const rebuiltCause = cause === undefined ? undefined : fromPlainError(cause);
  const type = errorClasses.get(name);
  let error: Error;
  if (problems !== undefined) {
    error = new errors.KafkaConfigurationError(problems, { ...details, cause: rebuiltCause });
  } else if (type !== undefined) {
    const rebuiltCauses = causes?.map(({ host, port, error }) => ({ host, port, error: fromPlainError(error) }));
    error = new type(message, { ...details, cause: rebuiltCause, causes: rebuiltCauses });
  } else {
    error = new Error(message, rebuiltCause === undefined ? undefined : { cause: rebuiltCause });
    error.name = name;
    if (code !== undefined) Object.assign(error, { code });
  }
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** The same error for a record that may be in the log. */
export function withDoubt(error: Error): Error {
  return fromPlainError({ ...toPlainError(error), maybeWritten: true });
}

/** How much of an error is kept when there is little room: levels of causes, and characters of each text. */
const briefSizes = [
  [4, 300],
  [2, 200],
  [1, 150],
  [0, 100],
] as const;

/** The error as data whose JSON has at most `maxBytes`. It has no stacks, and as much of the rest as fits. */
export function toBriefError(error: Error, maxBytes: number): PlainError {
  const plain = toPlainError(error);
  for (const [causes, length] of briefSizes) {
    const shorter = brief(plain, causes, length);
    if (Buffer.byteLength(JSON.stringify(shorter)) <= maxBytes) return shorter;
  }
  return { name: plain.name, message: '' };
}

/** The same as JSON. */
export function toBriefJson(error: Error, maxBytes: number): string {
  return JSON.stringify(toBriefError(error, maxBytes));
}

function brief(plain: PlainError, causes: number, length: number): PlainError {
  const { stack: _stack, causes: _causes, cause, message: whole, ...rest } = plain;
  // The code is in a field, and the text gets it again from there.
  const message = withoutCode(whole);
  const cut = message.length > length ? `${message.slice(0, length)}...` : message;
  const hasCause = cause !== undefined && causes > 0;
  return { ...rest, message: cut, ...(hasCause && { cause: brief(cause, causes - 1, length) }) };
}
