// Owns LZ4's block format, both ways. Runs in the network thread and the codec pool. Must not write beyond the room it
// is given, whatever the block says.
// Source: lz4/lz4, doc/lz4_Block_format.md

import { copyLiteral, copyMatch, viewOf } from './block-copy.ts';
import { four } from './little-endian.ts';

/** Up to this many bytes a loop beats a call into native code. */
const shortLiteral = 48;
const minMatch = 4;
/** The format's own rules for the end of a block: its last bytes are literals, and no match starts shortly before. */
const lastLiterals = 5;
const matchMargin = 12;
const tableBits = 13;
const farthest = 65535;

/** Decompresses `bytes[start, end)` into `out[from, to)` and returns where it ended there, or -1 if the block is broken. */
export function readLz4Block(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  from: number,
  to: number,
): number {
  const source = viewOf(bytes);
  const target = viewOf(out);
  let at = start;
  let put = from;
  while (at < end) {
    const token = bytes[at++]!;
    let length = token >>> 4;
    if (length === 15) {
      let byte = 255;
      while (byte === 255) {
        if (at >= end) return -1;
        byte = bytes[at++]!;
        length += byte;
      }
    }
    if (length > end - at || length > to - put) return -1;
    copyLiteral(bytes, source, at, end, out, target, put, to, length);
    at += length;
    put += length;
    if (at === end) return put;
    if (end - at < 2) return -1;
    const distance = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
    if (distance === 0 || distance > put - from) return -1;
    length = (token & 15) + minMatch;
    if (length === 15 + minMatch) {
      let byte = 255;
      while (byte === 255) {
        if (at >= end) return -1;
        byte = bytes[at++]!;
        length += byte;
      }
    }
    if (length > to - put) return -1;
    copyMatch(out, target, put, to, distance, length);
    put += length;
  }
  return -1;
}

const table = new Uint16Array(1 << tableBits);

/** The most that `length` bytes can take as a block. */
export function lz4Bound(length: number): number {
  return length + Math.ceil(length / 255) + 16;
}

/** Writes `bytes[start, end)`, at most 64 KiB, as a block at `out[to]` and returns where it ends. */
export function writeLz4Block(bytes: Uint8Array, start: number, end: number, out: Uint8Array, to: number): number {
  table.fill(0);
  const limit = end - matchMargin;
  let put = to;
  let at = start + 1;
  let literal = start;
  // Steps grow while nothing matches, so incompressible bytes cost little.
  let misses = 64;
  while (at < limit) {
    const word = four(bytes, at);
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - tableBits);
    const candidate = start + table[slot]!;
    table[slot] = at - start;
    if (candidate >= at || at - candidate > farthest || four(bytes, candidate) !== word) {
      at += misses++ >>> 6;
      continue;
    }
    misses = 64;
    let length = minMatch;
    while (at + length < end - lastLiterals && bytes[candidate + length] === bytes[at + length]) length++;
    put = writeSequence(bytes, literal, at, length, at - candidate, out, put);
    at += length;
    literal = at;
    if (at < limit) table[Math.imul(four(bytes, at - 2), 0x9e3779b1) >>> (32 - tableBits)] = at - 2 - start;
  }
  return writeSequence(bytes, literal, end, 0, 0, out, put);
}

/** Literals and a match of `length` bytes; the last sequence has none. */
function writeSequence(
  bytes: Uint8Array,
  start: number,
  end: number,
  length: number,
  distance: number,
  out: Uint8Array,
  to: number,
): number {
  const literals = end - start;
  const more = length === 0 ? 0 : length - minMatch;
  let put = to;
  out[put++] = (Math.min(literals, 15) << 4) | Math.min(more, 15);
  if (literals >= 15) put = writeLength(literals - 15, out, put);
  if (literals > shortLiteral) out.set(bytes.subarray(start, end), put);
  else for (let i = 0; i < literals; i++) out[put + i] = bytes[start + i]!;
  put += literals;
  if (length === 0) return put;
  out[put++] = distance;
  out[put++] = distance >>> 8;
  return more >= 15 ? writeLength(more - 15, out, put) : put;
}

function writeLength(length: number, out: Uint8Array, to: number): number {
  let put = to;
  let rest = length;
  for (; rest >= 255; rest -= 255) out[put++] = 255;
  out[put++] = rest;
  return put;
}
