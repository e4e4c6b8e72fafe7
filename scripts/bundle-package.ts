// Owns the files that programs load from the package: few large ones, because a hundred modules take Node several times as long as one of the
// same size. Names and lines of the code stay, and so a stack trace can be read without a map.

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';
import { wireCodecs } from './bundle-threads.ts';

export interface PackageFiles {
  /** Paths of built modules under `dist` by the paths of their new files, both without `.js`. */
  readonly entries: Readonly<Record<string, string>>;
  /** The files in `shared/`: the name of each, and the folders or modules under `dist` that it has, if no earlier one has them. */
  readonly shared: Readonly<Record<string, readonly string[]>>;
  /** Other files under `dist`, which stay. */
  readonly kept: readonly string[];
}

/** A module names a file of the package in this form, which the bundlers of applications look for. */
const fileOfPackage = /new URL\((['"])(\.[^'"]+\.js)\1, import\.meta\.url\)/g;
const marker = 'offthread-kafka-file:';

/** Replaces the modules of `dist` by one file for each entry and by those that entries share. */
export async function bundlePackage(dist: string, files: PackageFiles): Promise<void> {
  const outputs = await bundle(dist, files);
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.js') && !files.kept.includes(name.split(sep).join('/'))) rmSync(join(dist, name));
  }
  for (const { fileName, code } of outputs) {
    mkdirSync(dirname(join(dist, fileName)), { recursive: true });
    writeFileSync(join(dist, fileName), withPlaces(code, fileName));
  }
}

async function bundle(dist: string, { entries, shared }: PackageFiles): Promise<OutputChunk[]> {
  const build = await rolldown({
    input: Object.fromEntries(Object.entries(entries).map(([to, from]) => [to, join(dist, `${from}.js`)])),
    platform: 'node',
    // Packages stay packages: they are installed, updated and audited by themselves.
    external: (id) => !id.startsWith('.') && !id.startsWith(dist),
    plugins: [wireCodecs, { name: 'files-of-the-package', transform: (code, id) => withMarkers(code, dist, id) }],
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`the package cannot be bundled: ${log.message}`);
    },
  });
  const { output } = await build.generate({
    format: 'esm',
    keepNames: true,
    minify: false,
    comments: { legal: true, annotation: true, jsdoc: false },
    codeSplitting: {
      groups: Object.entries(shared).map(([name, folders], i, all) => ({
        name,
        priority: all.length - i,
        test: (id: string) =>
          folders.some((folder) => id.startsWith(join(dist, folder) + sep) || id === `${join(dist, folder)}.js`),
      })),
    },
    chunkFileNames: 'shared/[name].js',
  });
  await build.close();
  return output.filter((file) => file.type === 'chunk');
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
