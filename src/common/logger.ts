// Owns the types of log records and of an application's logger. Every thread. Must not write a log record.

import type { PlainError } from './errors/plain-error.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Whether records of this level are logged with this `logLevel`. With `silent`, none are. */
export function isLogged(level: LogLevel, logLevel: string): boolean {
  const least = logLevels.indexOf(logLevel as LogLevel);
  return least >= 0 && logLevels.indexOf(level) >= least;
}

/** The numbers of one request, in records of the event `request`. */
export interface RequestFacts {
  /** Kafka's name for it, such as `Fetch`. */
  readonly api: string;
  /** int16. */
  readonly apiKey: number;
  readonly apiVersion: number;
  /** Bytes of the request's frame, with its size prefix; 0 if it was not encoded. */
  readonly requestBytes: number;
  /** Bytes of the response's frame; 0 without a response. */
  readonly responseBytes: number;
  /** ms from where the network thread took the request to its end. */
  readonly latencyMs: number;
}

/** The fields of a log record, beside its message. */
export interface LogFields {
  /** What happened, such as `connection-failed`. It is the same for every record of its kind. */
  readonly event: string;
  readonly clientId: string;
  readonly nodeId?: number;
  /** How often the same has happened since the last record of this kind. */
  readonly repeated?: number;
  readonly err?: Error;
  /** For `request`. */
  readonly request?: RequestFacts;
  /** For `failure-unseen`: where the application made the call, one stack frame per line. */
  readonly place?: string;
}

/**
 * Takes log records: pino, console, or any object with these four methods. Called on the application thread. Records never hold a
 * secret.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** A record that the network thread sends to the application. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly event: string;
  readonly message: string;
  readonly nodeId: number | null;
  readonly repeated: number;
  readonly error: PlainError | null;
  /** Null for all events but `request`. */
  readonly request: RequestFacts | null;
}

/** Records that are sent together. The next batch waits until this one was taken. */
export interface LogBatch {
  readonly records: readonly LogRecord[];
  /** How many records were dropped for want of room since the last batch. */
  readonly dropped: number;
}

export function isLogger(value: unknown): value is Logger {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return logLevels.every((level) => typeof (value as Record<string, unknown>)[level] === 'function');
}
