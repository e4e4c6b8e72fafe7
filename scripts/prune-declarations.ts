// Owns the choice of the declaration files in the package: those that its entries reach. The others describe code that users cannot import.
// They would be a fifth of the package's files.

import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

const imports = /(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g;

/**
 * Removes every `.d.ts` under `dist` that no entry reaches.
 * @param entries  paths under `dist`, such as `index.d.ts`
 * @returns how many were kept and removed
 */
export function pruneDeclarations(dist: string, entries: readonly string[]): { kept: number; removed: number } {
  const reached = new Set<string>();
  const open = entries.map((entry) => join(dist, entry));
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue;
    if (!existsSync(path)) throw new Error(`${path} does not exist, but another declaration imports it`);
    reached.add(path);
    for (const [, specifier] of readFileSync(path, 'utf8').matchAll(imports)) {
      open.push(join(dirname(path), specifier!.replace(/\.[jt]s$/, '.d.ts')));
    }
  }
  const all = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.d.ts'))
    .map((name) => join(dist, name));
  const removed = all.filter((path) => !reached.has(path));
  for (const path of removed) rmSync(path);
  return { kept: reached.size, removed: removed.length };
}
