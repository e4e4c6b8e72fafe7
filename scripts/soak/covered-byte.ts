// Finds a byte that a checksum covers, so that a change of it must be noticed: TCP would notice any other change, and Kafka's format does
// not. Runs in the network of a soak.

import { crc32c } from '../../src/codec/crc32c.ts';
import { integer, type Random } from '../../test/fault/support/random.ts';

/** Where the fields of a batch of format 2 stand. */
const lengthAt = 8;
const magicAt = 16;
const crcAt = 17;
const coveredFrom = 21;
const headerBytes = 61;
/** Bytes in front of what the length counts. */
const uncountedBytes = 12;

/** The position of such a byte of a whole batch among `bytes`; -1 if there is none. */
export function coveredByte(bytes: Buffer, random: Random): number {
  for (let start = 0; start + headerBytes <= bytes.length; start++) {
    if (bytes[start + magicAt] !== 2) continue;
    const end = start + uncountedBytes + bytes.readInt32BE(start + lengthAt);
    if (end < start + headerBytes || end > bytes.length) continue;
    if (crc32c(bytes, start + coveredFrom, end) !== bytes.readUInt32BE(start + crcAt)) continue;
    return integer(random, start + coveredFrom, end - 1);
  }
  return -1;
}
