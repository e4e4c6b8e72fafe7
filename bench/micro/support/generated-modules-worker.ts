// Owns an account of the generated modules that each thread of a process has parsed, taken from the debugger of that thread
// itself. For `node --import`, which runs it in every thread; at a thread's end it appends a line to the file named by
// GENERATED_MODULES_FILE: whether it is the main thread, and what was parsed.

import { appendFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { isMainThread } from 'node:worker_threads';

export interface ThreadModules {
  readonly isMainThread: boolean;
  /** Such as `flat/generated/fetch.js`. */
  readonly parsed: readonly string[];
}

const file = process.env.GENERATED_MODULES_FILE;

if (file !== undefined) {
  const parsed = new Set<string>();
  const session = new Session();
  session.connect();
  session.on('Debugger.scriptParsed', ({ params }) => {
    const found = /(?:flat|wire)\/generated\/[^/]+\.[jt]s$/.exec(params.url);
    if (found !== null) parsed.add(found[0]);
  });
  session.post('Debugger.enable');
  process.on('exit', () => {
    const line: ThreadModules = { isMainThread, parsed: [...parsed].sort() };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  });
}
