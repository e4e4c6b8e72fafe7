// Owns the walk over the frames of a zstd stream: where each ends and the most it can hold, before anything is
// decompressed. Runs in the network thread and the codec pool. Must not trust a claim that the blocks cannot keep.
// Source: RFC 8878

import { CorruptRecordError } from '../common/errors/errors.ts';
import { littleEndian } from './little-endian.ts';

const frameMagic = 0xfd2fb528 | 0;
/** The first of sixteen magic numbers that begin skippable frames. */
const skippableMagic = 0x184d2a50;
/** Kafka's own readers allow windows up to this, the reference decoder's default. */
const maxWindow = 2 ** 27;
const maxBlock = 128 * 1024;

const dictionaryIdBytes = [0, 1, 2, 4] as const;

export interface ZstdFrame {
  /** Where it ends in its stream. */
  end: number;
  /** The most that its content can have; exact if it says so. -1 for a frame to be skipped. */
  maxBytes: number;
  hasContentSize: boolean;
}

/** The frame that starts at `bytes[start]`. Throws: CorruptRecordError if it is cut off or contradicts itself. */
export function readZstdFrame(bytes: Uint8Array, start: number, end: number): ZstdFrame {
  need(start, 8, end);
  const magic = littleEndian(bytes, start, 4) | 0;
  if ((magic & ~15) === skippableMagic) {
    const size = littleEndian(bytes, start + 4, 4);
    need(start + 8, size, end);
    return { end: start + 8 + size, maxBytes: -1, hasContentSize: true };
  }
  if (magic !== frameMagic) throw broken('does not start as one');
  const descriptor = bytes[start + 4]!;
  if ((descriptor & 8) !== 0) throw broken('has a reserved bit set');
  const isSingleSegment = (descriptor & 32) !== 0;
  const idBytes = dictionaryIdBytes[descriptor & 3]!;
  const sizeBytes = descriptor >>> 6 === 0 ? (isSingleSegment ? 1 : 0) : 1 << (descriptor >>> 6);
  const windowBytes = isSingleSegment ? 0 : 1;
  need(start + 5, windowBytes + idBytes + sizeBytes, end);
  if (littleEndian(bytes, start + 5 + windowBytes, idBytes) !== 0) throw broken('wants a dictionary');
  const sizeAt = start + 5 + windowBytes + idBytes;
  const contentSize = littleEndian(bytes, sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  const window = isSingleSegment ? contentSize : windowSize(bytes[start + 5]!);
  if (window > maxWindow && !isSingleSegment) throw broken(`has a window of ${window} bytes`);
  const hasChecksum = (descriptor & 4) !== 0;
  const blocks = readBlocks(bytes, sizeAt + sizeBytes, end, Math.min(window, maxBlock));
  if (hasChecksum) need(blocks.end, 4, end);
  if (sizeBytes > 0 && contentSize > blocks.maxBytes) {
    throw broken(`claims ${contentSize} bytes of content, its blocks can have ${blocks.maxBytes}`);
  }
  return {
    end: blocks.end + (hasChecksum ? 4 : 0),
    maxBytes: sizeBytes > 0 ? contentSize : blocks.maxBytes,
    hasContentSize: sizeBytes > 0,
  };
}

function readBlocks(
  bytes: Uint8Array,
  start: number,
  end: number,
  maxBlockBytes: number,
): { end: number; maxBytes: number } {
  let at = start;
  let maxBytes = 0;
  for (let isLast = false; !isLast; ) {
    need(at, 3, end);
    const header = littleEndian(bytes, at, 3);
    const size = header >>> 3;
    const type = (header >>> 1) & 3;
    isLast = (header & 1) !== 0;
    if (type === 3 || size > maxBlockBytes) throw broken(`has a block of type ${type} with ${size} bytes`);
    // Type 0 is plain, 1 one byte repeated, 2 compressed.
    const stored = type === 1 ? 1 : size;
    need(at + 3, stored, end);
    at += 3 + stored;
    maxBytes += type === 2 ? maxBlockBytes : size;
  }
  return { end: at, maxBytes };
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}

function need(at: number, length: number, end: number): void {
  if (length > end - at) throw broken('is cut off');
}

function broken(problem: string): CorruptRecordError {
  return new CorruptRecordError(`zstd frame ${problem}`);
}
