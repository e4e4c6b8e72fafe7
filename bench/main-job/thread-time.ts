// Owns the measurement of the calling thread's CPU time. Any thread. If the system does not have it, wall time is used, which is too high
// on a busy machine. `threadTimeSource` says which one is used.

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

/** The CPU time of this thread so far, in ms with fractions. */
export function threadTimeMs(): number {
  if (threadTimeSource === 'wall') return performance.now();
  if (threadTimeSource === 'threadCpuUsage') {
    const { user, system } = (process as CpuUsageProcess).threadCpuUsage!();
    return (user + system) / 1000;
  }
  // The kernel updates the figure at a tick, up to 10 ms late, or when the thread leaves its core. This wait makes it leave its core.
  Atomics.wait(word, 0, 0, 0.001);
  return Number(readFileSync(schedstat, 'latin1').split(' ', 1)[0]) / 1e6;
}
