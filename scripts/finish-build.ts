// The last step of `npm run build`: makes the content of the package from `dist`.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleThread, pruneScripts, stripGeneratedComments } from './bundle-threads.ts';
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
await bundleThread(join(dist, 'worker', 'index.js'), join(dist, 'worker', 'single-file.js'), ['piscina']);
await bundleThread(join(dist, 'testing', 'thread.js'), join(dist, 'testing', 'thread.js'), []);
pruneScripts(join(dist, 'testing'), [join(dist, 'testing', 'index.js'), join(dist, 'testing', 'thread.js')]);
stripGeneratedComments(dist);
pruneDeclarations(dist, entries);
