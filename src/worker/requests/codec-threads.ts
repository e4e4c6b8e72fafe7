// Owns the threads of the codec pool: how they are started, given tasks and ended. Network thread. Must not decide which task runs when:
// codec-pool.ts does.

import type { Piscina } from 'piscina';
import type { CodecTask, CodecTaskResult } from './codec-work.ts';

// This form is used on purpose: bundlers do not take the file for an asset, which would not work without the files it imports. If a
// bundler leaves the file out, the pool does not start.
const here = import.meta.url;
const taskEntry = new URL(here.endsWith('.ts') ? './codec-task.ts' : './codec-task.js', here);

/** Idle threads end after this time. */
const idleTimeoutMs = 30_000;
/** How long `close` waits for tasks that have begun. */
export const endGraceMs = 1000;
/** Threads that run tasks. */
export interface CodecThreads {
  /**
   * Runs the task on a free thread and moves `moved` to it. Rejects when that thread ends or cannot be started, and when `signal` is
   * aborted before a thread has taken the task.
   */
  run(task: CodecTask, moved: readonly ArrayBuffer[], signal: AbortSignal): Promise<CodecTaskResult>;
  /** Ends the threads. The tasks that run on them reject. */
  destroy(): Promise<void>;
}

/** @param threads how many tasks may run at a time */
export type StartCodecThreads = (threads: number) => Promise<CodecThreads>;

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
        // With Atomics an idle thread would block its event loop. Without them it waits for messages like any other thread.
        atomics: 'disabled',
      }),
  );
}

class PiscinaThreads implements CodecThreads {
  readonly #open: () => Piscina;
  #pool: Piscina;
  readonly #underWay = new Set<Promise<CodecTaskResult>>();
  /** The reason why the last idle thread ended. */
  #lastError: unknown;

  constructor(open: () => Piscina) {
    this.#open = open;
    this.#pool = this.#opened();
  }

  run(task: CodecTask, moved: readonly ArrayBuffer[], signal: AbortSignal): Promise<CodecTaskResult> {
    const run = this.#run(task, moved, signal);
    this.#underWay.add(run);
    const ended = (): void => void this.#underWay.delete(run);
    run.then(ended, ended);
    return run;
  }

  /**
   * Waits until the tasks that have begun are done. Node 20 aborts the whole process when a thread is ended while it loads a
   * module by `require`, and the first task of each thread does that.
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

  async #run(task: CodecTask, moved: readonly ArrayBuffer[], signal: AbortSignal): Promise<CodecTaskResult> {
    const pool = this.#pool;
    try {
      return (await pool.run(task, { transferList: [...moved], signal })) as CodecTaskResult;
    } catch (error) {
      throw pool === this.#pool ? error : this.#lastError;
    }
  }

  #opened(): Piscina {
    const pool = this.#open();
    pool.on('error', (error) => {
      // The end of an idle thread does no harm if no task waits. If a task waits, it was for this thread, and no other thread will
      // take it.
      if (pool !== this.#pool || pool.queueSize === 0) return;
      this.#lastError = error;
      this.#pool = this.#opened();
      void pool.destroy();
    });
    return pool;
  }
}
