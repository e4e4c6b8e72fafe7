// Owns LZ4 frames as Kafka uses them, the historical header checksum of message format v0 included. Runs in the network
// thread and the codec pool. Must not let a block write more than its frame's block size.
// Source: lz4/lz4, doc/lz4_Frame_format.md
//
//      | 04 22 4d 18 | flags | block size | content size? 8 | header checksum | { size | block | checksum? } ... | 0 | checksum?

import { CorruptRecordError } from '../common/errors/errors.ts';
import { numberOf } from '../common/numbers.ts';
import type { ByteArena } from './byte-arena.ts';
import { four } from './little-endian.ts';
import { lz4Bound, readLz4Block, writeLz4Block } from './lz4-block.ts';
import { nativeFromBytes, nativeLz4 } from './native-blocks.ts';
import { xxHash32 } from './xxhash32.ts';

const frameMagic = 0x184d2204;
const magicBytes = 4;

const flagVersionMask = 0xc0;
const flagVersion = 0x40;
const flagIndependent = 0x20;
const flagBlockChecksums = 0x10;
const flagContentSize = 0x08;
const flagContentChecksum = 0x04;
/** A reserved bit, and the wish for a dictionary. */
const flagsRefused = 0x03;

const blockIsPlain = 0x80000000;

/** What Java producers write: independent blocks of 64 KiB, no checksums but the header's, no content size. */
const writtenFlags = flagVersion | flagIndependent;
const writtenBlockCode = 4;
const writtenBlockBytes = 64 * 1024;
const writtenHeaderBytes = 7;

/**
 * Appends what the frame `bytes[start, end)` decompresses to. One frame only, as in Kafka; bytes after it are ignored.
 * @param magic  the message format around it: in 0 the header checksum is not looked at, since writers disagree on it
 * Throws: CorruptRecordError
 */
export function readLz4(bytes: Uint8Array, start: number, end: number, arena: ByteArena, magic: number): void {
  const header = readHeader(bytes, start, end, magic);
  const from = arena.length;
  let at = start + header.bytes;
  for (;;) {
    if (end - at < 4) throw broken('ends without its end mark');
    const word = four(bytes, at);
    at += 4;
    if (word === 0) break;
    const size = (word & ~blockIsPlain) >>> 0;
    if (size > header.blockBytes || size > end - at - header.blockChecksumBytes) {
      throw broken(`has a block of ${size} bytes, ${end - at} are left, blocks may have ${header.blockBytes}`);
    }
    readBlock(bytes, at, at + size, word < 0, header.blockBytes, arena);
    at += size;
    if (header.blockChecksumBytes > 0) checkHash(bytes, at, xxHash32(bytes, at - size, at), 'block');
    at += header.blockChecksumBytes;
  }
  const length = arena.length - from;
  if (header.contentSize >= 0 && header.contentSize !== length) {
    throw broken(`claims ${header.contentSize} bytes of content and has ${length}`);
  }
  if (!header.hasContentChecksum) return;
  if (end - at < 4) throw broken('ends within its content checksum');
  checkHash(bytes, at, xxHash32(arena.bytes, from, arena.length), 'content');
}

interface FrameHeader {
  readonly bytes: number;
  readonly blockBytes: number;
  readonly blockChecksumBytes: number;
  /** -1 if the frame does not say. */
  readonly contentSize: number;
  readonly hasContentChecksum: boolean;
}

