// Owns the tools that only some scripts need. They are installed once into `.cache`, so that `npm ci` stays small and has no install
// scripts.

import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from './command.ts';
import { projectFolder } from './project.ts';

const installTimeoutMs = 240_000;

/**
 * Installs packages into `.cache/NAME`, unless they are there already.
 * @param packages  the range of each package by its name, or an alias such as `npm:typescript@~5.4.0`
 * @returns that folder
 */
export async function installTools(name: string, packages: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(projectFolder, '.cache', name);
  await mkdir(folder, { recursive: true });
  const manifest = `${JSON.stringify({ private: true, type: 'module', devDependencies: packages }, null, 2)}\n`;
  const path = join(folder, 'package.json');
  const isThere =
    existsSync(join(folder, 'node_modules')) && (await readFile(path, 'utf8').catch(() => '')) === manifest;
  if (isThere) return folder;
  await writeFile(path, manifest);
  await command('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: folder,
    timeoutMs: installTimeoutMs,
  });
  return folder;
}
