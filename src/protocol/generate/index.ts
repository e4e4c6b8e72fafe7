// Owns `npm run generate` and `npm run generate:check`: tables in, the generated folders and the page of options out. Development only. Must
// print the same bytes for the same tables, and write nothing when checking.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { apis as apiTables, dataMessages } from '../schema/index.ts';
import { configurationPage } from './configuration-page.ts';
import { exportedTypes, flatApiFile, flatDataFile } from './flat-file.ts';
import { apisFile, brokerErrorsFile, wireIndexFile } from './lists.ts';
import { buildApi, buildData } from './model.ts';
import { wireApiFile, wireDataFile } from './wire-file.ts';

const commonFolder = 'src/common/errors/generated';
const flatFolder = 'src/protocol/flat/generated';
const wireFolder = 'src/protocol/wire/generated';

/** Every generated file by its path from the root of the repository. */
export function generateFiles(): Map<string, string> {
  const apis = apiTables.map(buildApi);
  // Headers have hand-written code: they are on every path and must not cost a flat message.
  const data = dataMessages.filter((table) => table.kind === 'data').map(buildData);
  checkUnique(
    'API key',
    apis.map((api) => String(api.key)),
  );
  checkUnique(
    'file',
    [...apis, ...data].map((item) => item.file),
  );
  checkUnique(
    'type',
    exportedTypes([...apis.flatMap((api) => [api.request, api.response]), ...data.map((d) => d.message)]),
  );
  const files = new Map<string, string>();
  for (const api of apis) {
    files.set(`${flatFolder}/${api.file}.ts`, flatApiFile(api));
    files.set(`${wireFolder}/${api.file}.ts`, wireApiFile(api));
  }
  for (const item of data) {
    files.set(`${flatFolder}/${item.file}.ts`, flatDataFile(item));
    files.set(`${wireFolder}/${item.file}.ts`, wireDataFile(item));
  }
  files.set(`${flatFolder}/apis.ts`, apisFile(apis));
  files.set(`${commonFolder}/broker-errors.ts`, brokerErrorsFile());
  files.set('docs/configuration.md', configurationPage());
  files.set(`${wireFolder}/index.ts`, wireIndexFile(apis, data));
  return files;
}

function checkUnique(what: string, values: readonly string[]): void {
  const seen = new Set<string>();
  for (const value of values) {
    if (seen.has(value)) throw new Error(`two ${what}s ${value}`);
    seen.add(value);
  }
}

/** Paths in the generated folders under `root` that differ from `files`, are missing, or should not be there. */
export function findDifferences(root: string, files: ReadonlyMap<string, string>): string[] {
  const different = [...files].filter(([path, text]) => readOrNull(join(root, path)) !== text).map(([path]) => path);
  return [...different, ...strayFiles(root, files)].sort();
}

function strayFiles(root: string, files: ReadonlyMap<string, string>): string[] {
  const found: string[] = [];
  for (const folder of [commonFolder, flatFolder, wireFolder]) {
    mkdirSync(join(root, folder), { recursive: true });
    for (const name of readdirSync(join(root, folder))) {
      if (!files.has(`${folder}/${name}`)) found.push(`${folder}/${name}`);
    }
  }
  return found;
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** The closest folder at or above the current one that has the package of this client. */
export function findRoot(): string {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const text = readOrNull(join(folder, 'package.json'));
    if (text !== null && (JSON.parse(text) as { name?: unknown }).name === 'offthread-kafka') return folder;
    if (folder === dirname(folder)) throw new Error('run this inside the repository');
  }
}

function main(args: readonly string[]): number {
  const root = findRoot();
  const files = generateFiles();
  const different = findDifferences(root, files);
  if (args.includes('--check')) {
    if (different.length === 0) return 0;
    console.error(`Generated code does not match the tables; run "npm run generate" and look at the changes:`);
    for (const path of different) console.error(`  ${path}`);
    return 1;
  }
  for (const path of different) {
    const text = files.get(path);
    if (text === undefined) rmSync(join(root, path));
    else writeFileSync(join(root, path), text);
  }
  console.log(`${files.size} files, ${different.length} of them changed`);
  return 0;
}

if (import.meta.filename === process.argv[1]) process.exitCode = main(process.argv.slice(2));
