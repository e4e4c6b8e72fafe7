// Tests the package that users get: packs it, checks its content and its dependencies, installs it into an empty folder, type-checks programs
// that use it, and runs them on every supported Node whose binary is available.
// Arguments: major versions of Node; default: all supported ones. The oldest must be available; others are reported as missing.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandOutputs, command, commandOutputs } from './command.ts';
import { closedPort, consumerText } from './consumer.ts';
import { addonFile, addonPlatforms, hasAddon } from './native-addon.ts';
import { findNodes, majorsOfArguments, supportedMajors } from './node-binaries.ts';
import { checkTypes } from './pack-types.ts';
import { projectFolder } from './project.ts';
import { installTools } from './tools.ts';

const packTimeoutMs = 120_000;
const installTimeoutMs = 300_000;
const typesTimeoutMs = 60_000;
const runTimeoutMs = 60_000;

const majors = majorsOfArguments('npm run test:pack --', 'Tests the package that users get.');
const wanted = [
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'dist/index.js',
  'dist/index.d.ts',
  'docs/configuration.md',
];
const unwanted = ['src', 'test', 'bench', 'scripts', 'build', '.ci', 'dist/protocol/generate', 'dist/protocol/schema'];
/** The limit of installed packages without optional ones. This package counts too. */
const maxPackages = 12;
const maxInstalledBytes = 12e6;
/** What the addon of a platform takes at most: those that are not built here are in the published package. */
const maxAddonBytes = 50e3;
const blockSize = 4096;

const folder = await mkdtemp(join(tmpdir(), 'test-pack-'));
try {
  const tarball = await pack(folder);
  await checkWeight(tarball, join(folder, 'weight'));
  await checkManifest(tarball);
  const consumer = join(folder, 'consumer');
  await install(tarball, consumer);
  await checkContents(join(consumer, 'node_modules', 'offthread-kafka'));
  await checkConsumerTypes(consumer);
  await checkTypes(consumer, 'entries.mts', print);
  await runEverywhere(consumer);
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Packs the package. npm builds it first, by its prepack script. */
async function pack(destination: string): Promise<string> {
  await command('npm', ['pack', '--silent', '--pack-destination', destination], {
    cwd: projectFolder,
    timeoutMs: packTimeoutMs,
  });
  const tarballs = (await readdir(destination)).filter((name) => name.endsWith('.tgz'));
  assert.equal(tarballs.length, 1, `one tarball expected: ${tarballs.join(', ')}`);
  return join(destination, tarballs[0]!);
}

/** Checks the size of the installed package in a folder of `npm init`, without and with its optional packages. */
async function checkWeight(tarball: string, empty: string): Promise<void> {
  for (const omit of [['--omit=optional'], []]) {
    await mkdir(empty);
    await command('npm', ['init', '--yes'], { cwd: empty, timeoutMs: installTimeoutMs });
    const { stdout, stderr } = await npmInstall(empty, [...omit, tarball]);
    assert.doesNotMatch(stdout + stderr, /\bwarn|install-scripts|deprecated/i, 'npm install warns');
    const lock = join(empty, 'node_modules', '.package-lock.json');
    const { packages } = JSON.parse(await readFile(lock, 'utf8')) as Lock;
    const scripted = Object.keys(packages).filter((name) => packages[name]!.hasInstallScript === true);
    assert.deepEqual(scripted, [], 'packages with install scripts');
    const count = Object.keys(packages).length;
    const { bytes, blockBytes } = await sizeOf(join(empty, 'node_modules'));
    const what = omit.length > 0 ? 'without optional packages' : 'with optional packages';
    print(
      `${what}: ${count} packages, ${megabytes(bytes)} MB, ${megabytes(blockBytes)} MB in blocks of a disk, and no warning\n`,
    );
    if (omit.length > 0) {
      assert.ok(count <= maxPackages, `${count} packages, ${maxPackages} are the limit: ${Object.keys(packages)}`);
      const addons = await readdir(join(empty, 'node_modules', 'offthread-kafka', 'dist', 'worker', 'native')).catch(
        () => [],
      );
      const published = bytes + (addonPlatforms.length - addons.length) * maxAddonBytes;
      assert.ok(
        published <= maxInstalledBytes,
        `${published} bytes when published, ${maxInstalledBytes} are the limit`,
      );
    }
    await rm(empty, { recursive: true });
  }
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly hasInstallScript?: boolean }>>;
}

