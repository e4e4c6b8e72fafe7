// Tests the package as users get it: packs it, looks at what is in it, installs it into an empty folder, type-checks a program
// that uses it, and runs that program on every supported Node whose binary can be had.
// Arguments: major versions of Node, all supported ones by default. The oldest must be there; others are reported as missing.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command } from './command.ts';
import { closedPort, consumerText } from './consumer.ts';
import { findNodes, majorsOf, supportedMajors } from './node-binaries.ts';
import { projectFolder } from './project.ts';

const packTimeoutMs = 120_000;
const installTimeoutMs = 300_000;
const typesTimeoutMs = 60_000;
const runTimeoutMs = 60_000;

const wanted = [
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'dist/index.js',
  'dist/index.d.ts',
  'src/index.ts',
];
const unwanted = ['test', 'bench', 'scripts', 'build', '.ci', 'src/protocol/generate', 'src/protocol/schema'];

const folder = await mkdtemp(join(tmpdir(), 'test-pack-'));
try {
  const tarball = await pack(folder);
  const consumer = join(folder, 'consumer');
  await install(tarball, consumer);
  checkContents(join(consumer, 'node_modules', 'offthread-kafka'));
  await checkTypes(consumer);
  await runEverywhere(consumer);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** npm builds first, by the package's own prepack. */
async function pack(destination: string): Promise<string> {
  await command('npm', ['pack', '--silent', '--pack-destination', destination], {
    cwd: projectFolder,
    timeoutMs: packTimeoutMs,
  });
  const tarballs = (await readdir(destination)).filter((name) => name.endsWith('.tgz'));
  assert.equal(tarballs.length, 1, `one tarball expected: ${tarballs.join(', ')}`);
  return join(destination, tarballs[0]!);
}

async function install(tarball: string, consumer: string): Promise<void> {
  await mkdir(consumer);
  await writeFile(join(consumer, 'package.json'), '{ "private": true, "type": "module" }\n');
  await writeFile(join(consumer, 'consumer.mjs'), await consumerText());
  await command('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: consumer, timeoutMs: installTimeoutMs });
}

function checkContents(installed: string): void {
  const lacking = wanted.filter((path) => !existsSync(join(installed, path)));
  assert.deepEqual(lacking, [], 'files missing from the package');
  const surplus = unwanted.filter((path) => existsSync(join(installed, path)));
  assert.deepEqual(surplus, [], 'folders that do not belong into the package');
  print('the package holds what it should, and nothing else was found in it\n');
}

/** With this project's compiler, which reads the program's documentation comments for types. */
async function checkTypes(consumer: string): Promise<void> {
  const options = {
    allowJs: true,
    checkJs: true,
    strict: true,
    noEmit: true,
    module: 'nodenext',
    target: 'es2023',
    lib: ['es2023', 'esnext.disposable'],
    types: ['node'],
    typeRoots: [join(projectFolder, 'node_modules', '@types')],
  };
  const config = { compilerOptions: options, files: ['consumer.mjs'] };
  await writeFile(join(consumer, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(projectFolder, 'node_modules', 'typescript', 'bin', 'tsc');
  await command(process.execPath, [tsc, '-p', consumer], { cwd: consumer, timeoutMs: typesTimeoutMs });
  print('the types of the package hold in a program that uses it\n');
}

async function runEverywhere(consumer: string): Promise<void> {
  const majors = majorsOf(process.argv.slice(2));
  const nodes = await findNodes(majors, ({ major, problem }) => {
    print(`skipped Node ${major}: not to be had here: ${problem}\n`);
  });
  const oldest = Math.min(...supportedMajors.filter((major) => majors.includes(major)));
  assert.ok(
    nodes.some(({ major }) => major === oldest),
    `Node ${oldest} is needed, and cannot be had`,
  );
  for (const node of nodes) {
    const port = await closedPort();
    print(await command(node.path, ['consumer.mjs', String(port)], { cwd: consumer, timeoutMs: runTimeoutMs }));
  }
}

function print(text: string): void {
  process.stdout.write(text);
}
