// Owns CRC-32C in native code: our own addon, and an optional package that is slower. Runs in the network thread and the codec pool. Must
// not trust either before it has given known answers, and must load the addon from no other folder than that of the running file.

import { requireFrom } from '../common/require-from.ts';

/** CRC-32C of `bytes[start, end)`; `>>> 0` makes the uint32 of it. */
export type NativeCrc = (bytes: Uint8Array, start: number, end: number) => number;

export interface NativeCrc32c {
  readonly name: 'own addon' | '@node-rs/crc32';
  readonly crc32c: NativeCrc;
  /** Below this length the tables take less time than the call (bench/micro/codec.ts). */
  readonly fromBytes: number;
}

/** The smallest `fromBytes`. */
export const ownFromBytes = 96;
const packageFromBytes = 224;

/** The first that works here; null if none does. */
export function loadNativeCrc32c(): NativeCrc32c | null {
  return ownCrc32c() ?? packageCrc32c();
}

/**
 * The addon of native/crc32c.c, built by scripts/build-native.ts, from `native` beside the running file; null if there is none for this
 * platform, or if the processor lacks the instructions.
 *
 * That is the only place: whoever can put a file there can replace the running one, too. It is not so with a folder above. A single file
 * of the network thread may have been copied into a new folder of `/tmp`, and `/tmp/native` may be anyone's.
 */
export function ownCrc32c(url: string = import.meta.url): NativeCrc32c | null {
  return checked('own addon', ownFromBytes, () => {
    const { crc32c } = requireFrom(url)(`./native/${process.platform}-${process.arch}.node`) as { crc32c?: NativeCrc };
    return crc32c;
  });
}

/** The optional package; null if it is not installed or has no binary for this platform. */
export function packageCrc32c(): NativeCrc32c | null {
  return checked('@node-rs/crc32', packageFromBytes, () => {
    const { crc32c } = requireFrom(import.meta.url)('@node-rs/crc32') as { crc32c?: (bytes: Uint8Array) => number };
    return crc32c && ((bytes, start, end) => crc32c(bytes.subarray(start, end)));
  });
}

function checked(
  name: NativeCrc32c['name'],
  fromBytes: number,
  load: () => NativeCrc | undefined,
): NativeCrc32c | null {
  try {
    const crc32c = load();
    return typeof crc32c === 'function' && isRight(crc32c) ? { name, crc32c, fromBytes } : null;
  } catch {
    // Any failure to load means that this platform has no binary. The tables give the same answers.
    return null;
  }
}

const digits = [0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39];
/** Goes through every path of the addon: three chains of each of its three lengths, then 8, 4, 2 and 1 bytes. */
const longBytes = 3 * (2048 + 256 + 64) + 8 + 4 + 2 + 1;
const longFrom = 5;

function isRight(crc32c: NativeCrc): boolean {
  if (crc32c(Uint8Array.from(digits), 0, digits.length) >>> 0 !== 0xe3069283) return false;
  return crc32c(knownBytes(), longFrom, longFrom + longBytes) >>> 0 === 0xe3653b37;
}

function knownBytes(): Uint8Array {
  const bytes = new Uint8Array(longFrom + longBytes + 1);
  for (let i = 0; i < bytes.length; i++) bytes[i] = i * 7 + (i >>> 8);
  return bytes;
}
