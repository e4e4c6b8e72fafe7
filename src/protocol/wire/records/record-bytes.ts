// Owns the big-endian integers of record formats at known positions. Runs in the network thread and the codec pool.
// Must not check bounds: callers have done that for whole headers at once.

import Long from 'long';

export function readInt16(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) >> 16) | bytes[at + 1]!;
}

export function readInt32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

export function writeInt16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function writeInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function writeInt64(bytes: Uint8Array, at: number, low: number, high: number): void {
  writeInt32(bytes, at, high);
  writeInt32(bytes, at + 4, low);
}

/** An int64 as decimal digits, for messages. */
export function int64Text(low: number, high: number): string {
  return Long.fromBits(low, high, false).toString();
}

/** Little-endian, at any alignment. */
export function readLittleInt32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
