// Owns an entry for threads of the codec pool that end while they work: by exiting, or by an error nobody catches. Pool
// thread. Tasks of API versions other than these two are done as ever.

import { isMainThread } from 'node:worker_threads';
import runTask from '../../../../../src/worker/requests/codec-task.ts';
import type { CodecTask } from '../../../../../src/worker/requests/codec-work.ts';

/** What the version of a decode task asks for. */
export const exitVersion = 1001;
export const uncaughtVersion = 1002;

export default function runOrEnd(task: CodecTask): Promise<unknown> {
  const version = task.kind === 'decode' ? task.version : 0;
  // In a worker thread this ends the thread alone; a test that ran it elsewhere would end itself.
  if (version === exitVersion && !isMainThread) process.exit(3);
  if (version !== uncaughtVersion) return runTask(task);
  setImmediate(() => {
    throw new Error('uncaught in a pool thread');
  });
  return new Promise(() => {});
}
