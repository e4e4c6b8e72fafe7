// Owns optional native code for the blocks of Snappy and LZ4. Runs in the network thread and the codec pool. Must work
// the same without it: TypeScript does the work where a package has no binary for this platform.

import { requireFrom } from '../common/require-from.ts';

/** One block, either way. */
export interface NativeBlocks {
  /** Decompresses `bytes[start, end)` to `out[from]`, where `to` ends the room; where it ended, or -1 if it is broken. */
  read(bytes: Uint8Array, start: number, end: number, out: Uint8Array, from: number, to: number): number;
  /** Compresses `bytes[start, end)` to `out[to]`, which has room for the worst, and returns where it ends. */
  write(bytes: Uint8Array, start: number, end: number, out: Uint8Array, to: number): number;
}

/** What both packages look like: `snappy` for raw blocks, `lz4-napi` for blocks behind their size. */
interface BlockPackage {
  compressSync(bytes: Uint8Array): Uint8Array;
  uncompressSync(block: Uint8Array): Uint8Array;
}

/** Below this many bytes a call into native code costs more than it saves (bench/micro/codec.ts). */
export const nativeFromBytes = 512;

/** `lz4-napi` has the size of what a block holds before it, a little-endian int32. */
const sizeBytes = 4;
/** Blocks behind their size; kept, since most blocks are of one size. */
let sized = new Uint8Array(sizeBytes + 64 * 1024);

/** What a package has to pack and unpack before it is trusted. */
const probe = new Uint8Array(1000);

let snappyOnce: NativeBlocks | null | undefined;
let lz4Once: NativeBlocks | null | undefined;

/** Loaded at the first block: most threads never see one, and a package takes 5 to 10 ms. */
export function nativeSnappy(): NativeBlocks | null {
  if (snappyOnce === undefined) snappyOnce = snappyBlocks(load('snappy'));
  return snappyOnce;
}

/** Like `nativeSnappy`. */
export function nativeLz4(): NativeBlocks | null {
  if (lz4Once === undefined) lz4Once = lz4Blocks(load('lz4-napi'));
  return lz4Once;
}

/** What decompresses blocks in this process, for logs and benchmarks. */
export function blockImplementations(): { snappy: 'TypeScript' | 'snappy'; lz4: 'TypeScript' | 'lz4-napi' } {
  return {
    snappy: nativeSnappy() === null ? 'TypeScript' : 'snappy',
    lz4: nativeLz4() === null ? 'TypeScript' : 'lz4-napi',
  };
}

function snappyBlocks(snappy: BlockPackage | null): NativeBlocks | null {
  if (snappy === null) return null;
  return {
    read: (bytes, start, end, out, from, to) => place(snappy, bytes.subarray(start, end), out, from, to),
    write(bytes, start, end, out, to) {
      const packed = snappy.compressSync(bytes.subarray(start, end));
      out.set(packed, to);
      return to + packed.length;
    },
  };
}

function lz4Blocks(lz4: BlockPackage | null): NativeBlocks | null {
  if (lz4 === null) return null;
  return {
    read(bytes, start, end, out, from, to) {
      const length = sizeBytes + end - start;
      if (sized.length < length) sized = new Uint8Array(length);
      const maxBytes = to - from;
      sized[0] = maxBytes;
      sized[1] = maxBytes >>> 8;
      sized[2] = maxBytes >>> 16;
      sized[3] = maxBytes >>> 24;
      sized.set(bytes.subarray(start, end), sizeBytes);
      return place(lz4, sized.subarray(0, length), out, from, to);
    },
    write(bytes, start, end, out, to) {
      const packed = lz4.compressSync(bytes.subarray(start, end));
      out.set(packed.subarray(sizeBytes), to);
      return to + packed.length - sizeBytes;
    },
  };
}

function place(from: BlockPackage, block: Uint8Array, out: Uint8Array, at: number, to: number): number {
  let plain: Uint8Array;
  try {
    plain = from.uncompressSync(block);
  } catch {
    // The package only says that the block is broken or larger than its room. The caller finds out which.
    return -1;
  }
  if (plain.length > to - at) return -1;
  out.set(plain, at);
  return at + plain.length;
}

function load(name: 'snappy' | 'lz4-napi'): BlockPackage | null {
  try {
    const candidate = requireFrom(import.meta.url)(name) as BlockPackage;
    const packed = candidate.compressSync(probe);
    const plain = candidate.uncompressSync(packed);
    return packed.length < 100 && plain.length === probe.length && plain.every((byte) => byte === 0) ? candidate : null;
  } catch {
    // Any failure to load or to pass the probe means that the package is not usable here. Only time is lost.
    return null;
  }
}
