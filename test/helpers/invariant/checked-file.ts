// Owns the start of one test file: it begins the watch, loads the file, and checks after each test, and at the end of the file, that
// nothing is left: see invariant.ts. The test runner starts it as `node checked-file.js FOLDER FILE`. Test thread.

import { after, afterEach, beforeEach } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Invariant } from './invariant.ts';
import { watchProcess } from './process-watch.ts';
import { useThreadFiles } from './thread-files.ts';

const [, , folder, file] = process.argv;
if (file === undefined) throw new Error('usage: checked-file FOLDER FILE');
// A test file sees the arguments that it would have without this one.
process.argv.splice(1, 2);

useThreadFiles(process.env.TEST_THREAD_FILES);
watchProcess();
// Tests of single parts open no client, and need not load one.
const clients = folder === 'unit' ? null : await import('./client-watch.ts');
clients?.watchClients();
const invariant = new Invariant(() => clients?.watchedClients() ?? []);

beforeEach(() => invariant.testBegins());
// A test's own hooks run after this one, and before those that are added now.
afterEach((t) => {
  if (!('after' in t)) throw new Error('a suite has no end of its own');
  t.after(() => invariant.testEnds());
});

try {
  await import(pathToFileURL(file).href);
} catch (error) {
  // With hooks, node:test would go on and say that no test has failed.
  console.error(error);
  process.exit(1);
}
// Hooks run in the order in which they were added: those of the file come first.
after(() => invariant.fileEnds());
