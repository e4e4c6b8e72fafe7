// Owns the package of this client as users install it, which is what is measured: its files are bundled, and so it starts in less time than the
// modules of the development build. Any thread.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { command } from '../../../scripts/command.ts';
import { projectFolder } from '../../../scripts/project.ts';
import type * as Package from '../../../src/index.ts';

const buildTimeoutMs = 600_000;

export type Library = typeof Package;

let built: Promise<unknown> | null = null;

/** Makes it at the first call, before the processes that measure. */
export async function buildPackage(): Promise<void> {
  built ??= command('npm', ['run', '--silent', 'build'], { cwd: projectFolder, timeoutMs: buildTimeoutMs });
  await built;
}

export async function published(): Promise<Library> {
  return (await import(pathToFileURL(join(projectFolder, 'dist', 'index.js')).href)) as Library;
}
