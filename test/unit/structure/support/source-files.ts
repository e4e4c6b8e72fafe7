// Owns reading the project's own sources for the structure tests.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../../../../scripts/project.ts';

export interface SourceFile {
  /** Relative to the folder asked for, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** Every TypeScript file under a folder of the project, in a fixed order. */
export function sourceFiles(folder: string): SourceFile[] {
  const root = join(projectFolder, folder);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => ({ path: path.split(/[\\/]/).join('/'), text: readFileSync(join(root, path), 'utf8') }));
}

/** Of package.json, the maps from package to version range. */
export function packageJson(): Readonly<Record<string, Readonly<Record<string, string>> | undefined>> {
  return JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8'));
}
