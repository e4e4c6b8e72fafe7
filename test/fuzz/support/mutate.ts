// Owns the changes that turn valid bytes into hostile ones. The same random numbers make the same changes. Test thread.

import type { Random } from '../../unit/protocol/support/random.ts';

const lengths = [-2147483648, -2, -1, 0, 1, 2, 127, 128, 255, 16_383, 65_535, 1 << 20, 1 << 28, 2147483647];

type Change = (bytes: Buffer, random: Random) => Buffer;

const changes: readonly Change[] = [
  function flipBit(bytes, random) {
    const at = random.below(bytes.length);
    bytes[at] = bytes[at]! ^ (1 << random.below(8));
    return bytes;
  },
  function setByte(bytes, random) {
    bytes[random.below(bytes.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
    return bytes;
  },
  function setInt32(bytes, random) {
    if (bytes.length < 4) return bytes;
    bytes.writeInt32BE(random.pick(lengths), random.below(bytes.length - 3));
    return bytes;
  },
  function setInt16(bytes, random) {
    if (bytes.length < 2) return bytes;
    bytes.writeInt16BE(random.pick([-32_768, -2, -1, 0, 1, 32_767]), random.below(bytes.length - 1));
    return bytes;
  },
  /** A varint that is long, or that names a length far beyond what is there. */
  function setVarint(bytes, random) {
    const varint = random.pick([
      [0xff, 0xff, 0xff, 0xff, 0x0f],
      [0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
      [0x80, 0x80, 0x80, 0x00],
      [0xfe, 0xff, 0xff, 0xff, 0x07],
      [0x80, 0x80, 0x40],
    ]);
    Buffer.from(varint).copy(bytes, random.below(bytes.length));
    return bytes;
  },
  function cut(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function remove(bytes, random) {
    const at = random.below(bytes.length);
    const end = Math.min(bytes.length, at + 1 + random.below(16));
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(end)]);
  },
  function insert(bytes, random) {
    const at = random.below(bytes.length + 1);
    const fresh = Buffer.from(Array.from({ length: 1 + random.below(16) }, () => random.below(256)));
    return Buffer.concat([bytes.subarray(0, at), fresh, bytes.subarray(at)]);
  },
  function repeat(bytes, random) {
    const at = random.below(bytes.length);
    const slice = bytes.subarray(at, Math.min(bytes.length, at + 1 + random.below(64)));
    return Buffer.concat([bytes.subarray(0, at), slice, bytes.subarray(at)]);
  },
  function swap(bytes, random) {
    const [a, b] = [random.below(bytes.length), random.below(bytes.length)];
    [bytes[a], bytes[b]] = [bytes[b]!, bytes[a]!];
    return bytes;
  },
];

/** A copy of the bytes with one to four changes; now and then without any. */
export function mutated(valid: Uint8Array, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(valid);
  const count = random.below(5);
  for (let i = 0; i < count && bytes.length > 0; i++) bytes = random.pick(changes)(bytes, random);
  return bytes;
}
