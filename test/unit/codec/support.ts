// Owns what codec tests share: seeded random numbers and data of the kinds that codecs meet. Test code only.

import { ByteArena } from '../../../src/codec/byte-arena.ts';
import { compress, decompress } from '../../../src/codec/index.ts';

/** Numbers from 0 to 1, the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4294967296;
  };
}

export function randomBytes(next: () => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => next() * 256);
}

/** Bytes that repeat themselves at changing distances, as records do. */
export function repetitive(next: () => number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const run = Math.min(1 + Math.floor(next() * 80), length - at);
    const distance = Math.min(1 + Math.floor(next() ** 3 * 70_000), at);
    for (let i = 0; i < run; i++, at++) {
      bytes[at] = distance === 0 || run < 8 ? 32 + next() * 64 : bytes[at - distance]!;
    }
  }
  return bytes;
}

/** Data of many shapes and sizes, those around the block sizes included. */
export function samples(seed: number): Uint8Array[] {
  const next = random(seed);
  const lengths = [1, 2, 3, 4, 5, 11, 12, 13, 16, 17, 59, 60, 61, 64, 65, 255, 256, 257, 511, 512, 4096];
  const large = [32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 200_000];
  return [
    new Uint8Array(0),
    ...lengths.flatMap((length) => [randomBytes(next, length), repetitive(next, length), new Uint8Array(length)]),
    ...large.flatMap((length) => [repetitive(next, length), new Uint8Array(length).fill(7)]),
    randomBytes(next, 70_000),
  ];
}

export function pack(codec: number, bytes: Uint8Array, magic = 2): Uint8Array {
  const around = Buffer.concat([Buffer.from([1, 2, 3]), bytes, Buffer.from([4])]);
  return compress(codec, -(2 ** 31), around, 3, 3 + bytes.length, magic);
}

/** Decompresses within other bytes, behind what is in the arena already. */
export function unpack(codec: number, packed: Uint8Array, limit = 1 << 22, magic = 2): Buffer {
  const arena = new ByteArena();
  arena.reset(limit + 3);
  arena.append(Uint8Array.of(9, 8, 7));
  const around = Buffer.concat([Buffer.from([0xff, 0xfe]), packed, Buffer.from([0xfd, 0xfc])]);
  decompress(codec, around, 2, 2 + packed.length, arena, magic);
  if (arena.bytes[0] !== 9 || arena.bytes[2] !== 7) throw new Error('what was in the arena before has changed');
  return Buffer.from(arena.bytes.subarray(3, arena.length));
}
