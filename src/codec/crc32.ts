// Owns CRC-32 (IEEE), the checksum of messages in the formats v0 and v1. Runs in the network thread and the codec pool.
// Must not be confused with CRC-32C, which record batches v2 use.

import { crcByTables, crcTables } from './crc-table.ts';

/** Made at the first use: few applications meet these formats. */
let tables: Int32Array | null = null;

/** Below this length the call into native code and the slice it needs cost more than the tables (bench/micro/codec.ts). */
const nativeFromBytes = 224;

/** CRC-32 of `bytes[start, end)` as uint32; of the nine ASCII digits `123456789` it is 0xcbf43926. */
export function crc32(bytes: Uint8Array, start = 0, end = bytes.length): number {
  if (end - start >= nativeFromBytes) return process.getBuiltinModule('node:zlib').crc32(bytes.subarray(start, end));
  tables ??= crcTables(0xedb88320);
  return crcByTables(tables, bytes, start, end);
}
