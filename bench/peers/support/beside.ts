// Owns the process that is busy beside clients: it begins before they do and ends after them. Main thread of the benchmark.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onProcessEnd } from '../../../test/kafka/fixture/cleanup.ts';
import { besides } from './contender.ts';
import type { Stage } from './harness.ts';
import type { Load } from './job.ts';

/** @param work  gets the stage, on which that process is no foreign load */
export async function* besideBusyProcess<T>(
  stage: Stage,
  load: Load,
  work: (stage: Stage) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  const child = spawn(process.execPath, [besides('application-process'), JSON.stringify(load)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  onProcessEnd(() => child.kill('SIGKILL'));
  try {
    await once(child.stdout, 'data');
    yield* work({ ...stage, ownPids: [...stage.ownPids, child.pid!] });
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}
