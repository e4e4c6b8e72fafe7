// Owns the codec pool: the threads that do long compression work outside the poll loop, and the tasks that wait for a thread. If
// threads cannot be started, the network thread does the tasks itself: requests then take longer, but none fails. Network thread.
// Must not decide what is big (configuration does) or in which order results are used (their callers do).

import { prepareCodecs } from '../../codec/index.ts';
import { KafkaClientError } from '../../common/errors/errors.ts';
import { fromPlainError } from '../../common/errors/plain-error.ts';
import { budgetBytes, CodecAccount } from './codec-account.ts';
import { type CodecThreads, endGraceMs, type StartCodecThreads, startCodecThreads } from './codec-threads.ts';
import {
  type CodecTask,
  type CodecTaskResult,
  type CompressedBytes,
  type CompressTask,
  type DecodedBody,
  type DecodedRecords,
  type DecodeTask,
  type EncodedFrame,
  type EncodeTask,
  perform,
  type RecordsTask,
} from './codec-work.ts';

/** After so many tasks in a row that no thread took, the pool gives up on threads. */
const maxStartFailures = 3;
/** A thread that has not taken its task after this time is late. Node 20 reads modules in the thread pool of the process, which may be busy. */
const lateMs = 3000;
/** While threads are late, the network thread does the tasks. After this time it is tried again. */
const retryMs = 30_000;

/** Calls back after so many ms, unless the function that it returns is called before. Does not keep the process alive. */
export type Later = (ms: number, work: () => void) => () => void;

type TaskOutcome = DecodedBody | DecodedRecords | EncodedFrame | CompressedBytes;

type Outcome = { readonly result: CodecTaskResult } | { readonly failure: Error };

interface Job {
  readonly account: CodecAccount;
  /** The body counts in the account until the receiver calls `release`. */
  readonly isHeld: boolean;
  readonly task: CodecTask;
  /** What the task is about. */
  readonly moved: ArrayBuffer;
  /** Memory for the result, if there is any. */
  readonly into?: ArrayBuffer | undefined;
  readonly byteCount: number;
  readonly done: (outcome: Outcome, now: number) => void;
}

export class CodecPool {
  readonly #threadCount: number;
  readonly #wake: () => void;
  readonly #start: StartCodecThreads;
  #threads: Promise<CodecThreads> | null = null;
  /**
   * Each thread has at most one task. All other tasks wait here. So a lost thread loses one task only, and no task waits for a
   * thread that is not replaced.
   */
  #waiting: Job[] = [];
  readonly #running = new Set<Job>();
  #turn = 0;
  #bytesInTasks = 0;
  /** The account of tasks that have none of their own. */
  readonly #shared = new CodecAccount(Number.POSITIVE_INFINITY);
  #completed: ((now: number) => void)[] = [];
  readonly #onUnusable: (cause: unknown) => void;
  /** How many tasks in a row no thread took. */
  #startFailures = 0;
  #areThreadsLate = false;
  #forgetRetry: () => void = () => {};
  readonly #later: Later;
  /** Gets the memory of frames back that were decoded. */
  onFrameMemory: (memory: ArrayBuffer) => void = () => {};

  /**
   * @param threadCount limit of the threads; 0: there is no pool, and everything runs in the network thread
   * @param onUnusable  called once, when threads cannot be started
   */
  constructor(
    threadCount: number,
    wake: () => void,
    start: StartCodecThreads = startCodecThreads,
    onUnusable: (cause: unknown) => void = () => {},
    later: Later = unreferencedTimer,
  ) {
    this.#later = later;
    this.#threadCount = threadCount;
    this.#wake = wake;
    this.#start = start;
    this.#onUnusable = onUnusable;
  }

  get isEnabled(): boolean {
    return this.#threadCount > 0;
  }

  /** How many tasks run or wait for a thread. */
  get taskCount(): number {
    return this.#running.size + this.#waiting.length;
  }

  get bytesInTasks(): number {
    return this.#bytesInTasks;
  }

