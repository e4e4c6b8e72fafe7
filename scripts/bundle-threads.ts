// Owns the file of the package that holds the whole network thread, to be copied anywhere by those who bundle their application. It keeps the
// names of functions and classes.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';

/**
 * Bundles `entry` with all that it imports into `file`; both may be the same.
 * @param external  packages that are loaded at run time where they are installed
 * @param options   `minify`: default true; without it a stack trace can be read
 */
export async function bundleThread(
  entry: string,
  file: string,
  external: readonly string[],
  { minify = true }: { readonly minify?: boolean } = {},
): Promise<void> {
  const bundle = await rolldown({
    input: entry,
    platform: 'node',
    external: [...external],
    plugins: [wireCodecs],
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`${entry} cannot be bundled: ${log.message}`);
    },
  });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false, keepNames: true, minify });
  await bundle.close();
  const [chunk, ...others] = output;
  if (others.length > 0) throw new Error(`${entry} became several files: ${output.map(({ fileName }) => fileName)}`);
  writeFileSync(file, chunk.code);
}

/** The list of wire codecs loads each by `require` at its first use, which only some bundlers follow. In a bundle all are there. */
export const wireCodecs: Plugin = {
  name: 'wire-codecs',
  transform: (code, id) => (isWireIndex(id) ? withImports(code) : null),
};

function isWireIndex(id: string): boolean {
  return id.replaceAll('\\', '/').endsWith('/protocol/wire/generated/index.js');
}

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

/** Removes comments of whole lines from generated code: its declarations have the same. */
export function stripGeneratedComments(dist: string): void {
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (!/[\\/]generated[\\/][^\\/]+\.js$/.test(name)) continue;
    const path = join(dist, name);
    const [head, ...lines] = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, [head, ...lines.filter((line) => !/^\s*(?:\/\*\*.*\*\/|\/\/.*)$/.test(line))].join('\n'));
  }
}
