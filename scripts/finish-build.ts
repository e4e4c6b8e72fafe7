// The last step of `npm run build`: makes of `dist` what the package holds.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from './project.ts';
import { pruneDeclarations } from './prune-declarations.ts';

interface Manifest {
  readonly exports: Readonly<Record<string, string | { readonly types?: string }>>;
}

const dist = join(projectFolder, 'dist');
const { exports } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8')) as Manifest;
const entries = Object.values(exports)
  .flatMap((target) => (typeof target === 'string' ? [] : (target.types ?? [])))
  .map((path) => path.replace('./dist/', ''));
pruneDeclarations(dist, entries);
