// Owns the Node binaries of other major versions: installs them from the npm package `node` into `.cache`. Used by the scripts that run
// on every supported Node.

import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { integerFrom, scriptCommand } from './arguments.ts';
import { command } from './command.ts';
import { projectFolder } from './project.ts';

export interface NodeBinary {
  readonly major: number;
  readonly path: string;
  /** `v22.18.0` */
  readonly version: string;
}

export interface MissingNode {
  readonly major: number;
  /** The reason why it is not available. */
  readonly problem: string;
}

/** The even major versions that the package supports. */
export const supportedMajors: readonly number[] = [20, 22, 24, 26];

const installTimeoutMs = 300_000;
const versionTimeoutMs = 30_000;

/** The running Node if it has that major version. Otherwise one from `.cache`, which is installed if needed. */
export async function findNode(major: number): Promise<NodeBinary | MissingNode> {
  if (process.version.startsWith(`v${major}.`)) return { major, path: process.execPath, version: process.version };
  const folder = join(projectFolder, '.cache', `node-${major}`);
  const path = join(folder, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  try {
    if (!existsSync(path)) await install(major, folder);
    const version = (await command(path, ['--version'], { cwd: folder, timeoutMs: versionTimeoutMs })).trim();
    if (!version.startsWith(`v${major}.`)) throw new Error(`${path} is ${version}`);
    return { major, path, version };
  } catch (error) {
    return { major, problem: error instanceof Error ? error.message.trim() : String(error) };
  }
}

/** The available ones of `majors`. `onMissing` is called for the others. */
export async function findNodes(
  majors: readonly number[],
  onMissing: (missing: MissingNode) => void,
): Promise<NodeBinary[]> {
  const found: NodeBinary[] = [];
  for (const major of majors) {
    const node = await findNode(major);
    if ('path' in node) found.push(node);
    else onMissing(node);
  }
  return found;
}

/** The major versions that the script's arguments name, or the supported ones when there are none. Ends the process for a wrong one. */
export function majorsOfArguments(
  name: string,
  description: string,
  args: readonly string[] = process.argv.slice(2),
): readonly number[] {
  const major = integerFrom(1);
  const added = (text: string, before: readonly number[] = []): readonly number[] => [...before, major(text)];
  const { processedArgs } = scriptCommand(name, description)
    .argument('[major...]', `major versions of Node, such as 22; default: ${supportedMajors.join(' ')}`, added)
    .parse(args, { from: 'user' });
  // Without any, it is a list of none.
  const given = processedArgs[0] as readonly number[];
  return given.length > 0 ? given : supportedMajors;
}

/** From Node 22.18 and 23.6 on, TypeScript runs without a flag. */
export function canStripTypes({ version }: NodeBinary): boolean {
  const [major, minor] = version.slice(1).split('.').map(Number) as [number, number];
  return major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
}

async function install(major: number, folder: string): Promise<void> {
  // A partial install is removed: later runs would take it for a complete one.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  await command('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', `node@${major}`], {
    cwd: folder,
    timeoutMs: installTimeoutMs,
  });
}