  /** Whether a task with this many bytes may be added. The bytes of other receivers do not count. */
  hasRoom(byteCount: number, account: CodecAccount = this.#shared): boolean {
    const bytesInTasks = account.bytesInTasks + (account === this.#shared ? 0 : this.#shared.bytesInTasks);
    return bytesInTasks === 0 || bytesInTasks + byteCount <= budgetBytes;
  }

  /**
   * Decodes a response in the pool. The frame's memory is taken from its owner at once, and that of `into` later. `done` is called in a later `poll`.
   * @param account the body counts there until `release`; while the account is above its limit, frames wait undecoded
   */
  decode(
    task: DecodeTask,
    done: (outcome: DecodedBody | Error, now: number) => void,
    account: CodecAccount | null = null,
  ): void {
    // The memory is taken now because the task may have to wait, and the owner would fill the memory with the next frame.
    const { byteOffset, byteLength, buffer } = task.frame;
    const moved = takenFrom(buffer as ArrayBuffer);
    const ownTask: DecodeTask = { ...task, frame: new Uint8Array(moved, byteOffset, byteLength) };
    this.#add({
      account: account ?? this.#shared,
      isHeld: account !== null,
      task: ownTask,
      moved,
      into: task.into,
      byteCount: task.end - task.start,
      done: (outcome, now) => {
        const body = settle<DecodedBody>(outcome);
        if (!(body instanceof Error) && body.spent !== undefined) this.onFrameMemory(body.spent);
        done(body, now);
      },
    });
  }

  /** A body of `byteCount` bytes is in the receiver's link now. `unreadBytes` in the link are unread. */
  release(account: CodecAccount, byteCount: number, unreadBytes: number): void {
    account.heldBytes -= byteCount;
    account.unreadBytes = unreadBytes;
    this.#runNext();
  }

  /** Notes how many decoded bytes the receiver has not read. Frames that waited for this go on if they can. */
  noteUnread(account: CodecAccount, unreadBytes: number): void {
    const canGoOn = account.canGoOn(unreadBytes);
    account.unreadBytes = unreadBytes;
    if (!canGoOn) return;
    // When a thread is free, `mayStart` decides again whether the frame must wait.
    account.clear();
    this.#runNext();
  }

  /** The receiver is gone. Its waiting frames are not decoded; they are settled with `error`. */
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

  /** Encodes a request in the pool and moves the flat request to it. `done` is called in a later `poll`. */
  encode(task: EncodeTask, done: (outcome: EncodedFrame | Error, now: number) => void): void {
    this.#addShared(task, task.flat, task.flat.byteLength, done);
  }

  /** Compresses in the pool and moves the bytes to it. `done` is called in a later `poll`. */
  compress(task: CompressTask, done: (outcome: CompressedBytes | Error, now: number) => void): void {
    this.#addShared(task, task.bytes.buffer as ArrayBuffer, task.bytes.length, done);
  }

  /** Decodes records of a fetch in the pool. All memory of `bytes` is moved. `done` is called in a later `poll`. */
  records(task: RecordsTask, done: (outcome: DecodedRecords | Error, now: number) => void): void {
    this.#addShared(task, task.bytes.buffer as ArrayBuffer, task.bytes.length, done);
  }

  /** Calls `done` for the results that have come since the last call. Returns how many there were. */
  poll(now: number): number {
    const completed = this.#completed;
    this.#completed = [];
    for (const callback of completed) callback(now);
    return completed.length;
  }

  /** Calls `done` for the results that have come, settles every other task with `error`, then ends the threads. */
  async close(error: Error, now: number): Promise<void> {
    this.poll(now);
    const jobs = [...this.#running, ...this.#waiting];
    this.#running.clear();
    this.#waiting = [];
    for (const job of jobs) {
      this.#leave(job);
      job.done({ failure: error }, now);
    }
    // Threads that have not come so far need not come any more.
    this.#forgetRetry();
    if (this.#threads === null) return;
    let inTime: () => void = () => {};
    const isGivenUp = new Promise<void>((resolve) => {
      inTime = this.#later(2 * endGraceMs, resolve);
    });
    await Promise.race([this.#threads.then((threads) => threads.destroy()).catch(() => {}), isGivenUp]);
    inTime();
  }

  /** Adds a task that belongs to no receiver's account. */
  #addShared<T extends TaskOutcome>(
    task: CodecTask,
    moved: ArrayBuffer,
    byteCount: number,
    done: (outcome: T | Error, now: number) => void,
  ): void {
    this.#add({
      account: this.#shared,
      isHeld: false,
      task,
      moved,
      byteCount,
      done: (outcome, now) => done(settle<T>(outcome), now),
    });
  }

  #add(job: Job): void {
    this.#bytesInTasks += job.byteCount;
    job.account.bytesInTasks += job.byteCount;
    this.#waiting.push(job);
    this.#runNext();
  }

  #runNext(): void {
    while (this.#running.size < this.#threadCount) {
      const at = this.#nextIndex();
      if (at < 0) return;
      const [job] = this.#waiting.splice(at, 1);
      const { account, byteCount } = job!;
      account.begun(byteCount);
      account.lastTurn = ++this.#turn;
      this.#running.add(job!);
      if (this.#startFailures >= maxStartFailures || this.#areThreadsLate) this.#runHere(job!);
      else this.#runInThread(job!);
    }
  }

  /**
   * Accounts take turns, so that one with many tasks does not delay the others. The tasks of one account start in their order. Otherwise an
   * earlier frame could wait for room that later bodies take, while these bodies wait for the earlier one to be delivered.
   * @returns the place of the next task among those that wait; -1 when none may start
   */
  #nextIndex(): number {
    const seen = new Set<CodecAccount>();
    let best = -1;
    for (const [i, { account, byteCount }] of this.#waiting.entries()) {
      if (seen.has(account)) continue;
      seen.add(account);
      if (!account.mayStart(byteCount)) continue;
      if (best < 0 || account.lastTurn < this.#waiting[best]!.account.lastTurn) best = i;
    }
    return best;
  }

  #runInThread(job: Job): void {
    // The first task starts the threads, because most clients never need them.
    this.#threads ??= this.#start(this.#threadCount);
    const late = new AbortController();
    let inTime: () => void = () => {};
    const isLate = new Promise<never>((_, reject) => {
      inTime = this.#later(lateMs, () => {
        if (job.moved.byteLength === 0 || !this.#running.has(job)) return;
        reject(new Error('no thread has taken the task in time'));
        late.abort();
      });
    });
    const done = this.#threads.then((threads) => {
      if (late.signal.aborted) throw new Error('the threads were late');
      const { task, moved, into } = job;
      return threads.run(task, into === undefined ? [moved] : [moved, into], late.signal);
    });
    Promise.race([done, isLate]).then(
      (result) => {
        inTime();
        this.#startFailures = 0;
        this.#finish(job, { result });
      },
      (cause: unknown) => {
        inTime();
        // If a thread took the task, its memory was lost with that thread. Otherwise the memory is still here.
        const isHere = job.moved.byteLength > 0 && this.#running.has(job);
        if (!isHere) this.#finish(job, { failure: new KafkaClientError(lostText, { cause }) });
        else if (late.signal.aborted) this.#areLate(job);
        else this.#notStarted(job, cause);
      },
    );
  }

  /** The threads may still come: they are tried again later. */
  #areLate(job: Job): void {
    this.#runHere(job);
    if (this.#areThreadsLate) return;
    this.#areThreadsLate = true;
    this.#forgetRetry = this.#later(retryMs, () => {
      this.#areThreadsLate = false;
    });
  }

  #notStarted(job: Job, cause: unknown): void {
    this.#startFailures++;
    if (this.#startFailures === maxStartFailures) this.#onUnusable(cause);
    this.#runHere(job);
  }

  #runHere(job: Job): void {
    // The task is done later, as in a thread: `done` is never called inside this call.
    prepareCodecs().then(
      () => this.#finish(job, { result: perform(job.task) }),
      (cause: unknown) => this.#finish(job, { failure: new KafkaClientError(lostText, { cause }) }),
    );
  }

  #finish(job: Job, outcome: Outcome): void {
    // `close` has settled the task in the meantime.
    if (!this.#running.delete(job)) return;
    this.#leave(job);
    const { bodyBytes, usedBytes } = job.isHeld ? sizesOf(outcome) : noBody;
    job.account.ended(job.byteCount, bodyBytes, usedBytes);
    this.#completed.push((now) => job.done(outcome, now));
    this.#runNext();
    this.#wake();
  }

  #leave({ account, byteCount }: Job): void {
    this.#bytesInTasks -= byteCount;
    account.bytesInTasks -= byteCount;
  }
}

