// Owns the choice of a codec by its number on the wire. Runs in the network thread and the codec pool. Must not know
// records: bytes in, bytes out.

import { UnsupportedCodecError } from '../common/errors.ts';
import type { ByteArena } from './byte-arena.ts';

/** Appends what `bytes[start, end)` decompresses to. */
export function decompress(
  codec: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  arena: ByteArena,
  magic = 2,
): void {
  throw new UnsupportedCodecError(`codec ${codec} ${bytes.length} ${start} ${end} ${arena.length} ${magic}`);
}

export function compress(
  codec: number,
  _level: number,
  _bytes: Uint8Array,
  _start: number,
  _end: number,
  _magic = 2,
): Uint8Array {
  throw new UnsupportedCodecError(`codec ${codec}`);
}
