// Owns gzip, by Node's own zlib, which is loaded at the first use. Runs in the network thread and the codec pool. Must not inflate beyond the
// bound.

import { CorruptRecordError } from '../common/errors/errors.ts';
import type { ByteArena } from './byte-arena.ts';

/** Output comes in pieces of this size: small enough for small batches, large enough for big ones to need few. */
const minChunk = 16 * 1024;
const maxChunk = 1024 * 1024;
/** A guess at how much batches shrink. */
const likelyGrowth = 6;

/** Appends what the members in `bytes[start, end)` decompress to. Throws: CorruptRecordError. */
export function readGzip(bytes: Uint8Array, start: number, end: number, arena: ByteArena): void {
  const room = arena.limit - arena.length;
  const chunkSize = Math.min(Math.max((end - start) * likelyGrowth, minChunk), maxChunk);
  const { gunzipSync } = process.getBuiltinModule('node:zlib');
  let plain: Uint8Array;
  try {
    plain = gunzipSync(bytes.subarray(start, end), { chunkSize, maxOutputLength: Math.max(room, 1) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') arena.reserve(room + 1);
    throw new CorruptRecordError(`gzip stream: ${(error as Error).message}`, { cause: error });
  }
  arena.append(plain);
}

/** @param level  1 to 9, or undefined for zlib's default; a level outside becomes the nearest one inside */
export function writeGzip(bytes: Uint8Array, start: number, end: number, level: number | undefined): Uint8Array {
  const { constants, gzipSync } = process.getBuiltinModule('node:zlib');
  const wanted = level === undefined ? constants.Z_DEFAULT_COMPRESSION : Math.min(Math.max(level, 1), 9);
  return gzipSync(bytes.subarray(start, end), { level: wanted });
}
