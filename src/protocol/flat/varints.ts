// Owns varints: the signed ones of record batches and the unsigned ones of messages, their sizes, and writing and reading them. Any
// thread. Must not allocate, and checks nothing.

/** Bytes of a length, count or index (-1 or more) as a zigzag varint. */
export function sizeOfLength(length: number): number {
  return length < 64 ? 1 : length < 8192 ? 2 : length < 1048576 ? 3 : length < 134217728 ? 4 : 5;
}

/** Bytes of a 64-bit number as a zigzag varint. */
export function sizeOfDelta(low: number, high: number): number {
  const magnitudeLow = low ^ (high >> 31);
  const magnitudeHigh = high ^ (high >> 31);
  if (magnitudeHigh === 0 && magnitudeLow >= 0) return sizeOfLength(magnitudeLow);
  // One bit for the sign, seven to a byte.
  const bits = magnitudeHigh === 0 ? 32 : 64 - Math.clz32(magnitudeHigh);
  return Math.ceil((bits + 1) / 7);
}

/** Bytes of a uint32 as a varint without sign. */
export function sizeOfUnsigned(value: number): number {
  return value < 128 ? 1 : value < 16384 ? 2 : value < 2097152 ? 3 : value < 268435456 ? 4 : 5;
}

/** Writes a uint32 as a varint without sign at `out[to]`, and returns where it ends. */
export function putUnsigned(out: Uint8Array, to: number, value: number): number {
  let rest = value;
  let at = to;
  while (rest >>> 0 > 127) {
    out[at++] = rest | 128;
    rest >>>= 7;
  }
  out[at] = rest;
  return at + 1;
}

/** Writes an int32 as a zigzag varint at `out[to]`, and returns where it ends. */
export function putSigned(out: Uint8Array, to: number, value: number): number {
  return putUnsigned(out, to, (value << 1) ^ (value >> 31));
}

/** The same for a length, 0 or more: short ones without a loop. */
export function putLength(out: Uint8Array, to: number, length: number): number {
  if (length < 64) {
    out[to] = length << 1;
    return to + 1;
  }
  if (length >= 8192) return putSigned(out, to, length);
  out[to] = (length << 1) | 128;
  out[to + 1] = length >>> 6;
  return to + 2;
}

/** The same for 64 bits. */
export function putWide(out: Uint8Array, to: number, low: number, high: number): number {
  const sign = high >> 31;
  let restLow = (low << 1) ^ sign;
  let restHigh = ((high << 1) | (low >>> 31)) ^ sign;
  let at = to;
  while (restHigh !== 0 || restLow >>> 0 > 127) {
    out[at++] = restLow | 128;
    restLow = (restLow >>> 7) | (restHigh << 25);
    restHigh >>>= 7;
  }
  out[at] = restLow;
  return at + 1;
}

/** Where the varint that was read last ended. */
export let varintEnd = 0;

/** Reads a zigzag varint of 32 bits at `bytes[at]`; `varintEnd` is the end. Only for bytes that are known to be sound. */
export function readSigned(bytes: Uint8Array, at: number): number {
  // Most have one or two bytes, and need no loop.
  const first = bytes[at]!;
  if (first < 128) {
    varintEnd = at + 1;
    return (first >>> 1) ^ -(first & 1);
  }
  const second = bytes[at + 1]!;
  if (second < 128) {
    varintEnd = at + 2;
    return ((first & 127) >>> 1) ^ (second << 6) ^ -(first & 1);
  }
  return readLongSigned(bytes, at);
}

function readLongSigned(bytes: Uint8Array, at: number): number {
  let result = 0;
  let shift = 0;
  let position = at;
  let byte: number;
  do {
    byte = bytes[position++]!;
    result |= (byte & 127) << shift;
    shift += 7;
  } while (byte > 127);
  varintEnd = position;
  return (result >>> 1) ^ -(result & 1);
}

/** The same for 64 bits, as a number: exact up to 2^53, far more than any time in ms. */
export function readWide(bytes: Uint8Array, at: number): number {
  let result = 0;
  let factor = 1;
  let position = at;
  let byte: number;
  do {
    byte = bytes[position++]!;
    result += (byte & 127) * factor;
    factor *= 128;
  } while (byte > 127);
  varintEnd = position;
  return result % 2 === 0 ? result / 2 : -(result + 1) / 2;
}
