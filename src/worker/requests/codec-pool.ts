// Owns the codec pool: threads that compress and decompress what would make a turn of the poll loop long, and the tasks
// that wait for one. Where threads cannot be started the tasks are done here: a helper that is missing costs time, not the
// answer. Network thread. Must not decide what is big (configuration does) or in which order results are used (their callers do).

import type { Piscina } from 'piscina';
import { prepareCodecs } from '../../codec/index.ts';
import { KafkaClientError } from '../../common/errors/errors.ts';
import { fromPlainError } from '../../common/errors/plain-error.ts';
import { budgetBytes, CodecAccount } from './codec-account.ts';
import {
  type CodecTask,
  type CodecTaskResult,
  type DecodedBody,
  type DecodeTask,
  type EncodedFrame,
  type EncodeTask,
  perform,
} from './codec-work.ts';

// Not in the form by which bundlers take a file for an asset: it needs its neighbours. Where it is left behind the pool does not start.
const here = import.meta.url;
const taskEntry = new URL(here.endsWith('.ts') ? './codec-task.ts' : './codec-task.js', here);

/** A pool nobody needs ends its threads after this. */
const idleTimeoutMs = 30_000;
/** How long tasks that have begun may hold up the end of the pool. */
const endGraceMs = 1000;
/** After so many tasks in a row that no thread took none is offered to one any more. */
const maxStartFailures = 3;

/** Threads that run tasks. */
export interface CodecThreads {
  /** Runs the task on a free thread; `moved` travels with it. Rejects when that thread ends, or cannot be started. */
  run(task: CodecTask, moved: ArrayBuffer): Promise<CodecTaskResult>;
  /** Ends the threads; what runs on them is rejected. */
  destroy(): Promise<void>;
}

/** @param threads how many tasks may run at a time */
export type StartCodecThreads = (threads: number) => Promise<CodecThreads>;

type Outcome = { readonly result: CodecTaskResult } | { readonly failure: Error };

interface Job {
  readonly account: CodecAccount;
  /** The receiver says when it has taken the body over. */
  readonly isHeld: boolean;
  readonly task: CodecTask;
  readonly moved: ArrayBuffer;
  readonly byteCount: number;
  readonly done: (outcome: Outcome, now: number) => void;
}

export class CodecPool {
  readonly #threadCount: number;
  readonly #wake: () => void;
  readonly #start: StartCodecThreads;
  #threads: Promise<CodecThreads> | null = null;
  /**
   * Tasks beyond one for each thread wait here: a thread that is lost must take its own task with it and no other, and
   * what waits must not be given to threads that nobody replaces.
   */
  #waiting: Job[] = [];
  readonly #running = new Set<Job>();
  #bytesInTasks = 0;
  /** Of what has no account of its own. */
  readonly #shared = new CodecAccount(Number.POSITIVE_INFINITY);
  #completed: ((now: number) => void)[] = [];
  readonly #onUnusable: (cause: unknown) => void;
  /** Tasks in a row that no thread took. */
  #startFailures = 0;

  /**
   * @param threadCount at most; 0: there is no pool, and everything runs in the network thread
   * @param onUnusable  told once that threads cannot be started
   */
  constructor(
    threadCount: number,
    wake: () => void,
    start: StartCodecThreads = startCodecThreads,
    onUnusable: (cause: unknown) => void = () => {},
  ) {
    this.#threadCount = threadCount;
    this.#wake = wake;
    this.#start = start;
    this.#onUnusable = onUnusable;
  }

  get isEnabled(): boolean {
    return this.#threadCount > 0;
  }

  /** Tasks that run or wait for a thread. */
  get taskCount(): number {
    return this.#running.size + this.#waiting.length;
  }

  get bytesInTasks(): number {
    return this.#bytesInTasks;
  }

