// Owns CRC-32C (Castagnoli), the checksum of record batches v2. Runs in the network thread and the codec pool. Must not
// be slower than it has to: every record byte passes here in both directions.

import { crcByTables, crcTables } from './crc-table.ts';
import { loadNativeCrc32c, type NativeCrc, type NativeCrc32c, ownFromBytes } from './native-crc32c.ts';

/** Made at the first use, which takes a millisecond. */
let tables: Int32Array | null = null;

/**
 * The processor's own instruction, by way of our addon or of an optional package; null where neither works. It is loaded at the first
 * long input, which takes up to 10 ms: a thread that starts does not wait for it.
 */
let native: NativeCrc32c | null | undefined;
let nativeCrc: NativeCrc | null = null;
/** The length from which on native code is called. */
let nativeFromBytes = ownFromBytes;

/** What computes checksums of long inputs in this process: native code, or `tables` where none works. */
export function crc32cImplementation(): NativeCrc32c['name'] | 'tables' {
  return loadOnce()?.name ?? 'tables';
}

/** CRC-32C of `bytes[start, end)` as uint32; of the nine ASCII digits `123456789` it is 0xe3069283. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  if (end - start < nativeFromBytes) return crc32cByTables(bytes, start, end);
  if (nativeCrc !== null) return nativeCrc(bytes, start, end) >>> 0;
  loadOnce();
  return nativeCrc === null ? crc32cByTables(bytes, start, end) : crc32c(bytes, start, end);
}

/** The same without native code, whatever is installed. */
export function crc32cByTables(bytes: Uint8Array, start = 0, end = bytes.length): number {
  tables ??= crcTables(0x82f63b78);
  return crcByTables(tables, bytes, start, end);
}

function loadOnce(): NativeCrc32c | null {
  if (native !== undefined) return native;
  native = loadNativeCrc32c();
  nativeCrc = native?.crc32c ?? null;
  nativeFromBytes = native?.fromBytes ?? Number.POSITIVE_INFINITY;
  return native;
}
