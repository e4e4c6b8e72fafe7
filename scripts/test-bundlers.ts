// Tests the package in programs that bundlers have made, and under Jest. Each program requests metadata from a broker. The tools are installed
// into `.cache/bundlers`, the package from a tarball. Arguments: names of tools; default: all but the big ones, which are Bun and Next.js.
// Exit code 1 when one failed.

import { spawn } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedBroker } from '../test/helpers/embedded-broker.ts';
import { scriptCommand } from './arguments.ts';
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
  vite: '^7.0.0',
  postject: '1.0.0-alpha.6',
} as const;
/** Installed only when they are asked for, because they are some 100 MB each. */
const bunPackage = `@oven/bun-${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}`;
const bunVersion = '1.3.3';
const nextPackages = { next: '^15.0.0', react: '^19.0.0', 'react-dom': '^19.0.0' };

const folder = join(projectFolder, '.cache', 'bundlers');
const broker = await startEmbeddedBroker();
const program = (options: string): string => `import { KafkaClient, ListOffsets, Metadata } from 'offthread-kafka';
try {
  const kafka = await KafkaClient.start({ bootstrapServers: '${broker.bootstrapServers[0]}', apiVersionAutoTimeoutMs: 20000, ${options} });
  await kafka.awaitReady(0);
  const { brokers } = await kafka.send(0, Metadata, { topics: [] });
  // A client without a consumer loads the code of this API when it is asked for.
  await kafka.send(0, ListOffsets, { replicaId: -1, topics: [] });
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

const viteScript = (noExternal: boolean): string => `import { build } from 'vite';
const ssr = ${noExternal ? '{ noExternal: true }' : '{}'};
await build({ configFile: false, logLevel: 'error', ssr, build: { ssr: 'app.mjs', outDir: 'out/vite', target: 'node20' } });
`;

/** A program for a single executable: the thread's file is an asset, which is written to a file before the start. */
const executableProgram = `import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getAsset } from 'node:sea';
import { pathToFileURL } from 'node:url';
import { KafkaClient, Metadata } from 'offthread-kafka';

