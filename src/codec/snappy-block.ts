// Owns Snappy's raw block format, both ways. Runs in the network thread and the codec pool. Must not write beyond the
// length that a block claims, nor allocate a claim that no block of its size can keep.
// Source: google/snappy, format_description.txt

import { CorruptRecordError } from '../common/errors/errors.ts';
import { copyLiteral, copyMatch, viewOf } from './block-copy.ts';
import { four } from './little-endian.ts';

/** The densest element is a copy of 64 bytes in 3. */
const maxGrowth = 22;
/** Up to this many bytes a loop beats a call into native code. */
const shortLiteral = 48;

/** Offsets are 16 bits in what we write, so blocks stay below 64 KiB; this is also the size that Java producers use. */
export const snappyBlockBytes = 32 * 1024;
const tableBits = 13;
/** A match is looked for until this near to the end, so that four bytes can be read anywhere before. */
const margin = 15;

export interface SnappyLength {
  /** Bytes that the block claims to hold. */
  length: number;
  /** Where its elements start. */
  elements: number;
}

/** The claim that the block `bytes[start, end)` starts with. Throws: CorruptRecordError, also if it cannot be kept. */
export function readSnappyLength(bytes: Uint8Array, start: number, end: number): SnappyLength {
  let length = 0;
  let at = start;
  for (let shift = 0; ; shift += 7) {
    const byte = at < end ? bytes[at++]! : 255;
    if (shift === 28 && byte > 15) throw new CorruptRecordError('snappy block without a length');
    length += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  if (length > (end - at) * maxGrowth) {
    throw new CorruptRecordError(`snappy block of ${end - start} bytes claims to hold ${length}`);
  }
  return { length, elements: at };
}

/** Fills `out[from, to)` exactly from the elements in `bytes[start, end)`, or returns false. */
export function readSnappyElements(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  from: number,
  to: number,
): boolean {
  const source = viewOf(bytes);
  const target = viewOf(out);
  let at = start;
  let put = from;
  while (at < end) {
    const tag = bytes[at++]!;
    let length = (tag >>> 2) + 1;
    if ((tag & 3) === 0) {
      if (length > 60) {
        const extra = length - 60;
        if (extra > end - at) return false;
        length = 1;
        for (let i = 0; i < extra; i++) length += bytes[at++]! * 2 ** (8 * i);
      }
      if (length > end - at || length > to - put) return false;
      copyLiteral(bytes, source, at, end, out, target, put, to, length);
      at += length;
      put += length;
      continue;
    }
    let distance: number;
    if ((tag & 3) === 1) {
      if (at >= end) return false;
      length = ((tag >>> 2) & 7) + 4;
      distance = ((tag >>> 5) << 8) | bytes[at++]!;
    } else if ((tag & 3) === 2) {
      if (end - at < 2) return false;
      distance = bytes[at]! | (bytes[at + 1]! << 8);
      at += 2;
    } else {
      if (end - at < 4) return false;
      distance = four(bytes, at) >>> 0;
      at += 4;
    }
    if (distance === 0 || distance > put - from || length > to - put) return false;
    copyMatch(out, target, put, to, distance, length);
    put += length;
  }
  return put === to;
}

const table = new Uint16Array(1 << tableBits);

/** The most that `length` bytes can take as a block. */
export function snappyBound(length: number): number {
  return 32 + length + Math.ceil(length / 6);
}

/** Writes `bytes[start, end)`, at most `snappyBlockBytes`, as a block at `out[to]` and returns where it ends. */
export function writeSnappyBlock(bytes: Uint8Array, start: number, end: number, out: Uint8Array, to: number): number {
  let put = to;
  let rest = end - start;
  for (; rest > 127; rest >>>= 7) out[put++] = rest | 128;
  out[put++] = rest;
  table.fill(0);
  const limit = end - margin;
  let at = start + 1;
  let literal = start;
  // Steps grow while nothing matches, so incompressible bytes cost little.
  let misses = 32;
  while (at < limit) {
    const word = four(bytes, at);
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - tableBits);
    const candidate = start + table[slot]!;
    table[slot] = at - start;
    if (candidate >= at || four(bytes, candidate) !== word) {
      at += misses++ >>> 5;
      continue;
    }
    misses = 32;
    put = writeLiteral(bytes, literal, at, out, put);
    let length = 4;
    while (at + length < end && bytes[candidate + length] === bytes[at + length]) length++;
    put = writeCopy(at - candidate, length, out, put);
    at += length;
    literal = at;
    if (at < limit) table[Math.imul(four(bytes, at - 1), 0x1e35a7bd) >>> (32 - tableBits)] = at - 1 - start;
  }
  return writeLiteral(bytes, literal, end, out, put);
}

function writeLiteral(bytes: Uint8Array, start: number, end: number, out: Uint8Array, to: number): number {
  const length = end - start;
  if (length === 0) return to;
  let put = to;
  if (length <= 60) {
    out[put++] = (length - 1) << 2;
  } else if (length <= 256) {
    out[put++] = 60 << 2;
    out[put++] = length - 1;
  } else {
    out[put++] = 61 << 2;
    out[put++] = length - 1;
    out[put++] = (length - 1) >>> 8;
  }
  if (length > shortLiteral) out.set(bytes.subarray(start, end), put);
  else for (let i = 0; i < length; i++) out[put + i] = bytes[start + i]!;
  return put + length;
}

function writeCopy(distance: number, length: number, out: Uint8Array, to: number): number {
  let put = to;
  let rest = length;
  // No piece may be below 4 bytes, which the short form needs.
  while (rest >= 68) {
    out[put++] = (63 << 2) | 2;
    out[put++] = distance;
    out[put++] = distance >>> 8;
    rest -= 64;
  }
  if (rest > 64) {
    out[put++] = (59 << 2) | 2;
    out[put++] = distance;
    out[put++] = distance >>> 8;
    rest -= 60;
  }
  if (rest < 12 && distance < 2048) {
    out[put++] = ((distance >>> 8) << 5) | ((rest - 4) << 2) | 1;
    out[put++] = distance;
  } else {
    out[put++] = ((rest - 1) << 2) | 2;
    out[put++] = distance;
    out[put++] = distance >>> 8;
  }
  return put;
}
