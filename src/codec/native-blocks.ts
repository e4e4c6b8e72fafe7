// Owns optional native code for the blocks of Snappy and LZ4. Runs in the network thread and the codec pool. Must work
// the same without it: where a package has no binary for this platform, TypeScript does the work.

import { createRequire } from 'node:module';

/** `snappy`: raw blocks, as Kafka's. */
interface SnappyPackage {
  compressSync(block: Uint8Array): Uint8Array;
  uncompressSync(block: Uint8Array): Uint8Array;
}

/** `lz4-napi`: blocks with a little-endian int32 before them, the size of what they hold. */
interface Lz4Package {
  compressSync(block: Uint8Array): Uint8Array;
  uncompressSync(block: Uint8Array): Uint8Array;
}

/** Below this many bytes, compressed or not, a call into native code costs more than it saves (bench/micro/codec.ts). */
export const nativeFromBytes = 512;

/** A block of zeros, packed; what every package has to make of it before it is trusted. */
const probe = new Uint8Array(1000);

export const nativeSnappy: SnappyPackage | null = load<SnappyPackage>('snappy');
export const nativeLz4: Lz4Package | null = load<Lz4Package>('lz4-napi');

/** What decompresses blocks in this process, for logs and benchmarks. */
export const blockImplementations = {
  snappy: nativeSnappy === null ? 'TypeScript' : 'snappy',
  lz4: nativeLz4 === null ? 'TypeScript' : 'lz4-napi',
} as const;

function load<T extends SnappyPackage | Lz4Package>(name: string): T | null {
  try {
    const candidate = createRequire(import.meta.url)(name) as T;
    const packed = candidate.compressSync(probe);
    const plain = candidate.uncompressSync(packed);
    return packed.length < 100 && plain.length === probe.length && plain.every((byte) => byte === 0) ? candidate : null;
  } catch {
    // Any failure to load or to pass the probe means the same: it is not usable here, and nothing is lost but time.
    return null;
  }
}
