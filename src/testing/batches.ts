// Owns what a broker does with record batches it is given: finding their bounds, checking them, giving them offsets.
// Runs in the broker's thread. It reads headers only; records stay as the producer sent them. Formats v0, v1 and v2.

import { crc32 } from '../codec/crc32.ts';
import { crc32c } from '../codec/crc32c.ts';
import { errorCodes } from './error-codes.ts';

/** One batch (v2) or one message (v0, v1) within the bytes of a records field. */
export interface BatchBounds {
  readonly start: number;
  readonly end: number;
  readonly magic: number;
  /** Offsets it takes: last offset delta + 1. */
  readonly offsets: number;
  /** -1 in v0, which has no time. */
  readonly maxTimestamp: number;
  /** -1 without one, as in v0 and v1. */
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Sequence of the first record. */
  readonly baseSequence: number;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
}

export type CheckedBatches =
  | { readonly errorCode: 0; readonly batches: readonly BatchBounds[] }
  | { readonly errorCode: number };

export interface AppendLimits {
  readonly maxBatchBytes: number;
  /** Of the Produce request: from 3 on one batch of format v2, zstd from 7 on. */
  readonly produceVersion: number;
  /** A batch may have fewer records than offsets, as after compaction. Default false. */
  readonly mayHaveGaps?: boolean;
}

// Bytes of the size and the offset before it, which the size does not count.
const headBytes = 12;
const minSize = [14, 22, 49];
const crcAt = { old: 12, v2: 17 };
const v2 = {
  leaderEpoch: 12,
  attributes: 21,
  lastOffsetDelta: 23,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
};
const old = { magic: 16, attributes: 17, timestamp: 18 };
const codecMask = 7;
const zstd = 4;
const logAppendTimeBit = 8;
const transactionalBit = 16;
const controlBit = 32;
const noProducer = {
  producerId: -1,
  producerEpoch: -1,
  baseSequence: -1,
  isTransactional: false,
  isControl: false,
} as const;

/** Checks the records field of a Produce request as a broker does before it appends anything. */
export function checkBatches(bytes: Buffer, limits: AppendLimits): CheckedBatches {
  if (bytes.length === 0) return { errorCode: errorCodes.INVALID_RECORD };
  const batches: BatchBounds[] = [];
  for (let start = 0; start < bytes.length; ) {
    const checked = checkBatch(bytes, start, limits);
    if (typeof checked === 'number') return { errorCode: checked };
    batches.push(checked);
    start = checked.end;
  }
  if (limits.produceVersion >= 3 && batches.length !== 1) return { errorCode: errorCodes.INVALID_RECORD };
  return { errorCode: 0, batches };
}

/** The batch at `start`, or the code of the error. */
function checkBatch(bytes: Buffer, start: number, limits: AppendLimits): BatchBounds | number {
  if (bytes.length - start < headBytes + minSize[0]!) return errorCodes.CORRUPT_MESSAGE;
  const size = bytes.readInt32BE(start + 8);
  const magic = bytes.readInt8(start + old.magic);
  const end = start + headBytes + size;
  const minBytes = minSize[magic];
  if (minBytes === undefined || size < minBytes || end > bytes.length) return errorCodes.CORRUPT_MESSAGE;
  if (end - start > limits.maxBatchBytes) return errorCodes.MESSAGE_TOO_LARGE;
  return magic === 2 ? checkV2(bytes, start, end, limits) : checkOld(bytes, start, end, magic, limits);
}

function checkV2(bytes: Buffer, start: number, end: number, limits: AppendLimits): BatchBounds | number {
  if (bytes.readUInt32BE(start + crcAt.v2) !== crc32c(bytes, start + v2.attributes, end))
    return errorCodes.CORRUPT_MESSAGE;
  const attributes = bytes.readInt16BE(start + v2.attributes);
  const codec = attributes & codecMask;
  if (codec > zstd || (codec === zstd && limits.produceVersion < 7)) return errorCodes.UNSUPPORTED_COMPRESSION_TYPE;
  const offsets = bytes.readInt32BE(start + v2.lastOffsetDelta) + 1;
  const count = bytes.readInt32BE(start + v2.count);
  const isGood = limits.mayHaveGaps ? count >= 0 && count <= offsets : count === offsets;
  if (offsets < 1 || !isGood) return errorCodes.INVALID_RECORD;
  const producerId = readInt64(bytes, start + v2.producerId);
  const baseSequence = bytes.readInt32BE(start + v2.baseSequence);
  if (producerId >= 0 && baseSequence < 0 && (attributes & controlBit) === 0) return errorCodes.INVALID_RECORD;
  return {
    start,
    end,
    magic: 2,
    offsets,
    maxTimestamp: readInt64(bytes, start + v2.maxTimestamp),
    producerId,
    producerEpoch: bytes.readInt16BE(start + v2.producerEpoch),
    baseSequence,
    isTransactional: (attributes & transactionalBit) !== 0,
    isControl: (attributes & controlBit) !== 0,
  };
}

function checkOld(
  bytes: Buffer,
  start: number,
  end: number,
  magic: number,
  limits: AppendLimits,
): BatchBounds | number {
  if (limits.produceVersion >= 3) return errorCodes.INVALID_RECORD;
  if (bytes.readUInt32BE(start + crcAt.old) !== crc32(bytes, start + old.magic, end)) return errorCodes.CORRUPT_MESSAGE;
  // The number of messages inside is known only after decompression. In v0 they would even have to be rewritten.
  if ((bytes.readInt8(start + old.attributes) & codecMask) !== 0) return errorCodes.UNSUPPORTED_FOR_MESSAGE_FORMAT;
  const maxTimestamp = magic === 0 ? -1 : readInt64(bytes, start + old.timestamp);
  return { ...noProducer, start, end, magic, offsets: 1, maxTimestamp };
}

/** Writes the fields of a leader into a copy: the offset, and in v2 the epoch. The checksum covers neither. */
export function stampBatch(bytes: Buffer, start: number, magic: number, offset: number, leaderEpoch: number): void {
  writeInt64(bytes, start, offset);
  if (magic === 2) bytes.writeInt32BE(leaderEpoch, start + v2.leaderEpoch);
}

/** Makes `time` the time of every record of a v2 batch, which changes its checksum. */
export function stampLogAppendTime(bytes: Buffer, start: number, end: number, time: number): void {
  const attributes = bytes.readInt16BE(start + v2.attributes);
  bytes.writeInt16BE(attributes | logAppendTimeBit, start + v2.attributes);
  writeInt64(bytes, start + v2.maxTimestamp, time);
  bytes.writeUInt32BE(crc32c(bytes, start + v2.attributes, end), start + crcAt.v2);
}

/** Exact up to 2^53, beyond which no test offset or time goes. */
export function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
}

export function writeInt64(bytes: Buffer, at: number, value: number): void {
  bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), at);
  bytes.writeUInt32BE(value >>> 0, at + 4);
}