async function main() {
  const folder = mkdtempSync(join(tmpdir(), 'kafka-'));
  const file = join(folder, 'kafka-worker.mjs');
  writeFileSync(file, getAsset('kafka-worker.mjs', 'utf8'));
  const options = { apiVersionAutoTimeoutMs: 20000, workerUrl: pathToFileURL(file) };
  const kafka = await KafkaClient.start({ bootstrapServers: '${broker.bootstrapServers[0]}', ...options });
  await kafka.awaitReady(0);
  console.log('brokers', (await kafka.send(0, Metadata, { topics: [] })).brokers.length);
  await kafka.close();
  rmSync(folder, { recursive: true });
}
main().catch((error) => console.log(String(error)));
`;

const executableScript = `import { execFileSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
const here = "const importMetaUrl = require('node:url').pathToFileURL(process.execPath).href;";
buildSync({
  entryPoints: ['app.mjs'], bundle: true, platform: 'node', format: 'cjs', outfile: 'out/sea/app.cjs', logLevel: 'error',
  banner: { js: here }, define: { 'import.meta.url': 'importMetaUrl' },
});
const assets = { 'kafka-worker.mjs': fileURLToPath(import.meta.resolve('offthread-kafka/worker/single-file')) };
writeFileSync('out/sea/config.json', JSON.stringify({ main: 'out/sea/app.cjs', output: 'out/sea/app.blob', disableExperimentalSEAWarning: true, assets }));
execFileSync(process.execPath, ['--experimental-sea-config', 'out/sea/config.json'], { stdio: 'ignore' });
copyFileSync(process.execPath, 'out/sea/app');
const fuse = ['--sentinel-fuse', 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'];
execFileSync(process.execPath, ['node_modules/postject/dist/cli.js', 'out/sea/app', 'NODE_SEA_BLOB', 'out/sea/app.blob', ...fuse], { stdio: 'ignore' });
`;

interface Case {
  readonly what: string;
  readonly run: () => Promise<string>;
  readonly expects: RegExp;
  /** Only when it is asked for. */
  readonly isBig?: boolean;
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
  { what: 'vite, SSR', run: () => bundled('vite', '', viteScript(false)), expects: /^brokers 1$/m },
  {
    what: 'vite, SSR with everything in the bundle and workerUrl',
    run: () => bundled('vite', byUrl, viteScript(true)),
    expects: /^brokers 1$/m,
  },
  { what: 'sea, a single executable that is copied where nothing else is', run: executable, expects: /^brokers 1$/m },
  { what: 'bun build, with workerUrl', run: byBun, expects: /^brokers 1$/m, isBig: true },
  { what: 'next, a route of the server', run: underNext, expects: /^\{"brokers":1\}$/m, isBig: true },
];

const wanted = scriptCommand('npm run test:bundlers --', 'Runs a program that each bundler has made of the package.')
  .argument('[case...]', 'beginnings of the names of cases; default: all but the big ones')
  .parse().args;
let hasFailed = false;
try {
  await install();
  for (const { what, run, expects, isBig = false } of cases) {
    if (wanted.length > 0 ? !wanted.some((name) => what.startsWith(name)) : isBig) continue;
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
  const file = (await readdir(output)).find((name) => /^app\.m?js$/.test(name));
  if (file === undefined) throw new Error(`${tool} made no program in ${output}`);
  return command(process.execPath, [join(output, file)], { cwd: folder, timeoutMs: runTimeoutMs });
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

/** One file with Node in it, in a folder outside of the project. */
async function executable(): Promise<string> {
  const output = join(folder, 'out', 'sea');
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  await writeFile(join(folder, 'app.mjs'), executableProgram);
  await writeFile(join(folder, 'sea.mjs'), executableScript);
  await command(process.execPath, ['sea.mjs'], { cwd: folder, timeoutMs: buildTimeoutMs });
  const alone = await mkdtemp(join(tmpdir(), 'executable-'));
  try {
    const file = join(alone, process.platform === 'win32' ? 'app.exe' : 'app');
    await copyFile(join(output, 'app'), file);
    return await command(file, [], { cwd: alone, timeoutMs: runTimeoutMs });
  } finally {
    await rm(alone, { recursive: true, force: true });
    // It is as big as Node.
    await rm(output, { recursive: true, force: true });
  }
}

/** Bun builds, Node runs: Bun's own worker threads and sockets are not Node's. */
async function byBun(): Promise<string> {
  const tool = await installTools('bundlers-bun', { [bunPackage]: bunVersion });
  const bin = join(tool, 'node_modules', bunPackage, 'bin', process.platform === 'win32' ? 'bun.exe' : 'bun');
  await chmod(bin, 0o755);
  await writeFile(join(folder, 'app.mjs'), program(byUrl));
  const output = join(folder, 'out', 'bun', 'app.mjs');
  await command(bin, ['build', 'app.mjs', '--target=node', `--outfile=${output}`], {
    cwd: folder,
    timeoutMs: buildTimeoutMs,
  });
  return command(process.execPath, [output], { cwd: folder, timeoutMs: runTimeoutMs });
}

/** The answer of a route of a server that Next.js has built. */
async function underNext(): Promise<string> {
  const root = await installTools('bundlers-next', nextPackages);
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'))!;
  const installArgs = ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', join(folder, tarball)];
  await command('npm', installArgs, { cwd: root, timeoutMs: installTimeoutMs });
  const route = join(root, 'app', 'api', 'brokers');
  await mkdir(route, { recursive: true });
  await writeFile(join(root, 'next.config.mjs'), `export default { serverExternalPackages: ['offthread-kafka'] };\n`);
  await writeFile(
    join(root, 'app', 'layout.js'),
    'export default function Layout({ children }) { return <html><body>{children}</body></html>; }\n',
  );
  await writeFile(
    join(route, 'route.js'),
    `import { KafkaClient, Metadata } from 'offthread-kafka';
export const dynamic = 'force-dynamic';
export async function GET() {
  const kafka = await KafkaClient.start({ bootstrapServers: '${broker.bootstrapServers[0]}', apiVersionAutoTimeoutMs: 20000 });
  await kafka.awaitReady(0);
  const { brokers } = await kafka.send(0, Metadata, { topics: [] });
  await kafka.close();
  return Response.json({ brokers: brokers.length });
}
`,
  );
  const next = join(root, 'node_modules', 'next', 'dist', 'bin', 'next');
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
  await command(process.execPath, [next, 'build'], { cwd: root, timeoutMs: installTimeoutMs, env });
  const server = spawn(process.execPath, [next, 'start', '--hostname', '127.0.0.1', '--port', '0'], { cwd: root, env });
  try {
    let said = '';
    const url = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`next start did not listen: ${said}`)), runTimeoutMs);
      server.stdout.on('data', (chunk) => {
        said += String(chunk);
        const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? [];
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      });
    });
    return await (await fetch(`${url}/api/brokers`)).text();
  } finally {
    server.kill('SIGKILL');
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