/** The bytes of all files, as npm counts them; and in whole blocks, as a file system does. */
async function sizeOf(root: string): Promise<{ bytes: number; blockBytes: number }> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return { bytes: sum(sizes), blockBytes: sum(sizes.map((size) => Math.ceil(size / blockSize) * blockSize)) };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** Checks the manifest with the tools that package authors use. */
async function checkManifest(tarball: string): Promise<void> {
  const tools = await installTools('package-tools', { '@arethetypeswrong/cli': '0.18.5', publint: '0.3.25' });
  const bin = join(tools, 'node_modules', '.bin');
  const options = { cwd: tools, timeoutMs: typesTimeoutMs };
  await command(join(bin, 'publint'), ['--strict', tarball], options);
  // Node requires ES modules from 20.19 on, which is the oldest that is supported: so `require` works, and the one rule is not kept.
  // Resolution of Node 10 knows no `exports`. The entry of the network thread is not for programs.
  const exceptions = [
    '--ignore-rules',
    'cjs-resolves-to-esm',
    '--profile',
    'node16',
    '--exclude-entrypoints',
    'worker',
    'worker/single-file',
  ];
  await command(join(bin, 'attw'), [tarball, ...exceptions], options);
  print('publint and attw find no problem in the package\n');
}

async function install(tarball: string, consumer: string): Promise<void> {
  await mkdir(consumer);
  await writeFile(join(consumer, 'package.json'), '{ "private": true, "type": "module" }\n');
  await writeFile(join(consumer, 'consumer.mjs'), await consumerText());
  const programs = join(projectFolder, 'scripts', 'pack-consumer');
  for (const name of ['entries.mts', 'entries.mjs', 'native.mjs'])
    await copyFile(join(programs, name), join(consumer, name));
  await npmInstall(consumer, [tarball]);
}

function npmInstall(cwd: string, args: readonly string[]): Promise<CommandOutputs> {
  return commandOutputs('npm', ['install', '--no-audit', '--no-fund', ...args], { cwd, timeoutMs: installTimeoutMs });
}

async function checkContents(installed: string): Promise<void> {
  // Without a C compiler the package is made without the addon.
  const addon = hasAddon() ? [join('dist', 'worker', 'native', addonFile)] : [];
  if (addon.length === 0) print('skipped the native addon: it could not be built here\n');
  const lacking = [...wanted, ...addon].filter((path) => !existsSync(join(installed, path)));
  assert.deepEqual(lacking, [], 'files missing from the package');
  const surplus = unwanted.filter((path) => existsSync(join(installed, path)));
  assert.deepEqual(surplus, [], 'folders that do not belong into the package');
  const maps = (await readdir(installed, { recursive: true })).filter((name) => name.endsWith('.map'));
  assert.deepEqual(
    maps,
    [],
    'the files of the package are readable as they are: maps would name sources that are not there',
  );
  print('the package has all expected files and no others\n');
}

/** Checks a JavaScript program with this project's compiler, which reads types from its documentation comments. */
async function checkConsumerTypes(consumer: string): Promise<void> {
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
  await rm(join(consumer, 'tsconfig.json'));
  print('the types of the package are right in a JavaScript program that uses it\n');
}

async function runEverywhere(consumer: string): Promise<void> {
  const nodes = await findNodes(majors, ({ major, problem }) => {
    print(`skipped Node ${major}: not available here: ${problem}\n`);
  });
  const oldest = Math.min(...supportedMajors.filter((major) => majors.includes(major)));
  assert.ok(
    nodes.some(({ major }) => major === oldest),
    `Node ${oldest} is needed, but it is not available`,
  );
  for (const node of nodes) {
    const port = await closedPort();
    print(await command(node.path, ['entries.mjs'], { cwd: consumer, timeoutMs: runTimeoutMs }));
    if (hasAddon()) print(await command(node.path, ['native.mjs'], { cwd: consumer, timeoutMs: runTimeoutMs }));
    print(await command(node.path, ['consumer.mjs', String(port)], { cwd: consumer, timeoutMs: runTimeoutMs }));
  }
}

function print(text: string): void {
  process.stdout.write(text);
}
