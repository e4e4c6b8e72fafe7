// Owns the log records of the network thread until they have left it: which are worth one, how often the same fault is told,
// and how many may wait for an application that is behind. Network thread. Must not block or grow for the log's sake.

import { toPlainError } from '../../common/errors/plain-error.ts';
import { isLogged, type LogBatch, type LogLevel, type LogRecord } from '../../common/logger.ts';

/** Records that may wait; further ones are counted and dropped. */
const maxRecords = 256;
/** The same fault is told again after this long, then after twice as long, and so on up to the limit. */
const firstRepeatMs = 60_000;
const maxRepeatMs = 3_600_000;
/** Kinds of faults remembered; beyond that the longest untold is forgotten. */
const maxFaults = 1000;

export interface LogDetails {
  readonly nodeId?: number;
  readonly error?: Error;
}

interface Fault {
  /** Since the last record. */
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

  /**
   * @param logLevel as configured
   * @param post  carries a batch to the application; `taken` says when it has
   */
  constructor(logLevel: string, post: (batch: LogBatch) => void) {
    this.#logLevel = logLevel;
    this.#post = post;
  }

  write(level: LogLevel, event: string, message: string, { nodeId, error }: LogDetails = {}, repeated = 0): void {
    if (!isLogged(level, this.#logLevel)) return;
    if (this.#records.length >= maxRecords) {
      this.#dropped++;
      return;
    }
    const plain = error === undefined ? null : toPlainError(error);
    this.#records.push({ level, event, message, nodeId: nodeId ?? null, repeated, error: plain });
  }

  /** A fault that may come again and again: told the first time, and then with the number of times since. */
  fault(key: string, level: LogLevel, event: string, message: string, details: LogDetails, now: number): void {
    if (!isLogged(level, this.#logLevel)) return;
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

  /** The fault is over, and the next one news again. Returns how often it was seen. */
  recovered(key: string): number {
    const total = this.#faults.get(key)?.total ?? 0;
    this.#faults.delete(key);
    return total;
  }

  /** Hands over what there is unless a batch is under way: an application that is blocked holds one batch, not all. */
  flush(): void {
    if (this.#isUnderWay || (this.#records.length === 0 && this.#dropped === 0)) return;
    this.#isUnderWay = true;
    this.#send();
  }

  /** The last batch was taken. */
  taken(): void {
    this.#isUnderWay = false;
    this.flush();
  }

  /** Hands over the rest: nobody will say that it was taken. */
  close(): void {
    if (this.#records.length > 0 || this.#dropped > 0) this.#send();
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
