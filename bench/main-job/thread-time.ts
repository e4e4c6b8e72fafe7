// Owns the measuring of the CPU time of the thread that calls it. Any thread. Where the system does not tell, wall time
// has to do, which says too much on a busy machine; `threadTimeSource` says which it is.

import { readFileSync } from 'node:fs';

const schedstat = '/proc/thread-self/schedstat';
const word = new Int32Array(new SharedArrayBuffer(4));

interface CpuUsageProcess {
  readonly threadCpuUsage?: () => { user: number; system: number };
}

export const threadTimeSource = findSource();

function findSource(): 'schedstat' | 'threadCpuUsage' | 'wall' {
  try {
    readFileSync(schedstat);
    return 'schedstat';
  } catch {
    return (process as CpuUsageProcess).threadCpuUsage === undefined ? 'wall' : 'threadCpuUsage';
  }
}

/** CPU time of this thread so far, ms with fractions. */
export function threadTimeMs(): number {
  if (threadTimeSource === 'wall') return performance.now();
  if (threadTimeSource === 'threadCpuUsage') {
    const { user, system } = (process as CpuUsageProcess).threadCpuUsage!();
    return (user + system) / 1000;
  }
  // The kernel brings the figure up to date at a tick, up to 10 ms late, or when the thread leaves its core: so it does.
  Atomics.wait(word, 0, 0, 0.001);
  return Number(readFileSync(schedstat, 'latin1').split(' ', 1)[0]) / 1e6;
}
