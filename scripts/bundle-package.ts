// Owns the files that programs load from the package: few large ones, because a hundred modules take Node several times as long as one of the
// same size. Names and lines of the code stay, and so a stack trace can be read without a map.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, posix, relative, sep } from 'node:path';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';
import { wireCodecs } from './bundle-threads.ts';
import { codecsByNeed } from './bundled-codecs.ts';
import { isLate, lateMessages, messageLoaders } from './late-messages.ts';

export interface PackageFiles {
  /** Paths of built modules under `dist` by the paths of their new files, both without `.js`. */
  readonly entries: Readonly<Record<string, string>>;
  /**
   * The files in `shared/`: the name of each, and the folders or modules under `dist` that it has. A file has what its modules import, too, if no
   * earlier one has it.
   */
  readonly shared: Readonly<Record<string, readonly string[]>>;
  /**
   * The network thread and its codec pool, as `entries`. They share nothing with the others, because they start in less time without the code
   * that only the others use. The first one is the thread.
   */
  readonly threads: Readonly<Record<string, string>>;
  /** The built modules that the network thread loads at first use, without `.js`. */
  readonly lazy: readonly string[];
  /** Other files under `dist`, which stay. */
  readonly kept: readonly string[];
}

type Groups = { readonly name: string; readonly test: (id: string) => boolean }[];

/** A module names a file of the package in this form, which the bundlers of applications look for. */
const fileOfPackage = /new URL\((['"])(\.[^'"]+\.js)\1, import\.meta\.url\)/g;
const marker = 'offthread-kafka-file:';

/** Replaces the modules of `dist` by one file for each entry and by those that entries share. */
export async function bundlePackage(dist: string, files: PackageFiles): Promise<void> {
  const { entries, shared, threads, lazy, kept } = files;
  const outputs = [
    ...(await bundle(dist, ofApplication(dist, entries), groupsOf(dist, shared))),
    ...(await bundle(dist, ofThreads(dist, threads), await groupsOfThreads(dist, threads, lazy))),
  ];
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.js') && !kept.includes(name.split(sep).join('/'))) rmSync(join(dist, name));
  }
  const written = new Set<string>();
  for (const { fileName, code } of outputs) {
    if (written.has(fileName)) throw new Error(`two files of the package are named ${fileName}`);
    written.add(fileName);
    mkdirSync(dirname(join(dist, fileName)), { recursive: true });
    writeFileSync(join(dist, fileName), withPlaces(code, fileName));
  }
}

function groupsOf(dist: string, shared: PackageFiles['shared']): Groups {
  const idOf = (path: string): string => `${join(dist, path)}.js`;
  const named = new Set(Object.values(shared).flat().map(idOf));
  const byFolder = Object.entries(shared).map(([name, paths]) => ({
    name,
    test: (id: string) =>
      !isLate(id) &&
      paths.some((path) => id === idOf(path) || (id.startsWith(join(dist, path) + sep) && !named.has(id))),
  }));
  return [
    ...byFolder,
    { name: 'api-messages', test: (id) => isLate(id, 'client') },
    { name: 'broker-messages', test: (id) => isLate(id, 'broker') },
  ];
}

/**
 * What a thread always loads is one file, and what both always load is another one. What is loaded at first use stays apart, each in one file
 * with what only it needs. Which modules those are is seen in a first bundle.
 */
async function groupsOfThreads(
  dist: string,
  threads: PackageFiles['threads'],
  lazy: readonly string[],
): Promise<Groups> {
  const outputs = await bundle(dist, ofThreads(dist, threads), []);
  const byFile = new Map(outputs.map((output) => [output.fileName, output]));
  const modulesOf = (path: string): ReadonlySet<string> => {
    const id = join(dist, `${path}.js`);
    const modules = new Set<string>();
    const seen = new Set<OutputChunk>();
    const visit = (output: OutputChunk | undefined): void => {
      if (output === undefined || seen.has(output)) return;
      seen.add(output);
      for (const module of output.moduleIds) modules.add(module);
      for (const imported of output.imports) visit(byFile.get(imported));
    };
    visit(outputs.find(({ facadeModuleId }) => facadeModuleId === id));
    if (modules.size === 0) throw new Error(`${path} is no entry, and nothing loads it at first use`);
    modules.delete(id);
    return modules;
  };
  const [thread, pool] = Object.values(threads).map(modulesOf) as [ReadonlySet<string>, ReadonlySet<string>];
  const loaded = lazy.map((path) => [basename(path), modulesOf(path)] as const);
  const combinations = new Map<string, Set<string>>();
  for (const id of new Set(loaded.flatMap(([, modules]) => [...modules]))) {
    const parts = loaded.flatMap(([part, modules]) => (modules.has(id) ? [part] : []));
    // What producers and consumers always load is in no further file because metrics are pushed with it, too.
    const name = parts.filter((part) => part !== 'telemetry' || parts.length === 1).join('-and-');
    combinations.set(name, (combinations.get(name) ?? new Set()).add(id));
  }
  // A file takes the modules that its own ones import: those that several parts need must be in theirs before that.
  const countOf = ([name]: readonly [string, unknown]): number => name.split('-and-').length;
  const shared = [...combinations].sort((a, b) => countOf(b) - countOf(a));
  return [
    { name: 'codecs', test: (id) => thread.has(id) && pool.has(id) },
    { name: 'network-thread', test: (id) => thread.has(id) },
    ...shared.map(([name, modules]) => ({ name: `for-${name}`, test: (id: string) => modules.has(id) })),
  ];
}

/** What one bundle is made of, and where the files go that are no entries. */
interface Bundle {
  readonly input: Readonly<Record<string, string>>;
  readonly plugins: readonly Plugin[];
  readonly folderOf: (chunk: PlacedChunk) => string;
}

function ofApplication(dist: string, entries: PackageFiles['entries']): Bundle {
  return {
    input: { ...builtFiles(dist, entries), ...messageLoaders },
    plugins: [wireCodecs, lateMessages(dist)],
    folderOf: () => 'shared',
  };
}

function ofThreads(dist: string, threads: PackageFiles['threads']): Bundle {
  return { input: builtFiles(dist, threads), plugins: [codecsByNeed], folderOf: folderInWorker };
}

function builtFiles(dist: string, entries: PackageFiles['entries']): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(entries).map(([to, from]) => [to, join(dist, `${from}.js`)]));
}

