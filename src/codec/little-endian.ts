// Owns the reading of little-endian numbers in compressed frames. Runs in the network thread and the codec pool. Checks nothing.

/** int32. */
export function four(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Without sign, of at most 8 bytes; exact up to 2^53. */
export function littleEndian(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}
