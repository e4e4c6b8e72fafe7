// Owns Snappy as Kafka uses it: read as one raw block or as the stream of snappy-java ("xerial"), written as the
// latter, which every client reads. Runs in the network thread and the codec pool. Must not read past its input.
//
//      | 82 53 4e 41 50 50 59 00 | version int32 | compatible int32 | { length int32 | raw block } ...
//
// Streams may follow each other, each with its head, as where a producer put files together; Java reads them as one.

import { CorruptRecordError } from '../common/errors/errors.ts';
import type { ByteArena } from './byte-arena.ts';
import { nativeFromBytes, nativeSnappy } from './native-blocks.ts';
import {
  readSnappyElements,
  readSnappyLength,
  snappyBlockBytes,
  snappyBound,
  writeSnappyBlock,
} from './snappy-block.ts';

const magic = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00] as const;
/** Bytes of the magic and of both versions. Producers write different values there; readers ignore them. */
const headerBytes = 16;

/** Appends what `bytes[start, end)` decompresses to. Throws: CorruptRecordError. */
export function readSnappy(bytes: Uint8Array, start: number, end: number, arena: ByteArena): void {
  if (!isXerial(bytes, start, end)) {
    readBlock(bytes, start, end, arena);
    return;
  }
  let at = start + headerBytes;
  while (at < end) {
    // No length begins like this: it would be negative.
    if (isXerial(bytes, at, end)) {
      at += headerBytes;
      continue;
    }
    if (end - at < 4) throw new CorruptRecordError('snappy stream ends within the length of a chunk');
    const length = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    at += 4;
    if (length <= 0 || length > end - at) {
      throw new CorruptRecordError(`snappy chunk of ${length} bytes with ${end - at} bytes left`);
    }
    readBlock(bytes, at, at + length, arena);
    at += length;
  }
}

function readBlock(bytes: Uint8Array, start: number, end: number, arena: ByteArena): void {
  const { length, elements } = readSnappyLength(bytes, start, end);
  arena.reserve(length);
  const to = arena.length + length;
  const native = end - start >= nativeFromBytes ? nativeSnappy() : null;
  const isSound =
    native !== null
      ? native.read(bytes, start, end, arena.bytes, arena.length, to) === to
      : readSnappyElements(bytes, elements, end, arena.bytes, arena.length, to);
  if (!isSound) throw new CorruptRecordError('snappy block contradicts itself');
  arena.length = to;
}

function isXerial(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start >= headerBytes && magic.every((byte, i) => bytes[start + i] === byte);
}

/** `bytes[start, end)` as a stream of blocks. */
export function writeSnappy(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const blocks = Math.max(Math.ceil((end - start) / snappyBlockBytes), 1);
  const out = new Uint8Array(headerBytes + blocks * (4 + snappyBound(snappyBlockBytes)));
  out.set(magic);
  out[11] = 1;
  out[15] = 1;
  let put = headerBytes;
  for (let at = start; at < end; at += snappyBlockBytes) {
    const blockEnd = writeBlock(bytes, at, Math.min(at + snappyBlockBytes, end), out, put + 4);
    const length = blockEnd - put - 4;
    out[put] = length >>> 24;
    out[put + 1] = length >>> 16;
    out[put + 2] = length >>> 8;
    out[put + 3] = length;
    put = blockEnd;
  }
  return out.subarray(0, put);
}

function writeBlock(bytes: Uint8Array, start: number, end: number, out: Uint8Array, to: number): number {
  const native = end - start >= nativeFromBytes ? nativeSnappy() : null;
  return native !== null ? native.write(bytes, start, end, out, to) : writeSnappyBlock(bytes, start, end, out, to);
}