  /** Whether a task with this many bytes may be added; what others receive does not count. */
  hasRoom(byteCount: number, account: CodecAccount = this.#shared): boolean {
    const bytesInTasks = account.bytesInTasks + (account === this.#shared ? 0 : this.#shared.bytesInTasks);
    return bytesInTasks === 0 || bytesInTasks + byteCount <= budgetBytes;
  }

  /**
   * Takes the memory that holds the frame away from its owner at once. `done` is called in a later `poll`.
   * @param account a body counts there until `release`; as long as there are too many, frames wait undecoded
   */
  decode(
    task: DecodeTask,
    done: (outcome: DecodedBody | Error, now: number) => void,
    account: CodecAccount | null = null,
  ): void {
    // The task may wait for a thread, and its frame's owner would fill the memory with the next frame meanwhile.
    const { byteOffset, byteLength, buffer } = task.frame;
    const moved = takenFrom(buffer as ArrayBuffer);
    const ownTask: DecodeTask = { ...task, frame: new Uint8Array(moved, byteOffset, byteLength) };
    this.#add({
      account: account ?? this.#shared,
      isHeld: account !== null,
      task: ownTask,
      moved,
      byteCount: task.end - task.start,
      done: (outcome, now) => done(settle<DecodedBody>(outcome), now),
    });
  }

  /** The receiver's link has taken over a body of this many bytes; so much in it is unread now. */
  release(account: CodecAccount, byteCount: number, unreadBytes: number): void {
    account.heldBytes -= byteCount;
    account.unreadBytes = unreadBytes;
    this.#runNext();
  }

  /** So much that was decoded for the receiver is unread now: what waited for that goes on. */
  noteUnread(account: CodecAccount, unreadBytes: number): void {
    const canGoOn = account.canGoOn(unreadBytes);
    account.unreadBytes = unreadBytes;
    if (!canGoOn) return;
    // Whether it still waits shows when a thread is free.
    account.clear();
    this.#runNext();
  }

  /** The receiver has gone: its frames that wait are not decoded, and settled with `error`. */
  drop(account: CodecAccount, error: Error, now: number): void {
    const dropped = this.#waiting.filter((job) => job.account === account);
    if (dropped.length === 0) return;
    this.#waiting = this.#waiting.filter((job) => job.account !== account);
    account.clear();
    for (const job of dropped) {
      this.#leave(job);
      job.done({ failure: error }, now);
    }
  }

  /** Moves the flat request to the pool. `done` is called in a later `poll`. */
  encode(task: EncodeTask, done: (outcome: EncodedFrame | Error, now: number) => void): void {
    this.#add({
      account: this.#shared,
      isHeld: false,
      task,
      moved: task.flat,
      byteCount: task.flat.byteLength,
      done: (outcome, now) => done(settle<EncodedFrame>(outcome), now),
    });
  }

  /** Hands out the results that have come since the last call. Returns how many. */
  poll(now: number): number {
    const completed = this.#completed;
    this.#completed = [];
    for (const callback of completed) callback(now);
    return completed.length;
  }

  /** Hands out what has come, settles every other task with `error`, then ends the threads. */
  async close(error: Error, now: number): Promise<void> {
    this.poll(now);
    const jobs = [...this.#running, ...this.#waiting];
    this.#running.clear();
    this.#waiting = [];
    for (const job of jobs) {
      this.#leave(job);
      job.done({ failure: error }, now);
    }
    const threads = await this.#threads?.catch(() => null);
    await threads?.destroy();
  }

  #add(job: Job): void {
    this.#bytesInTasks += job.byteCount;
    job.account.bytesInTasks += job.byteCount;
    this.#waiting.push(job);
    this.#runNext();
  }

  #runNext(): void {
    // In order within each account: a body that is decoded may have to wait for an earlier one, which must not wait for it.
    const waiting = new Set<CodecAccount>();
    for (let i = 0; i < this.#waiting.length && this.#running.size < this.#threadCount; ) {
      const job = this.#waiting[i]!;
      const { account, byteCount } = job;
      if (waiting.has(account) || !account.mayStart(byteCount)) {
        waiting.add(account);
        i++;
        continue;
      }
      this.#waiting.splice(i, 1);
      account.begun(byteCount);
      this.#running.add(job);
      if (this.#startFailures < maxStartFailures) this.#runInThread(job);
      else this.#runHere(job);
    }
  }

  #runInThread(job: Job): void {
    // Started by the first task: most clients never see a compressed megabyte.
    this.#threads ??= this.#start(this.#threadCount);
    this.#threads
      .then((threads) => threads.run(job.task, job.moved))
      .then(
        (result) => {
          this.#startFailures = 0;
          this.#finish(job, { result });
        },
        (cause: unknown) => {
          // What a thread has begun went with it; what none took is still here.
          const isHere = job.moved.byteLength > 0 && this.#running.has(job);
          if (isHere) this.#notStarted(job, cause);
          else this.#finish(job, { failure: new KafkaClientError(lostText, { cause }) });
        },
      );
  }

  #notStarted(job: Job, cause: unknown): void {
    this.#startFailures++;
    if (this.#startFailures === maxStartFailures) this.#onUnusable(cause);
    this.#runHere(job);
  }

  #runHere(job: Job): void {
    // For the rest of this turn it is under way, as in a thread: results are never handed out within the call.
    prepareCodecs().then(
      () => this.#finish(job, { result: perform(job.task) }),
      (cause: unknown) => this.#finish(job, { failure: new KafkaClientError(lostText, { cause }) }),
    );
  }

  #finish(job: Job, outcome: Outcome): void {
    // Settled by `close` meanwhile.
    if (!this.#running.delete(job)) return;
    this.#leave(job);
    job.account.ended(job.byteCount, job.isHeld ? bodyBytesOf(outcome) : 0);
    this.#completed.push((now) => job.done(outcome, now));
    this.#runNext();
    this.#wake();
  }

  #leave({ account, byteCount }: Job): void {
    this.#bytesInTasks -= byteCount;
    account.bytesInTasks -= byteCount;
  }
}

