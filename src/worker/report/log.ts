// Owns the log records of the network thread until the application has them: which events are logged, how often the same fault
// is repeated, and how many records may wait for a slow application. Network thread. Must not block or grow without limit.

import { toPlainError } from '../../common/errors/plain-error.ts';
import { isLogged, type LogBatch, type LogLevel, type LogRecord, type RequestFacts } from '../../common/logger.ts';

/** How many records may wait. Further ones are counted and dropped. */
const maxRecords = 256;
/** How many records of requests may wait: a busy client makes so many that other records would find no room. */
const maxRequestRecords = 192;
/** The same fault is logged again after this time, then after twice this time, and so on up to the limit. */
const firstRepeatMs = 60_000;
const maxRepeatMs = 3_600_000;
/** How many kinds of faults are remembered. Beyond that, the one that was logged the longest time ago is forgotten. */
const maxFaults = 1000;

export interface LogDetails {
  readonly nodeId?: number;
  readonly error?: Error;
}

interface Fault {
  /** How often the fault was seen since it was last logged. */
  untold: number;
  total: number;
  tellAgainAt: number;
  intervalMs: number;
}

export class Log {
  readonly #logLevel: string;
  readonly #post: (batch: LogBatch) => void;
  readonly #faults = new Map<string, Fault>();
  #records: LogRecord[] = [];
  #dropped = 0;
  #isUnderWay = false;
  #isObserved = false;
  #isDebug: boolean;

  /**
   * @param logLevel as configured
   * @param post  sends a batch to the application; `taken` is called when the application has it
   */
  constructor(logLevel: string, post: (batch: LogBatch) => void) {
    this.#logLevel = logLevel;
    this.#post = post;
    this.#isDebug = isLogged('debug', logLevel);
  }

  /** Whether records of the lowest level are made: ask before making their texts. */
  get isDebug(): boolean {
    return this.#isDebug;
  }

  /** While somebody listens on the diagnostics channels, every record is made, whatever `logLevel` is. */
  observe(isObserved: boolean): void {
    this.#isObserved = isObserved;
    this.#isDebug = isObserved || isLogged('debug', this.#logLevel);
  }

  /** The record of one request. */
  request(message: string, request: RequestFacts, nodeId: number, error: Error | null): void {
    if (this.#records.length >= maxRequestRecords) {
      this.#dropped++;
      return;
    }
    const plain = error === null ? null : toPlainError(error);
    this.#records.push({ level: 'debug', event: 'request', message, nodeId, repeated: 0, error: plain, request });
  }

  write(level: LogLevel, event: string, message: string, { nodeId, error }: LogDetails = {}, repeated = 0): void {
    if (!this.#isWanted(level)) return;
    if (this.#records.length >= maxRecords) {
      this.#dropped++;
      return;
    }
    const plain = error === undefined ? null : toPlainError(error);
    this.#records.push({ level, event, message, nodeId: nodeId ?? null, repeated, error: plain, request: null });
  }

  /** Logs a fault that may repeat: the first time, and later with the number of times since then. */
  fault(key: string, level: LogLevel, event: string, message: string, details: LogDetails, now: number): void {
    if (!this.#isWanted(level)) return;
    const known = this.#faults.get(key);
    if (known === undefined) {
      this.#remember(key, now);
      this.write(level, event, message, details);
      return;
    }
    known.untold++;
    known.total++;
    if (now < known.tellAgainAt) return;
    known.intervalMs = Math.min(known.intervalMs * 2, maxRepeatMs);
    known.tellAgainAt = now + known.intervalMs;
    const since = known.untold > 1 ? ` (seen ${known.untold} times since)` : '';
    this.write(level, event, message + since, details, known.untold);
    known.untold = 0;
  }

  /** The fault is over. The next one is logged at once again. Returns how often it was seen. */
  recovered(key: string): number {
    const total = this.#faults.get(key)?.total ?? 0;
    this.#faults.delete(key);
    return total;
  }

  /** Sends the waiting records, unless a batch is under way. So a blocked application holds one batch only. */
  flush(): void {
    if (this.#isUnderWay || (this.#records.length === 0 && this.#dropped === 0)) return;
    this.#isUnderWay = true;
    this.#send();
  }

  /** The application has the last batch. */
  taken(): void {
    this.#isUnderWay = false;
    this.flush();
  }

  /** Sends the rest without waiting: `taken` will not be called again. */
  close(): void {
    if (this.#records.length > 0 || this.#dropped > 0) this.#send();
  }

  #isWanted(level: LogLevel): boolean {
    return this.#isObserved || isLogged(level, this.#logLevel);
  }

  #send(): void {
    const batch = { records: this.#records, dropped: this.#dropped };
    this.#records = [];
    this.#dropped = 0;
    this.#post(batch);
  }

  #remember(key: string, now: number): void {
    if (this.#faults.size >= maxFaults) this.#faults.delete(this.#faults.keys().next().value!);
    this.#faults.set(key, { untold: 0, total: 1, tellAgainAt: now + firstRepeatMs, intervalMs: firstRepeatMs });
  }
}
