// Owns the paths of the project: its folder, and the folder into which the running script was compiled (the project's folder itself if Node
// runs the TypeScript directly). Used by every script. Must not write files.

import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';

/** The parent of the `scripts` folder from which this file runs: `build`, another build folder, or the project. */
export const compiledFolder = dirname(import.meta.dirname);

export const projectFolder = findProjectFolder();

/** `.js` if compiled, `.ts` if Node strips the types itself. */
export const runningExtension = extname(import.meta.filename);

/** The path of the file that runs for a source file: `build/test/a.test.js` for `test/a.test.ts`. */
export function runnablePath(sourcePath: string): string {
  return join(compiledFolder, sourcePath.slice(0, -extname(sourcePath).length) + runningExtension);
}

function findProjectFolder(): string {
  for (let folder = compiledFolder; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder) throw new Error(`no package.json in ${compiledFolder} or above`);
  }
}
