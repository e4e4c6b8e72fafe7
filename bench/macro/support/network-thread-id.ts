// Owns the finding of the network thread among the threads of a contender. It is loaded by `node --import`, which runs it in every thread; the
// network thread writes its id to the file NETWORK_THREAD_FILE. Linux only.

import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

const file = process.env.NETWORK_THREAD_FILE;

/** CPU time of the network thread of this process in ms, which has begun. The system updates it at a tick, up to 10 ms late. */
export function networkThreadMs(): number {
  if (file === undefined) throw new Error('NETWORK_THREAD_FILE is not set');
  const schedstat = readFileSync(`/proc/self/task/${readFileSync(file, 'latin1')}/schedstat`, 'latin1');
  return Number(schedstat.split(' ', 1)[0]) / 1e6;
}

const isNetworkThread = !isMainThread && (workerData as { controlPort?: unknown } | null)?.controlPort !== undefined;
if (file !== undefined && isNetworkThread) {
  // PID/task/TID
  writeFileSync(file, readlinkSync('/proc/thread-self').split('/').at(-1)!);
}
