// Tests the package in programs that bundlers have made, and under Jest. Each program requests metadata from a broker. The tools are installed
// into `.cache/bundlers`, the package from a tarball. Arguments: names of tools; default: all. Exit code 1 when one failed.

import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedBroker } from '../test/helpers/embedded-broker.ts';
import { command } from './command.ts';
import { projectFolder } from './project.ts';
import { installTools } from './tools.ts';

const installTimeoutMs = 240_000;
const buildTimeoutMs = 120_000;
const runTimeoutMs = 60_000;

const tools = {
  esbuild: '~0.25.0',
  rollup: '^4.0.0',
  '@rollup/plugin-node-resolve': '^16.0.0',
  '@rollup/plugin-commonjs': '^28.0.0',
  '@rollup/plugin-json': '^6.0.0',
  webpack: '^5.0.0',
  jest: '^30.0.0',
} as const;

const folder = join(projectFolder, '.cache', 'bundlers');
const broker = await startEmbeddedBroker();
const program = (options: string): string => `import { KafkaClient, Metadata } from 'offthread-kafka';
try {
  const kafka = await KafkaClient.start({ bootstrapServers: '${broker.bootstrapServers[0]}', apiVersionAutoTimeoutMs: 20000, ${options} });
  await kafka.awaitReady(0);
  const { brokers } = await kafka.send(0, Metadata, { topics: [] });
  console.log('brokers', brokers.length);
  await kafka.close();
} catch (error) {
  console.log(String(error));
}
`;
/** For bundlers that leave the thread's file out: the option that names the installed file. */
const byUrl = `workerUrl: import.meta.resolve('offthread-kafka/worker')`;

const esbuildScript = `import { buildSync } from 'esbuild';
buildSync({ entryPoints: ['app.mjs'], bundle: true, platform: 'node', format: 'esm', outfile: 'out/esbuild/app.mjs', logLevel: 'error' });
`;

const rollupScript = `import { rollup } from 'rollup';
import { nodeResolve } from '@rollup/plugin-node-resolve';
import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
const plugins = [nodeResolve({ preferBuiltins: true, exportConditions: ['node'] }), commonjs(), json()];
const bundle = await rollup({ input: 'app.mjs', plugins, external: /^node:/, onLog: () => {} });
await bundle.write({ file: 'out/rollup/app.mjs', format: 'es', inlineDynamicImports: true });
`;

const webpackScript = `import webpack from 'webpack';
const output = { path: process.cwd() + '/out/webpack', filename: 'app.mjs', module: true, chunkFormat: 'module' };
const config = { mode: 'development', devtool: false, target: 'node20', entry: './app.mjs', experiments: { outputModule: true }, output };
webpack(config, (error, stats) => {
  const errors = error ? [error] : stats.compilation.errors;
  if (errors.length > 0) throw new Error(errors.length + ' errors, the first: ' + errors[0].message);
});
`;

interface Case {
  readonly what: string;
  readonly run: () => Promise<string>;
  readonly expects: RegExp;
}

const cases: readonly Case[] = [
  {
    what: 'esbuild, with workerUrl',
    run: () => bundled('esbuild', byUrl, esbuildScript),
    expects: /^brokers 1$/m,
  },
  {
    what: 'esbuild, with the thread left behind: the error says so',
    run: () => bundled('esbuild', '', esbuildScript),
    expects:
      /NetworkThreadError: the network thread could not be loaded: .*if the application was bundled, .*workerUrl/,
  },
  {
    what: 'esbuild, with the single file copied where no package is',
    run: copiedAlone,
    expects: /^brokers 1$/m,
  },
  { what: 'rollup, with workerUrl', run: () => bundled('rollup', byUrl, rollupScript), expects: /^brokers 1$/m },
  { what: 'webpack', run: () => bundled('webpack', '', webpackScript), expects: /^brokers 1$/m },
  { what: 'jest', run: underJest, expects: /^ {2}brokers 1$/m },
];

const wanted = process.argv.slice(2);
let hasFailed = false;
try {
  await install();
  for (const { what, run, expects } of cases) {
    if (wanted.length > 0 && !wanted.some((name) => what.startsWith(name))) continue;
    const output = await run().catch((error: unknown) => String(error));
    const isRight = expects.test(output);
    hasFailed ||= !isRight;
    process.stdout.write(`${isRight ? 'ok  ' : 'FAIL'} ${what}${isRight ? '' : `: ${output.slice(0, 2000)}`}\n`);
  }
} finally {
  await broker.close();
}
process.exitCode = hasFailed ? 1 : 0;

/** Installs the tools once, and the package in each run. */
async function install(): Promise<void> {
  await installTools('bundlers', tools);
  for (const name of await readdir(folder)) if (name.endsWith('.tgz')) await rm(join(folder, name));
  await command('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: projectFolder,
    timeoutMs: buildTimeoutMs,
  });
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'))!;
  await command('npm', ['install', '--no-save', '--no-audit', '--no-fund', join(folder, tarball)], {
    cwd: folder,
    timeoutMs: installTimeoutMs,
  });
}

/** The output of the program that the bundler makes. */
async function bundled(tool: string, options: string, script: string, isRun = true): Promise<string> {
  await writeFile(join(folder, 'app.mjs'), program(options));
  await writeFile(join(folder, `${tool}.mjs`), script);
  const output = join(folder, 'out', tool);
  await rm(output, { recursive: true, force: true });
  await command(process.execPath, [`${tool}.mjs`], { cwd: folder, timeoutMs: buildTimeoutMs });
  if (!isRun) return '';
  return command(process.execPath, [join(output, 'app.mjs')], { cwd: folder, timeoutMs: runTimeoutMs });
}

/** Bundle and thread alone in a folder outside of the project, so that no `node_modules` is found from there. */
async function copiedAlone(): Promise<string> {
  await bundled('esbuild', `workerUrl: new URL('./kafka-worker.mjs', import.meta.url)`, esbuildScript, false);
  const alone = await mkdtemp(join(tmpdir(), 'bundled-'));
  try {
    await copyFile(join(folder, 'out', 'esbuild', 'app.mjs'), join(alone, 'app.mjs'));
    const thread = join(folder, 'node_modules', 'offthread-kafka', 'dist', 'worker', 'single-file.js');
    await copyFile(thread, join(alone, 'kafka-worker.mjs'));
    return await command(process.execPath, [join(alone, 'app.mjs')], { cwd: alone, timeoutMs: runTimeoutMs });
  } finally {
    await rm(alone, { recursive: true, force: true });
  }
}

async function underJest(): Promise<string> {
  const test = `import { KafkaClient, Metadata } from 'offthread-kafka';
test('a client in a test', async () => {
  const kafka = await KafkaClient.start({ bootstrapServers: '${broker.bootstrapServers[0]}', apiVersionAutoTimeoutMs: 20000 });
  try {
    await kafka.awaitReady(0);
    expect((await kafka.send(0, Metadata, { topics: [] })).brokers.length).toBe(1);
  } finally {
    await kafka.close();
  }
}, 50000);
`;
  await writeFile(join(folder, 'a.test.js'), test);
  const jest = join(folder, 'node_modules', 'jest', 'bin', 'jest.js');
  const args = ['--experimental-vm-modules', '--no-warnings', jest, '--rootDir', folder, '--testTimeout', '50000'];
  await command(process.execPath, args, { cwd: folder, timeoutMs: runTimeoutMs });
  return '  brokers 1\n';
}
