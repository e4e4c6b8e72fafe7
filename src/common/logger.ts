// Owns what a log record is, and what an application's logger has to offer. Every thread. Must not write one anywhere.

import type { PlainError } from './errors/plain-error.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Whether records of that level are wanted with `logLevel` configured as given; `silent` wants none. */
export function isLogged(level: LogLevel, logLevel: string): boolean {
  const least = logLevels.indexOf(logLevel as LogLevel);
  return least >= 0 && logLevels.indexOf(level) >= least;
}

/** What comes with a message; loggers for machines keep it, consoles print it. */
export interface LogFields {
  /** What happened, the same for every record of its kind, such as `connection-failed`. */
  readonly event: string;
  readonly clientId: string;
  readonly nodeId?: number;
  /** How often the same has happened since the record before, which was the last one of its kind. */
  readonly repeated?: number;
  readonly err?: Error;
  /** Of `failure-unseen`: where the application made the call, a frame a line. */
  readonly place?: string;
}

/**
 * Where records go: pino, console, or anything else with these four. Called on the application thread. Never told a secret.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** A record on its way from the network thread. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly event: string;
  readonly message: string;
  readonly nodeId: number | null;
  readonly repeated: number;
  readonly error: PlainError | null;
}

/** Records that travel together; the next batch waits until this one was taken. */
export interface LogBatch {
  readonly records: readonly LogRecord[];
  /** Records that found no room since the batch before. */
  readonly dropped: number;
}

export function isLogger(value: unknown): value is Logger {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return logLevels.every((level) => typeof (value as Record<string, unknown>)[level] === 'function');
}
