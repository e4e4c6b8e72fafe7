// Owns zstd: by Node's zlib from 22.15 on, before that by a WebAssembly package. Runs in the network thread and the
// codec pool. Must not decompress beyond the bound, nor allocate what a frame merely claims.

import { CorruptRecordError, UnsupportedCodecError } from '../common/errors/errors.ts';
import { requireFrom } from '../common/require-from.ts';
import type { ByteArena } from './byte-arena.ts';
import { readZstdFrame, type ZstdFrame } from './zstd-frame.ts';

interface ZstdImplementation {
  readonly name: string;
  /** The content of one whole frame, which has `maxBytes` or less. Throws whatever it likes. */
  read(frame: Uint8Array, maxBytes: number): Uint8Array;
  write(bytes: Uint8Array, level: number): Uint8Array;
}

/** The reference implementation's own, and its range. */
const defaultLevel = 3;
const minLevel = -131072;
const maxLevel = 22;

/** The package's memory never shrinks, and does not grow beyond 2 GiB with source and result in it. */
const maxPackageBytes = 2 ** 29;

let implementation: ZstdImplementation | null = null;
/** Node tells the version of zstd where it has it. Its module is loaded at the first use. */
const isInNode = process.versions.zstd !== undefined;

/** What does the work in this process: `node:zlib`, a package, or null (neither exists, or none is loaded yet). */
export function zstdImplementation(): string | null {
  if (isInNode) implementation ??= nodeZstd();
  return implementation?.name ?? null;
}

/** Loads the package if Node itself lacks zstd. Never fails: without the package, zstd is an unsupported codec. */
export async function prepareZstd(): Promise<void> {
  if (!isInNode) implementation ??= await packageZstd();
}

/** Appends what the frames in `bytes[start, end)` decompress to. Throws: CorruptRecordError, UnsupportedCodecError. */
export function readZstd(bytes: Uint8Array, start: number, end: number, arena: ByteArena): void {
  const zstd = available();
  for (let at = start; at < end; ) {
    const frame = readZstdFrame(bytes, at, end);
    if (frame.maxBytes >= 0) readContent(zstd, bytes.subarray(at, frame.end), frame, arena);
    at = frame.end;
  }
}

function readContent(zstd: ZstdImplementation, bytes: Uint8Array, frame: ZstdFrame, arena: ByteArena): void {
  if (frame.hasContentSize) arena.reserve(frame.maxBytes);
  const room = arena.limit - arena.length;
  const maxBytes = Math.min(frame.maxBytes, room);
  let plain: Uint8Array;
  try {
    plain = zstd.read(bytes, maxBytes);
  } catch (error) {
    if (maxBytes < frame.maxBytes && isTooLarge(error)) arena.reserve(room + 1);
    throw new CorruptRecordError(`zstd frame: ${(error as Error).message}`, { cause: error });
  }
  if (frame.hasContentSize && plain.length !== frame.maxBytes) {
    throw new CorruptRecordError(`zstd frame claims ${frame.maxBytes} bytes and has ${plain.length}`);
  }
  arena.append(plain);
}

/** Node's code, or the number that the reference implementation has for a result too large for its room. */
function isTooLarge(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ERR_BUFFER_TOO_LARGE' || /-70\b/.test(message);
}

/** @param level  -131072 to 22, or undefined for 3; a level outside becomes the nearest one inside. Throws: UnsupportedCodecError */
export function writeZstd(bytes: Uint8Array, start: number, end: number, level: number | undefined): Uint8Array {
  const wanted = level === undefined ? defaultLevel : Math.min(Math.max(level, minLevel), maxLevel);
  return available().write(bytes.subarray(start, end), wanted);
}

function available(): ZstdImplementation {
  if (isInNode) implementation ??= nodeZstd();
  if (implementation !== null) return implementation;
  throw new UnsupportedCodecError('zstd needs Node 22.15 or newer, or the optional package @bokuweb/zstd-wasm');
}

/** The part of node:zlib that the oldest supported Node lacks. */
interface ZlibWithZstd {
  readonly zstdCompressSync?: (bytes: Uint8Array, options: { params: Record<number, number> }) => Uint8Array;
  readonly zstdDecompressSync?: (
    bytes: Uint8Array,
    options: { maxOutputLength: number; chunkSize: number },
  ) => Uint8Array;
  readonly constants: { readonly ZSTD_c_compressionLevel?: number };
}

function nodeZstd(): ZstdImplementation | null {
  const { zstdCompressSync, zstdDecompressSync, constants } = process.getBuiltinModule(
    'node:zlib',
  ) as unknown as ZlibWithZstd;
  const { ZSTD_c_compressionLevel } = constants;
  if (!zstdCompressSync || !zstdDecompressSync || ZSTD_c_compressionLevel === undefined) return null;
  return {
    name: 'node:zlib',
    read(frame, maxBytes) {
      const chunkSize = Math.min(Math.max(maxBytes, 1024), 1024 * 1024);
      return zstdDecompressSync(frame, { maxOutputLength: Math.max(maxBytes, 1), chunkSize });
    },
    write: (bytes, level) => zstdCompressSync(bytes, { params: { [ZSTD_c_compressionLevel]: level } }),
  };
}

/** `@bokuweb/zstd-wasm`: the reference implementation compiled. */
interface ZstdPackage {
  init(): Promise<void>;
  compress(bytes: Uint8Array, level: number): Uint8Array;
  decompress(bytes: Uint8Array, options: { defaultHeapSize: number }): Uint8Array;
}

async function packageZstd(): Promise<ZstdImplementation | null> {
  try {
    const loaded = requireFrom(import.meta.url)('@bokuweb/zstd-wasm') as ZstdPackage;
    await loaded.init();
    return {
      name: '@bokuweb/zstd-wasm',
      read(frame, maxBytes) {
        if (maxBytes > maxPackageBytes) throw new Error(`${maxBytes} bytes, limit ${maxPackageBytes}`);
        return loaded.decompress(frame, { defaultHeapSize: maxBytes });
      },
      write: (bytes, level) => loaded.compress(bytes, level),
    };
  } catch {
    // The package is not installed, or there is no WebAssembly. Whoever needs zstd gets an error that says so.
    return null;
  }
}
