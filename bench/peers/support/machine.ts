// Owns the figures that Linux tells of a process, its threads, its connections, and the machine. Any thread. Where there is no /proc, there are none
// of these figures.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { cpus } from 'node:os';

/** Of /proc; the same on all machines that Node supports. */
const ticksPerSecond = 100;

/** CPU time in ms by thread name. Threads of one name are added; a number at the end of a name does not count. */
export function threadTimes(): Map<string, number> {
  const times = new Map<string, number>();
  for (const tid of entries('/proc/self/task')) {
    const folder = `/proc/self/task/${tid}`;
    const ns = Number(read(`${folder}/schedstat`).split(' ', 1)[0]);
    // The process is named for its main thread.
    const name = Number(tid) === process.pid ? 'main' : read(`${folder}/comm`).trim().replace(/\d+$/, 'N');
    if (name !== '') times.set(name, (times.get(name) ?? 0) + ns / 1e6);
  }
  return times;
}

/** Of all programs together, in ms of CPU. */
export function machineBusyMs(): number {
  const [user, nice, system, , , irq, softirq, steal] =
    read('/proc/stat').split('\n', 1)[0]!.match(/\d+/g)?.map(Number) ?? [];
  const ticks = [user, nice, system, irq, softirq, steal].reduce<number>((sum, value) => sum + (value ?? 0), 0);
  return (ticks * 1000) / ticksPerSecond;
}

/** CPU time of a process in ms. 0 when it is gone. */
export function processBusyMs(pid: number): number {
  const text = read(`/proc/${pid}/stat`);
  // The name stands in parentheses, and may have spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  return (ticks * 1000) / ticksPerSecond;
}

/** Foreign load between two moments: the share of all cores that neither this process nor those had. */
export class ForeignLoad {
  readonly #pids: readonly number[];
  #startedAt = performance.now();
  #machineMs = machineBusyMs();
  #ownMs: number;

  /** @param pids  of processes that belong to the work, beside this one */
  constructor(pids: readonly number[]) {
    this.#pids = pids;
    this.#ownMs = this.#own();
  }

  /** Since it was made. */
  get share(): number {
    const wallMs = performance.now() - this.#startedAt;
    const foreignMs = machineBusyMs() - this.#machineMs - (this.#own() - this.#ownMs);
    return Math.max(0, foreignMs / wallMs / cpus().length);
  }

  #own(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000 + this.#pids.reduce((sum, pid) => sum + processBusyMs(pid), 0);
  }
}

/** The inodes of this process's connections to that port. */
export function connectionsTo(port: number): Set<string> {
  const own = new Set<string>();
  for (const fd of entries('/proc/self/fd')) {
    const inode = link(`/proc/self/fd/${fd}`).match(/^socket:\[(\d+)\]$/)?.[1];
    if (inode !== undefined) own.add(inode);
  }
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const established = '01';
  const found = new Set<string>();
  for (const file of ['/proc/self/net/tcp', '/proc/self/net/tcp6']) {
    for (const line of read(file).split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const inode = fields[9];
      if (inode === undefined || !own.has(inode)) continue;
      if (fields[2]!.endsWith(`:${hexPort}`) && fields[3] === established) found.add(inode);
    }
  }
  return found;
}

/**
 * The most memory that this process had, in MiB. What `process.resourceUsage()` tells is too much on Linux: there a new process begins with the most
 * that its parent had.
 */
export function peakMiB(): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(read('/proc/self/status'))?.[1];
  return (kib === undefined ? process.resourceUsage().maxRSS : Number(kib)) / 1024;
}

/** Empty when it is not there, as threads and files are that have ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