function readHeader(bytes: Uint8Array, start: number, end: number, magic: number): FrameHeader {
  if (end - start < writtenHeaderBytes || four(bytes, start) !== frameMagic) throw broken('does not start as one');
  const flags = bytes[start + 4]!;
  const blockCode = bytes[start + 5]!;
  if ((flags & flagVersionMask) !== flagVersion || (flags & flagsRefused) !== 0) {
    throw broken(`has flags ${flags.toString(16)}, which Kafka does not use`);
  }
  if ((flags & flagIndependent) === 0) throw broken('has dependent blocks, which Kafka does not use');
  if ((blockCode & 0x8f) !== 0 || blockCode >>> 4 < 4) throw broken(`has block size code ${blockCode.toString(16)}`);
  const hasContentSize = (flags & flagContentSize) !== 0;
  const descriptorEnd = start + 6 + (hasContentSize ? 8 : 0);
  if (descriptorEnd >= end) throw broken('ends within its header');
  const hash = (xxHash32(bytes, start + magicBytes, descriptorEnd) >>> 8) & 255;
  if (magic > 0 && bytes[descriptorEnd] !== hash) throw broken('has a wrong header checksum');
  const sizeAt = start + 6;
  return {
    bytes: descriptorEnd + 1 - start,
    blockBytes: 1 << (8 + 2 * (blockCode >>> 4)),
    blockChecksumBytes: (flags & flagBlockChecksums) === 0 ? 0 : 4,
    contentSize: hasContentSize ? numberOf(four(bytes, sizeAt), four(bytes, sizeAt + 4) >>> 0) : -1,
    hasContentChecksum: (flags & flagContentChecksum) !== 0,
  };
}

function readBlock(
  bytes: Uint8Array,
  start: number,
  end: number,
  isPlain: boolean,
  blockBytes: number,
  arena: ByteArena,
): void {
  if (isPlain) {
    arena.append(bytes, start, end);
    return;
  }
  // One length byte stands for at most 255 bytes; the token before it holds a few more.
  const maxBytes = Math.min(blockBytes, (end - start) * 255 + 64);
  const room = Math.min(maxBytes, arena.limit - arena.length);
  arena.reserve(room);
  const to = arena.length + room;
  const native = end - start >= nativeFromBytes ? nativeLz4() : null;
  const filled =
    native !== null
      ? native.read(bytes, start, end, arena.bytes, arena.length, to)
      : readLz4Block(bytes, start, end, arena.bytes, arena.length, to);
  if (filled < 0) {
    // The block is broken, or the room ended at the bound. Asking for more than the bound tells which.
    if (room < maxBytes) arena.reserve(room + 1);
    throw broken('has a block that contradicts itself');
  }
  arena.length = filled;
}

function checkHash(bytes: Uint8Array, at: number, actual: number, what: string): void {
  if (four(bytes, at) >>> 0 !== actual) throw broken(`has a wrong ${what} checksum`);
}

function broken(problem: string): CorruptRecordError {
  return new CorruptRecordError(`LZ4 frame ${problem}`);
}

/**
 * `bytes[start, end)` as one frame.
 * @param magic  the message format around it: 0 gets the header checksum that its historical writers made
 */
export function writeLz4(bytes: Uint8Array, start: number, end: number, magic: number): Uint8Array {
  const blocks = Math.ceil((end - start) / writtenBlockBytes);
  const out = new Uint8Array(writtenHeaderBytes + blocks * (4 + lz4Bound(writtenBlockBytes)) + 4);
  putFour(out, 0, frameMagic);
  out[4] = writtenFlags;
  out[5] = writtenBlockCode << 4;
  out[6] = xxHash32(out, magic === 0 ? 0 : magicBytes, 6) >>> 8;
  let put = writtenHeaderBytes;
  for (let at = start; at < end; at += writtenBlockBytes) {
    const blockEnd = Math.min(at + writtenBlockBytes, end);
    const native = blockEnd - at >= nativeFromBytes ? nativeLz4() : null;
    const packedEnd =
      native !== null
        ? native.write(bytes, at, blockEnd, out, put + 4)
        : writeLz4Block(bytes, at, blockEnd, out, put + 4);
    const packed = packedEnd - put - 4;
    if (packed < blockEnd - at) {
      putFour(out, put, packed);
      put = packedEnd;
    } else {
      putFour(out, put, (blockEnd - at) | blockIsPlain);
      out.set(bytes.subarray(at, blockEnd), put + 4);
      put += 4 + blockEnd - at;
    }
  }
  putFour(out, put, 0);
  return out.subarray(0, put + 4);
}

function putFour(out: Uint8Array, at: number, value: number): void {
  out[at] = value;
  out[at + 1] = value >>> 8;
  out[at + 2] = value >>> 16;
  out[at + 3] = value >>> 24;
}
