// Owns the choice of a codec by its number on the wire: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. Runs in the network
// thread and the codec pool. Must not know records: bytes in, bytes out.

import { UnsupportedCodecError } from '../common/errors/errors.ts';
import type { ByteArena } from './byte-arena.ts';
import { readGzip, writeGzip } from './gzip.ts';
import { readLz4, writeLz4 } from './lz4.ts';
import { readSnappy, writeSnappy } from './snappy.ts';
import { prepareZstd, readZstd, writeZstd } from './zstd.ts';

export const GZIP = 1;
export const SNAPPY = 2;
export const LZ4 = 3;
export const ZSTD = 4;

/** This level means the codec's default. No codec has it as a level of its own. */
const defaultLevel = -(2 ** 31);

/** Loads the codecs that load asynchronously. Every thread that decodes or encodes awaits it once. Never rejects. */
export async function prepareCodecs(): Promise<void> {
  await prepareZstd();
}

/**
 * Appends what `bytes[start, end)` decompresses to.
 * @param magic  the record format around it, which LZ4 frames depend on
 * Throws: CorruptRecordError, DecompressedTooLargeError beyond the arena's limit, UnsupportedCodecError
 */
export function decompress(
  codec: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  arena: ByteArena,
  magic = 2,
): void {
  if (codec === GZIP) readGzip(bytes, start, end, arena);
  else if (codec === SNAPPY) readSnappy(bytes, start, end, arena);
  else if (codec === LZ4) readLz4(bytes, start, end, arena, magic);
  else if (codec === ZSTD) readZstd(bytes, start, end, arena);
  else throw new UnsupportedCodecError(`codec ${codec} is not known`);
}

/**
 * `bytes[start, end)` compressed.
 * @param level  of the codec, if it has levels; -2147483648 for its default
 * Throws: UnsupportedCodecError
 */
export function compress(
  codec: number,
  level: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  magic = 2,
): Uint8Array {
  const chosen = level === defaultLevel ? undefined : level;
  if (codec === GZIP) return writeGzip(bytes, start, end, chosen);
  if (codec === SNAPPY) return writeSnappy(bytes, start, end);
  if (codec === LZ4) return writeLz4(bytes, start, end, magic);
  if (codec === ZSTD) return writeZstd(bytes, start, end, chosen);
  throw new UnsupportedCodecError(`codec ${codec} is not known`);
}
