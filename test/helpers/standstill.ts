// Owns the look whether a process stands still: SIGSTOP is only sent by `kill`, and takes effect a little later. Test thread.

import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** Whether no thread of the process runs any more. True at once where there is no /proc. */
export function standsStill(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  return !existsSync(tasks) || readdirSync(tasks).every((task) => isStopped(`${tasks}/${task}/stat`));
}

function isStopped(file: string): boolean {
  try {
    // The state follows the name, which is in brackets and may hold blanks.
    return /\) [TtZX] [^)]*$/.test(readFileSync(file, 'utf8'));
  } catch {
    // A thread that has ended since the list was read: the next look has a list without it.
    return false;
  }
}
