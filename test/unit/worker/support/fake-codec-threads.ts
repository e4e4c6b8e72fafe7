// Owns the threads of a codec pool in tests of the network thread: tasks wait until the test says which of them ends, and
// how; the work is done by the code that real threads run. Test thread.
//
//   const threads = new FakeCodecThreads();
//   const net = new FakeNetwork({}, threads);
//   ...                                   // something big arrives
//   await threads.settled();              // threads have begun what they can
//   await threads.finish(0);              // the oldest task that was not ended yet
//   net.run();

import assert from 'node:assert/strict';
import { prepareCodecs } from '../../../../src/codec/index.ts';
import type { CodecThreads } from '../../../../src/worker/requests/codec-threads.ts';
import { type CodecTask, type CodecTaskResult, perform } from '../../../../src/worker/requests/codec-work.ts';

interface RunningTask {
  readonly task: CodecTask;
  readonly settle: (result: CodecTaskResult | Promise<never>) => void;
}

export class FakeCodecThreads implements CodecThreads {
  /** Tasks that threads work on, oldest first. */
  running: RunningTask[] = [];
  /** How many tasks there ever were. */
  count = 0;
  isDestroyed = false;

  run(task: CodecTask, moved: readonly ArrayBuffer[]): Promise<CodecTaskResult> {
    assert.equal(this.isDestroyed, false, 'a task for threads that have been ended');
    this.count++;
    // As it is between threads: nobody else may hold on to that memory.
    const own = structuredClone(task, { transfer: [...moved] });
    return new Promise((settle) => {
      this.running.push({ task: own, settle });
    });
  }

  async destroy(): Promise<void> {
    this.isDestroyed = true;
    for (const { settle } of this.running) settle(Promise.reject(new Error('Terminating worker thread')));
    this.running = [];
  }

  /** Lets the pool take note of results, and begin tasks. */
  async settled(): Promise<void> {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }

  /** The task is done, as a real thread would do it. */
  async finish(index = 0): Promise<void> {
    await prepareCodecs();
    const { task } = this.#at(index);
    await this.#settle(index, perform(task));
  }

  /** Its thread ends instead. */
  async lose(index = 0): Promise<void> {
    await this.#settle(index, Promise.reject(new Error('worker exited with code: 1')));
  }

  /** Tasks end, oldest first, and those that begin because of it, until none is left. */
  async finishAll(): Promise<void> {
    while (this.running.length > 0) await this.finish(0);
  }

  async #settle(index: number, result: CodecTaskResult | Promise<never>): Promise<void> {
    const { settle } = this.#at(index);
    this.running.splice(index, 1);
    settle(result);
    await this.settled();
  }

  #at(index: number): RunningTask {
    const running = this.running[index];
    if (running === undefined) assert.fail(`no task ${index}, there are ${this.running.length}`);
    return running;
  }
}
