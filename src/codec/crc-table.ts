// Owns table-driven cyclic redundancy checks for reflected polynomials. Runs on any thread. Must not hold state between
// calls: nobody combines checksums of parts here.

/** Bytes handled per step; each has a table of its own. */
const slices = 8;

/** The tables of `slices` positions in one array, entry 256 * position + byte, made from a reflected polynomial. */
export function crcTables(reflectedPolynomial: number): Int32Array {
  const tables = new Int32Array(256 * slices);
  for (let byte = 0; byte < 256; byte++) {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++) {
      remainder = remainder & 1 ? (remainder >>> 1) ^ reflectedPolynomial : remainder >>> 1;
    }
    tables[byte] = remainder;
  }
  for (let entry = 256; entry < tables.length; entry++) {
    const previous = tables[entry - 256]!;
    tables[entry] = (previous >>> 8) ^ tables[previous & 255]!;
  }
  return tables;
}

/** Checksum of `bytes[start, end)` as uint32: initial value and final inversion all ones, as both of Kafka's use. */
export function crcByTables(tables: Int32Array, bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  let at = start;
  for (const wholeEnd = start + ((end - start) & ~(slices - 1)); at < wholeEnd; at += slices) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    crc =
      tables[1792 + (low & 255)]! ^
      tables[1536 + ((low >>> 8) & 255)]! ^
      tables[1280 + ((low >>> 16) & 255)]! ^
      tables[1024 + (low >>> 24)]! ^
      tables[768 + bytes[at + 4]!]! ^
      tables[512 + bytes[at + 5]!]! ^
      tables[256 + bytes[at + 6]!]! ^
      tables[bytes[at + 7]!]!;
  }
  for (; at < end; at++) crc = tables[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