async function bundle(dist: string, { input, plugins, folderOf }: Bundle, groups: Groups): Promise<OutputChunk[]> {
  const build = await rolldown({
    input,
    platform: 'node',
    // Packages stay packages: they are installed, updated and audited by themselves.
    external: (id) => !id.startsWith('.') && !id.startsWith(dist),
    plugins: [
      ...plugins,
      modulesOfPackages,
      { name: 'files-of-the-package', transform: (code, id) => withMarkers(code, dist, id) },
    ],
    onLog: (level, log) => {
      // Codecs that the thread uses itself are there already when others are imported; messages are loaded in one of two ways.
      if (log.code === 'INEFFECTIVE_DYNAMIC_IMPORT') return;
      if (level === 'warn') throw new Error(`the package cannot be bundled: ${log.message}`);
    },
  });
  const { output } = await build.generate({
    format: 'esm',
    keepNames: true,
    minify: false,
    comments: { legal: true, annotation: true, jsdoc: false },
    codeSplitting: { groups: groups.map((group, i) => ({ ...group, priority: groups.length - i })) },
    chunkFileNames: (chunk) => `${folderOf(chunk)}/[name].js`,
  });
  await build.close();
  return output.filter((file) => file.type === 'chunk');
}

/**
 * The main file of comlink is CommonJS, which Node reads twice and compiles by another way: that takes three times as long as its ES module, in
 * each thread. package.json allows only the versions of comlink that have that file in this place.
 */
const modulesOfPackages: Plugin = {
  name: 'modules-of-packages',
  transform: (code) => code.replace(/(?<=from (['"]))comlink(?=\1;)/, 'comlink/dist/esm/comlink.mjs'),
};

type PlacedChunk = Pick<OutputChunk, 'moduleIds'> & { readonly facadeModuleId?: string | null };

/** There are many files with one API each. */
function folderInWorker({ facadeModuleId, moduleIds }: PlacedChunk): string {
  const ids = [...moduleIds, ...(facadeModuleId == null ? [] : [facadeModuleId])];
  return ids.length > 0 && ids.every((id) => /[\\/]generated[\\/]/.test(id)) ? 'worker/apis' : 'worker';
}

function withMarkers(code: string, dist: string, id: string): string {
  return code.replaceAll(fileOfPackage, (_all, quote: string, path: string) => {
    const place = relative(dist, join(dirname(id), path))
      .split(sep)
      .join('/');
    return `new URL(${quote}${marker}${place}${quote}, import.meta.url)`;
  });
}

/** The places of marked files as they are seen from the new file. */
function withPlaces(code: string, fileName: string): string {
  const pattern = new RegExp(`${marker}([^'"]+)`, 'g');
  return code.replaceAll(pattern, (_all, place: string) => {
    const path = posix.relative(posix.dirname(fileName), place);
    return path.startsWith('.') ? path : `./${path}`;
  });
}
