// Owns the log records on the application side. Records of both threads go to the configured logger. Without a logger, they become
// process warnings. Application thread. A logger that throws must not stop anything.

import type { MessagePort } from 'node:worker_threads';
import { receiveMessageOnPort } from 'node:worker_threads';
import { fromPlainError } from '../../common/errors/plain-error.ts';
import { isLogged, type LogBatch, type LogFields, type Logger, type LogLevel } from '../../common/logger.ts';
import { thrownError, thrownText } from '../../common/thrown.ts';
import { isObserved, publishRecord } from './diagnostics.ts';

export interface ClientLogOptions {
  readonly clientId: string;
  readonly logLevel: string;
  readonly logger: Logger | null;
}

export class ClientLog {
  readonly #options: ClientLogOptions;
  readonly #logger: Logger;
  #hasWarned = false;
  /** Called after records of the network thread were taken. */
  onTaken: () => void = () => {};

  constructor(options: ClientLogOptions) {
    this.#options = options;
    this.#logger = options.logger ?? warnings;
  }

  write(level: LogLevel, given: Omit<LogFields, 'clientId'>, message: string): void {
    const isWanted = isLogged(level, this.#options.logLevel);
    if (!isWanted && !isObserved()) return;
    const fields = { ...given, clientId: this.#options.clientId };
    publishRecord(level, fields, message);
    if (!isWanted) return;
    try {
      this.#logger[level](fields, message);
    } catch (error) {
      if (this.#hasWarned) return;
      this.#hasWarned = true;
      process.emitWarning(`the logger threw: ${thrownText(error)}`, { code: 'KAFKA_LOGGER' });
    }
  }

  /** Called with errors that a callback or listener of the application throws. */
  readonly callbackThrew = (error: unknown): void => {
    const err = thrownError(error);
    this.write('error', { event: 'callback-threw', err }, `a callback or listener threw: ${err.message}`);
  };

  /** Takes the network thread's records from the port and confirms them, until `drain`. */
  listen(port: MessagePort): void {
    port.on('message', (batch: LogBatch) => {
      this.#take(batch);
      port.postMessage(null);
      this.onTaken();
    });
    port.unref();
  }

  /** Takes the rest from the port of a thread that has ended, and closes the port. */
  drain(port: MessagePort): void {
    for (let received = receiveMessageOnPort(port); received !== undefined; received = receiveMessageOnPort(port)) {
      this.#take(received.message as LogBatch);
    }
    port.close();
  }

  #take({ records, dropped }: LogBatch): void {
    for (const { level, event, message, nodeId, repeated, error, request } of records) {
      const fields = {
        event,
        ...(nodeId === null ? {} : { nodeId }),
        ...(repeated === 0 ? {} : { repeated }),
        ...(error === null ? {} : { err: fromPlainError(error) }),
        ...(request === null ? {} : { request }),
      };
      this.write(level, fields, message);
    }
    if (dropped > 0)
      this.write('warn', { event: 'log-dropped', repeated: dropped }, `${dropped} log records were dropped`);
  }
}

/** Process warnings. They are seen without any setting, have one line each, and `--no-warnings` silences them. */
const warnings: Logger = {
  debug: () => {},
  info: () => {},
  warn: warn,
  error: warn,
};

function warn({ event, clientId, err, place }: LogFields, message: string): void {
  const code = `KAFKA_${event.replaceAll('-', '_').toUpperCase()}`;
  process.emitWarning(`${clientId}: ${message}`, {
    type: 'KafkaWarning',
    code,
    detail: event === 'callback-threw' ? textOf(err?.stack) : place,
  });
}

/** An application may set `stack` to any value. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
