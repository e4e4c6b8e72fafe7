// Owns the choice of test files: the files under `test`, their order, and the filters. The list is made from the sources, so that a compiled
// test without a source does not run. Must not run anything.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface TestFile {
  /** Relative to the project, with `/`: `test/unit/ring/link.test.ts`. */
  readonly path: string;
  /** Folder under `test`: `unit`. */
  readonly folder: string;
}

export interface Selection {
  readonly files: readonly TestFile[];
  /** Words that are in no path. They are looked for in the names of tests. */
  readonly names: readonly string[];
}

/** Quick tests of low layers come first, so that a broken ring does not first appear as a broken client. Others follow by name. */
const order = ['unit', 'golden', 'stress', 'broker', 'fault', 'fuzz', 'kafka'];

/** Folders under `test` that have test files, in the order to run them. */
export function testFolders(projectFolder: string): string[] {
  const root = join(projectFolder, 'test');
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && filesIn(projectFolder, entry.name).length > 0)
    .map((entry) => entry.name);
  const rank = (name: string): number => (order.indexOf(name) + order.length + 1) % (order.length + 1);
  return folders.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** All test files of a folder under `test`. Throws when there is no such folder. */
export function filesIn(projectFolder: string, folder: string): TestFile[] {
  const root = join(projectFolder, 'test', folder);
  if (!existsSync(root)) throw new Error(`there is no folder test/${folder}`);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => ({ path: ['test', folder, ...path.split(/[\\/]/)].join('/'), folder }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Words that are in a path choose files. The other words choose tests by name. */
export function select(files: readonly TestFile[], filters: readonly string[]): Selection {
  const isPath = (filter: string): boolean => files.some((file) => file.path.includes(filter));
  const paths = filters.filter(isPath);
  return {
    files: paths.length === 0 ? files : files.filter((file) => paths.some((path) => file.path.includes(path))),
    names: filters.filter((filter) => !isPath(filter)),
  };
}