/** Of the body that the receiver has to take over; 0 when there is none. */
function bodyBytesOf(outcome: Outcome): number {
  return 'result' in outcome && !('error' in outcome.result) ? outcome.result.buffer.byteLength : 0;
}

const lostText = 'the thread of the codec pool that worked on this ended, or could not be started';

function settle<T extends DecodedBody | EncodedFrame>(outcome: Outcome): T | Error {
  if ('failure' in outcome) return outcome.failure;
  return 'error' in outcome.result ? fromPlainError(outcome.result.error) : (outcome.result as T);
}

/** The same memory with this as its only owner: `buffer` is empty afterwards. */
function takenFrom(buffer: ArrayBuffer): ArrayBuffer {
  return structuredClone(buffer, { transfer: [buffer] });
}

/** @param entry module whose default export runs a task */
export async function startCodecThreads(threads: number, entry: URL = taskEntry): Promise<CodecThreads> {
  const { Piscina: Pool } = await import('piscina');
  return new PiscinaThreads(
    () =>
      new Pool({
        filename: entry.href,
        minThreads: 0,
        maxThreads: threads,
        idleTimeout: idleTimeoutMs,
        // An idle thread waits for messages as any other: it may hold a core's attention no longer than a task takes.
        atomics: 'disabled',
      }),
  );
}

class PiscinaThreads implements CodecThreads {
  readonly #open: () => Piscina;
  #pool: Piscina;
  readonly #underWay = new Set<Promise<CodecTaskResult>>();
  /** Why the last thread to end without a task did. */
  #lastError: unknown;

  constructor(open: () => Piscina) {
    this.#open = open;
    this.#pool = this.#opened();
  }

  run(task: CodecTask, moved: ArrayBuffer): Promise<CodecTaskResult> {
    const run = this.#run(task, moved);
    this.#underWay.add(run);
    const ended = (): void => void this.#underWay.delete(run);
    run.then(ended, ended);
    return run;
  }

  /**
   * Lets tasks that have begun come to their end first: Node 20 aborts the whole process when a thread is ended while it
   * loads a module by `require`, as the first task of each does.
   */
  async destroy(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeIsUp = new Promise((resolve) => {
      timer = setTimeout(resolve, endGraceMs);
    });
    await Promise.race([Promise.allSettled(this.#underWay), timeIsUp]);
    clearTimeout(timer);
    await this.#pool.destroy();
  }

  async #run(task: CodecTask, moved: ArrayBuffer): Promise<CodecTaskResult> {
    const pool = this.#pool;
    try {
      return (await pool.run(task, { transferList: [moved] })) as CodecTaskResult;
    } catch (error) {
      throw pool === this.#pool ? error : this.#lastError;
    }
  }

  #opened(): Piscina {
    const pool = this.#open();
    pool.on('error', (error) => {
      // An idle thread that ends is nobody's loss. One that ends before it took its first task leaves that task waiting
      // for a thread that will not come.
      if (pool !== this.#pool || pool.queueSize === 0) return;
      this.#lastError = error;
      this.#pool = this.#opened();
      void pool.destroy();
    });
    return pool;
  }
}
