// Owns the building of the addon of native/crc32c.c, and the folders in which running code looks for it: beside its own file, in `native`.

import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { command } from './command.ts';
import { compiledFolder, projectFolder } from './project.ts';

/** The platforms that the published package has the addon for. */
export const addonPlatforms: readonly string[] = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'];
const ownPlatform = `${process.platform}-${process.arch}`;
/** The name of the file for this platform. */
export const addonFile = `${ownPlatform}.node`;

export const addonSource = join(projectFolder, 'native', 'crc32c.c');
/** Beside the checksum, and beside the file from which tests start the network thread (`test-run/thread-files.ts`). */
const compiledFolders = ['src/codec/native', 'src/worker/requests/native'].map((path) => join(compiledFolder, path));
const builtAddon = join(compiledFolders[0]!, addonFile);
/** Beside the files of the package that the network thread and its pool run. */
const packageFolder = join('worker', 'native');
/** The variable that names a folder with the addons of all platforms, for a package that is published. */
const prebuiltVariable = 'PREBUILT_NATIVE';

const compileTimeoutMs = 60_000;

/** The addon cannot be had here. Everything works without it. */
export class NoAddonError extends Error {
  override readonly name = 'NoAddonError';
}

export interface CompileOptions {
  /** Default: `native/crc32c.c`. */
  readonly source?: string;
  readonly flags?: readonly string[];
}

/** Compiles the addon of this platform into `file`. Throws: NoAddonError. */
export async function compileAddon(file: string, options: CompileOptions = {}): Promise<void> {
  if (!addonPlatforms.includes(ownPlatform)) throw new NoAddonError(`it is not made for ${ownPlatform}`);
  const { source = addonSource, flags = [] } = options;
  const headers = headersFolder();
  const compiler = process.env.CC ?? 'cc';
  const common = ['-std=c11', '-O3', '-Wall', '-Wextra', '-fPIC', '-fvisibility=hidden', '-fno-stack-protector'];
  await replaceFile(file, async (unfinished) => {
    const args = [...common, ...platformFlags(), ...flags, '-I', headers, '-o', unfinished, source];
    try {
      await command(compiler, args, { cwd: projectFolder, timeoutMs: compileTimeoutMs });
    } catch (error) {
      const { cause, message } = error as Error & { readonly cause?: { readonly code?: unknown } };
      const isMissing = cause?.code === 'ENOENT';
      throw new NoAddonError(isMissing ? `there is no C compiler named ${compiler}` : message, { cause: error });
    }
  });
}

function platformFlags(): readonly string[] {
  if (process.platform === 'darwin') {
    const architecture = process.arch === 'x64' ? 'x86_64' : 'arm64';
    return ['-arch', architecture, '-mmacosx-version-min=11.0', '-bundle', '-undefined', 'dynamic_lookup'];
  }
  // Without a C library in it the file is the same for glibc and musl. With `relro` the file for arm64 is 60 KiB of padding larger.
  return ['-shared', '-nostdlib', '-s', '-Wl,-z,norelro'];
}

function headersFolder(): string {
  try {
    const { include_dir: folder } = createRequire(import.meta.url)('node-api-headers') as { include_dir: string };
    return folder;
  } catch (error) {
    throw new NoAddonError('the package node-api-headers is not installed; `npm ci` does that', { cause: error });
  }
}

/** A process may be using the old file, and another build may be writing. */
async function replaceFile(file: string, write: (unfinished: string) => Promise<void> | void): Promise<void> {
  mkdirSync(dirname(file), { recursive: true });
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    await write(unfinished);
    renameSync(unfinished, file);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** Builds the addon for the compiled code beside this script, unless it is there and newer than its source. Throws: NoAddonError. */
export async function buildForCompiledCode(): Promise<void> {
  const files = compiledFolders.map((folder) => join(folder, addonFile));
  const newest = Math.max(...[addonSource, import.meta.filename].map((path) => statSync(path).mtimeMs));
  if (files.every((file) => existsSync(file) && statSync(file).mtimeMs > newest)) return;
  // What is left of an older source must not be used.
  for (const file of files) rmSync(file, { force: true });
  const [first, ...others] = files as [string, ...string[]];
  await compileAddon(first);
  for (const file of others) await replaceFile(file, (unfinished) => copyFileSync(first, unfinished));
}

/** Whether `npm run build:dev` could build it. */
export function hasAddon(): boolean {
  return existsSync(builtAddon);
}

/** Puts addons into the package: those of all platforms if `PREBUILT_NATIVE` names their folder, else that of this one, if it was built. */
export function addAddons(dist: string): void {
  const folder = join(dist, packageFolder);
  for (const file of addonsToShip()) {
    mkdirSync(folder, { recursive: true });
    copyFileSync(file, join(folder, basename(file)));
  }
}

function addonsToShip(): readonly string[] {
  const prebuilt = process.env[prebuiltVariable];
  if (prebuilt === undefined) return hasAddon() ? [builtAddon] : [];
  const files = addonPlatforms.map((platform) => join(prebuilt, `${platform}.node`));
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0) throw new Error(`${prebuiltVariable} is set, but these are not there: ${missing.join(', ')}`);
  return files;
}
