// Owns the files that a test run starts its threads from: the network thread and the thread of the embedded cluster, each in one file. A thread
// that loads two hundred modules takes three times the CPU of one that loads the same code from one file, and a run starts
// thousands. Must not change what the compiler has written.

import { existsSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundleThread } from '../bundle-threads.ts';

/** The modules by the files that stand for them, relative to the compiled folder. The network thread looks for the entry of its codec pool beside itself. */
const threadFiles: Readonly<Record<string, string>> = {
  'src/worker/requests/network-thread-file.js': 'src/worker/index.js',
  'src/testing/cluster-thread-file.js': 'src/testing/thread.js',
};

/** The variable by which test processes learn of the files: `checked-file.ts` reads it. */
export const threadFilesVariable = 'TEST_THREAD_FILES';

/**
 * Makes the files, unless they are there and nothing was compiled since.
 * @param folder where the run's code was compiled into
 * @returns the value of the variable: URL of the file by the end of the module's URL, as JSON
 */
export async function makeThreadFiles(folder: string): Promise<string> {
  const newest = newestIn(join(folder, 'src'));
  for (const [file, module] of Object.entries(threadFiles)) {
    const path = join(folder, file);
    if (existsSync(path) && statSync(path).mtimeMs > newest) continue;
    // Another run in this folder may be reading it.
    const unfinished = `${path}.${process.pid}.tmp`;
    await bundleThread(join(folder, module), unfinished, ['piscina'], { minify: false });
    renameSync(unfinished, path);
  }
  return JSON.stringify(threadFiles);
}

/** When the last of its modules was written, ms since the epoch. */
function newestIn(folder: string): number {
  const own = new Set(Object.keys(threadFiles).map((file) => join(file)));
  let newest = 0;
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js') || own.has(join('src', name))) continue;
    newest = Math.max(newest, statSync(join(folder, name)).mtimeMs);
  }
  return newest;
}