/** Timers fire before messages are read that came while this thread was busy. Threads of which these tell are in time. */
function unreferencedTimer(ms: number, work: () => void): () => void {
  let isOff = false;
  const afterMessages = (): void => {
    if (!isOff) work();
  };
  const timer = setTimeout(() => setImmediate(afterMessages), ms).unref();
  return () => {
    isOff = true;
    clearTimeout(timer);
  };
}

const noBody = { bodyBytes: 0, usedBytes: 0 };

function sizesOf(outcome: Outcome): typeof noBody {
  if (!('result' in outcome) || !('usedBytes' in outcome.result)) return noBody;
  const { buffer, usedBytes } = outcome.result;
  return { bodyBytes: buffer.byteLength, usedBytes };
}

const lostText = 'the thread of the codec pool that had this task ended, or could not be started';

function settle<T extends TaskOutcome>(outcome: Outcome): T | Error {
  if ('failure' in outcome) return outcome.failure;
  return 'error' in outcome.result ? fromPlainError(outcome.result.error) : (outcome.result as T);
}

/** Moves the memory to a new ArrayBuffer. `buffer` is empty afterwards. */
function takenFrom(buffer: ArrayBuffer): ArrayBuffer {
  return structuredClone(buffer, { transfer: [buffer] });
}
