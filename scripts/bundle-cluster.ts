// Owns the files of the embedded cluster in the package: its thread, which starts several times faster from one file than from its modules, and
// the messages of the APIs that it does not serve, which it loads when a request of one of them comes.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { codecsOfBroker } from './bundled-codecs.ts';

const generated = /[\\/]protocol[\\/](?:flat|wire)[\\/]generated[\\/]([a-z0-9-]+)\.js$/;
const first = /[\\/]testing[\\/](?:thread|early-listeners)\.js$/;
const list = join('protocol', 'flat', 'generated', 'apis.js');
const importOfList = /import \{([^}]+)\} from '[./]+\/protocol\/flat\/generated\/apis\.js'/g;

/** Replaces `dist/testing/thread.js` by the files. @returns their paths under `dist` */
export async function bundleCluster(dist: string): Promise<readonly string[]> {
  const fileOf = new Map(
    [...readFileSync(join(dist, list), 'utf8').matchAll(/import \{ (\w+) \} from '\.\/([^']+)\.js'/g)].map(
      ([, name, file]) => [name!, file!],
    ),
  );
  const used = usedFiles(join(dist, 'testing'), fileOf);
  const all = new Set(fileOf.values());
  if (used.size < 20 || used.size === all.size)
    throw new Error(
      `${used.size} of ${all.size} APIs are used by the embedded cluster: the generated list must have another form now`,
    );
  /** The list itself names every API. */
  const isOther = (id: string): boolean => {
    const file = generated.exec(id)?.[1];
    return file !== undefined && (file === 'apis' || (all.has(file) && !used.has(file)));
  };
  /** What listens before the other files are there. */
  const isFirst = (id: string): boolean => first.test(id);
  const build = await rolldown({
    input: { thread: join(dist, 'testing', 'thread.js') },
    // Needed for files that do not take along what they import.
    preserveEntrySignatures: 'allow-extension',
    platform: 'node',
    plugins: [codecsOfBroker],
    // A module of messages registers its codec. The list of all of them does nothing.
    treeshake: { moduleSideEffects: (id) => generated.test(id) && !id.endsWith(list) },
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`the embedded cluster cannot be bundled: ${log.message}`);
    },
  });
  const { output } = await build.generate({
    format: 'esm',
    keepNames: true,
    minify: true,
    chunkFileNames: '[name].js',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        { name: 'other-apis', test: isOther, priority: 2 },
        { name: 'cluster', test: (id) => !isFirst(id), priority: 1 },
      ],
    },
  });
  await build.close();
  const chunks = output.filter((file) => file.type === 'chunk');
  for (const { fileName, code } of chunks) writeFileSync(join(dist, 'testing', fileName), code);
  return chunks.map(({ fileName }) => `testing/${fileName}`);
}

/** The files of the APIs that modules of the folder name. */
function usedFiles(folder: string, fileOf: ReadonlyMap<string, string>): ReadonlySet<string> {
  const used = new Set<string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js')) continue;
    for (const [, names] of readFileSync(join(folder, name), 'utf8').matchAll(importOfList)) {
      for (const api of names!.split(',')) {
        const file = fileOf.get(api.trim());
        if (file !== undefined) used.add(file);
      }
    }
  }
  return used;
}
