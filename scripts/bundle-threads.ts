// Owns the files of the package that hold a whole thread: the network thread, to be copied anywhere by those who bundle their application,
// and the thread of the embedded cluster, which starts several times faster from one file. Both keep the names of functions and classes.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rolldown } from 'rolldown';

/**
 * Bundles `entry` with all that it imports into `file`; both may be the same.
 * @param external  packages that are loaded at run time where they are installed
 */
export async function bundleThread(entry: string, file: string, external: readonly string[]): Promise<void> {
  const bundle = await rolldown({
    input: entry,
    platform: 'node',
    external: [...external],
    plugins: [{ name: 'wire-codecs', transform: (code, id) => (isWireIndex(id) ? withImports(code) : null) }],
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`${entry} cannot be bundled: ${log.message}`);
    },
  });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false, keepNames: true, minify: true });
  await bundle.close();
  const [chunk, ...others] = output;
  if (others.length > 0) throw new Error(`${entry} became several files: ${output.map(({ fileName }) => fileName)}`);
  writeFileSync(file, chunk.code);
}

function isWireIndex(id: string): boolean {
  return id.replaceAll('\\', '/').endsWith('/protocol/wire/generated/index.js');
}

/** The list of wire codecs loads each by `require` at its first use, which only some bundlers follow. In a single file all are there. */
function withImports(code: string): string {
  const names: string[] = [];
  const loaders = code.replaceAll(/\(\) => require\('(\.\/[^']+)'\)/g, (_, path: string) => {
    names.push(path);
    return `() => wire${names.length - 1}`;
  });
  const isWhole = names.length > 90 && !loaders.includes("require('");
  if (!isWhole)
    throw new Error(`${names.length} wire codecs were found in the generated list, which must have another form now`);
  return `${names.map((path, i) => `import * as wire${i} from '${path}';`).join('\n')}\n${loaders}`;
}

const imports = /(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g;

/** Removes each `.js` file of a folder that the given ones do not import, directly or by others. */
export function pruneScripts(folder: string, entries: readonly string[]): void {
  const reached = new Set<string>();
  const open = [...entries];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path) || !existsSync(path)) continue;
    reached.add(path);
    for (const [, specifier] of readFileSync(path, 'utf8').matchAll(imports)) {
      open.push(join(dirname(path), specifier!));
    }
  }
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    if (name.endsWith('.js') && !reached.has(path)) rmSync(path);
  }
}

/** Removes comments of whole lines from generated code: its declarations have the same. */
export function stripGeneratedComments(dist: string): void {
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (!/[\\/]generated[\\/][^\\/]+\.js$/.test(name)) continue;
    const path = join(dist, name);
    const [head, ...lines] = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, [head, ...lines.filter((line) => !/^\s*(?:\/\*\*.*\*\/|\/\/.*)$/.test(line))].join('\n'));
  }
}
