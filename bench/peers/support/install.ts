// Owns the installation of the peers: their packages once for each state of the lock file, and for each that cannot be installed or loaded the
// reason, which is kept so that it is not tried again. Main thread of the benchmark.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { command } from '../../../scripts/command.ts';
import { findNode } from '../../../scripts/node-binaries.ts';
import { projectFolder } from '../../../scripts/project.ts';
import { toolsAvailability } from '../../../test/kafka/fixture/index.ts';
import { aloneOf, type NodePeer, nodePeers, olderBuild, olderEntry, type PeerName, packageOf } from './registry.ts';

/** The oldest major version of Node with the names of threads that every peer without native code supports. */
export const nodeMajor = 24;
export const peersFolder = join(projectFolder, 'bench', 'peers');
const pythonFolder = join(projectFolder, '.cache', 'peers-python');
const pythonPackage = 'kafka-python==3.0.12';
const stampFile = join(peersFolder, 'node_modules', '.bench-install.json');
/** The last one of the day that some goals are relative to. */
const olderCommit = '35fc2f9';
const installTimeoutMs = 240_000;
/** For each package that is compiled; both have librdkafka in it. */
const compileTimeoutMs = 420_000;
const makeFolder = join(projectFolder, '.cache', 'peers-make');
const loadTimeoutMs = 30_000;
const compileJobs = 2;

/** Compiled here for the running Node, whose headers the system has. They bring the source of librdkafka. */
const compiled: readonly NodePeer[] = ['node-rdkafka', '@confluentinc/kafka-javascript'];

interface Stamp {
  readonly lock: string;
  /** Why a peer is not there. */
  readonly missing: Readonly<Partial<Record<PeerName, string>>>;
}

let stamp: Promise<Stamp> | null = null;

/** Installs what is not there. Resolves with the reasons for which others are not. */
export async function missingPeers(): Promise<ReadonlyMap<PeerName, string>> {
  stamp ??= installed();
  const missing = new Map(Object.entries((await stamp).missing) as [PeerName, string][]);
  for (const peer of nodePeers) {
    const reason = missing.get(aloneOf(peer));
    if (reason !== undefined) missing.set(peer, reason);
  }
  return missing;
}

/** The path of the Node that runs a peer. */
export function nodeOfPeer(peer: NodePeer, node: string): string {
  return compiled.includes(aloneOf(peer)) ? process.execPath : node;
}

export function pythonOf(): string {
  return join(pythonFolder, 'bin', 'python3');
}

async function installed(): Promise<Stamp> {
  const files = ['package.json', 'package-lock.json'].map((name) => readFileSync(join(peersFolder, name)));
  const lock = createHash('sha256').update(Buffer.concat(files)).update(process.version).digest('hex');
  if (existsSync(stampFile)) {
    const known = JSON.parse(readFileSync(stampFile, 'utf8')) as Stamp;
    if (known.lock === lock) return known;
  }
  const fresh: Stamp = { lock, missing: await install() };
  writeFileSync(stampFile, `${JSON.stringify(fresh, null, 2)}\n`);
  return fresh;
}

async function install(): Promise<Partial<Record<PeerName, string>>> {
  console.error('installing the other clients; some are compiled, which takes up to ten minutes, once');
  const missing: Partial<Record<PeerName, string>> = {};
  const found = await findNode(nodeMajor);
  if (!('path' in found)) throw new Error(`Node ${nodeMajor} is not available: ${found.problem}`);
  const node = found.path;
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund'];
  // Packages that want a newer Node than the running one would be left out.
  const env = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}` };
  await command('npm', ['ci', ...flags], { cwd: peersFolder, timeoutMs: installTimeoutMs, env });
  const attempt = async (peer: PeerName, work: () => Promise<unknown>): Promise<void> => {
    if (missing[peer] !== undefined) return;
    await work().catch((error: Error) => {
      missing[peer] = error.message.trim().slice(-1500);
    });
  };
  for (const peer of compiled) await attempt(peer, () => compile(peer));
  for (const peer of nodePeers) if (aloneOf(peer) === peer) await attempt(peer, () => loadOf(peer, node));
  await attempt(olderBuild, buildOlder);
  await attempt('kafka-python', installPython);
  const java = toolsAvailability();
  if (!java.available) missing["Kafka's Java client"] = java.reason;
  return missing;
}

async function compile(name: NodePeer): Promise<void> {
  // One of them calls make with any number of jobs at once.
  const make = `#!/bin/sh
for argument do
  shift
  if [ "$argument" = -j ]; then argument=-j${compileJobs}; fi
  set -- "$@" "$argument"
done
PATH=\${PATH#*:} exec make "$@"
`;
  mkdirSync(makeFolder, { recursive: true });
  writeFileSync(join(makeFolder, 'make'), make, { mode: 0o755 });
  const nodeFolder = dirname(dirname(process.execPath));
  const env = {
    ...process.env,
    PATH: `${makeFolder}:${process.env.PATH}`,
    CKJS_LINKING: 'dynamic',
    npm_config_nodedir: nodeFolder,
  };
  const args = ['rebuild', name, '--foreground-scripts', '--ignore-scripts=false'];
  await command('npm', args, { cwd: peersFolder, timeoutMs: compileTimeoutMs, env });
}

/** Some packages are only found to be incomplete when they are loaded. */
async function loadOf(peer: NodePeer, node: string): Promise<void> {
  const name = packageOf(peer);
  if (name === null) return;
  const args = ['--input-type=module', '--eval', `await import(${JSON.stringify(name)}); process.exit(0);`];
  await command(nodeOfPeer(peer, node), args, { cwd: peersFolder, timeoutMs: loadTimeoutMs });
}

/** Of a commit of this repository, with the packages of today. */
async function buildOlder(): Promise<void> {
  const folder = join(projectFolder, '.cache', 'older-build');
  if (existsSync(olderEntry(peersFolder))) return;
  const options = { cwd: projectFolder, timeoutMs: installTimeoutMs };
  mkdirSync(folder, { recursive: true });
  const archive = join(folder, 'source.tar');
  await command('git', ['archive', '--output', archive, olderCommit], options);
  await command('tar', ['-xf', archive, '-C', folder], options);
  if (!existsSync(join(folder, 'node_modules'))) {
    symlinkSync(join(projectFolder, 'node_modules'), join(folder, 'node_modules'));
  }
  const compiler = join(projectFolder, 'node_modules', 'typescript', 'bin', 'tsc');
  await command(process.execPath, [compiler, '-p', join(folder, 'tsconfig.dev.json')], options);
}

async function installPython(): Promise<void> {
  const options = { cwd: projectFolder, timeoutMs: installTimeoutMs };
  if (!existsSync(pythonOf())) await command('python3', ['-m', 'venv', pythonFolder], options);
  await command(pythonOf(), ['-m', 'pip', 'install', '--quiet', pythonPackage], options);
}
