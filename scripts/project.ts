// Owns where things are: the project's folder, and the folder that the running script and its siblings were compiled into
// (the project's folder itself when Node runs the TypeScript directly). Used by every script. Must not write anything.

import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

/** Parent of the `scripts` folder this file runs from: `build`, another build folder, or the project itself. */
export const compiledFolder = dirname(import.meta.dirname);

export const projectFolder = findProjectFolder();

/** `.js` when compiled, `.ts` when Node strips the types itself. */
export const runningExtension = extname(import.meta.filename);

/** What runs for a source file, both relative to their roots: `test/a.test.ts` is `build/test/a.test.js`. */
export function runnablePath(sourcePath: string): string {
  return join(compiledFolder, sourcePath.slice(0, -extname(sourcePath).length) + runningExtension);
}

function findProjectFolder(): string {
  for (let folder = compiledFolder; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder) throw new Error(`no package.json in ${compiledFolder} or above`);
  }
}
