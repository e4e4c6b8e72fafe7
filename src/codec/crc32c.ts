// Owns CRC-32C (Castagnoli), the checksum of record batches v2. Runs in the network thread and the codec pool. Must not
// be slower than it has to: every record byte passes here in both directions.

import { requireFrom } from '../common/require-from.ts';
import { crcByTables, crcTables } from './crc-table.ts';

/** Below this length the call into native code and the slice it needs cost more than the tables (bench/micro/codec.ts). */
const nativeFromBytes = 224;

type NativeCrc = (bytes: Uint8Array) => number;

/** Made at the first use, which takes a millisecond. */
let tables: Int32Array | null = null;

/**
 * The processor's own instruction, by way of an optional package; null where it has no binary for this platform. It is loaded at the first
 * long input, which takes 5 to 10 ms: a thread that starts does not wait for it.
 */
let native: NativeCrc | null | undefined;

/** What computes checksums of long inputs in this process: `@node-rs/crc32`, or `tables` where that does not load. */
export function crc32cImplementation(): '@node-rs/crc32' | 'tables' {
  if (native === undefined) native = loadNative();
  return native === null ? 'tables' : '@node-rs/crc32';
}

/** CRC-32C of `bytes[start, end)` as uint32; of the nine ASCII digits `123456789` it is 0xe3069283. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  if (end - start < nativeFromBytes) return crc32cByTables(bytes, start, end);
  if (native === undefined) native = loadNative();
  return native === null ? crc32cByTables(bytes, start, end) : native(bytes.subarray(start, end)) >>> 0;
}

/** The same without native code, whatever is installed. */
export function crc32cByTables(bytes: Uint8Array, start = 0, end = bytes.length): number {
  tables ??= crcTables(0x82f63b78);
  return crcByTables(tables, bytes, start, end);
}

function loadNative(): NativeCrc | null {
  try {
    const module: unknown = requireFrom(import.meta.url)('@node-rs/crc32');
    const candidate = (module as { crc32c?: NativeCrc }).crc32c;
    if (typeof candidate !== 'function') return null;
    const check = new TextEncoder().encode('123456789');
    return candidate(check) >>> 0 === 0xe3069283 ? candidate : null;
  } catch {
    // Any failure to load means that this platform has no binary. The tables give the same answers.
    return null;
  }
}
