// Owns the codec pool: threads that compress and decompress what would make a turn of the poll loop long. Network
// thread. Must not decide what is big (configuration does) or in which order results are used (their callers do).

import type { Piscina } from 'piscina';
import { fromPlainError, KafkaClientError } from '../common/errors.ts';
import type { CodecTask, CodecTaskResult, DecodedBody, DecodeTask, EncodedFrame, EncodeTask } from './codec-task.ts';

const taskEntry = new URL(import.meta.url.endsWith('.ts') ? './codec-task.ts' : './codec-task.js', import.meta.url);

/** Frames of this much may be in tasks at a time; a larger one goes alone. */
const budgetBytes = 64 * 1024 * 1024;
/** A pool nobody needs ends its threads after this. */
const idleTimeoutMs = 30_000;

type Outcome = { readonly result: CodecTaskResult } | { readonly failure: unknown };

export class CodecPool {
  readonly #threads: number;
  readonly #wake: () => void;
  #pool: Promise<Piscina> | null = null;
  #bytesInTasks = 0;
  #completed: ((now: number) => void)[] = [];

  /** @param threads at most; 0: there is no pool, and everything runs in the network thread */
  constructor(threads: number, wake: () => void) {
    this.#threads = threads;
    this.#wake = wake;
  }

  get isEnabled(): boolean {
    return this.#threads > 0;
  }

  /** Whether a task with this many bytes may begin. */
  hasRoom(byteCount: number): boolean {
    return this.#bytesInTasks === 0 || this.#bytesInTasks + byteCount <= budgetBytes;
  }

  /** Moves the frame's memory to the pool. `done` is called in a later `poll`. */
  decode(task: DecodeTask, done: (outcome: DecodedBody | Error, now: number) => void): void {
    this.#run(task, task.end - task.start, task.frame.buffer as ArrayBuffer, (outcome, now) =>
      done(settle<DecodedBody>(outcome), now),
    );
  }

  /** Moves the flat request to the pool. `done` is called in a later `poll`. */
  encode(task: EncodeTask, done: (outcome: EncodedFrame | Error, now: number) => void): void {
    this.#run(task, task.flat.byteLength, task.flat, (outcome, now) => done(settle<EncodedFrame>(outcome), now));
  }

  /** Hands out the results that have come since the last call. Returns how many. */
  poll(now: number): number {
    const completed = this.#completed;
    this.#completed = [];
    for (const callback of completed) callback(now);
    return completed.length;
  }

  async close(): Promise<void> {
    const pool = await this.#pool?.catch(() => null);
    await pool?.destroy();
  }

  #run(task: CodecTask, byteCount: number, moved: ArrayBuffer, done: (outcome: Outcome, now: number) => void): void {
    this.#bytesInTasks += byteCount;
    const finish = (outcome: Outcome): void => {
      this.#bytesInTasks -= byteCount;
      this.#completed.push((now) => done(outcome, now));
      this.#wake();
    };
    this.#started()
      .then((pool) => pool.run(task, { transferList: [moved] }) as Promise<CodecTaskResult>)
      .then(
        (result) => finish({ result }),
        (failure: unknown) => finish({ failure }),
      );
  }

  /** Started by the first task: most clients never see a compressed megabyte. */
  #started(): Promise<Piscina> {
    this.#pool ??= import('piscina').then(
      ({ Piscina: Pool }) =>
        new Pool({
          filename: taskEntry.href,
          minThreads: 0,
          maxThreads: this.#threads,
          idleTimeout: idleTimeoutMs,
          // An idle thread waits for messages as any other: it may hold a core's attention no longer than a task takes.
          atomics: 'disabled',
        }),
    );
    return this.#pool;
  }
}

function settle<T extends DecodedBody | EncodedFrame>(outcome: Outcome): T | Error {
  if ('failure' in outcome) return new KafkaClientError('a task of the codec pool failed', { cause: outcome.failure });
  return 'error' in outcome.result ? fromPlainError(outcome.result.error) : (outcome.result as T);
}
