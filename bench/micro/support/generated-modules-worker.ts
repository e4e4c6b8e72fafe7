// Owns the count of the generated modules that each thread of a process has parsed. The thread's debugger reports them. It is loaded by
// `node --import`, which runs it in every thread. When a thread ends, it appends a line to the file GENERATED_MODULES_FILE: whether it is
// the main thread, and the parsed modules.

import { appendFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { isMainThread } from 'node:worker_threads';

export interface ThreadModules {
  readonly isMainThread: boolean;
  /** For example `flat/generated/fetch.js`. */
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
