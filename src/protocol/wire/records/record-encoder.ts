// Owns the making of one record batch v2 from a stream of records. Runs in the network thread and the codec pool. Must
// not allocate per record: what it writes goes straight into the writer's buffer.

import { crc32c } from '../../../codec/crc32c.ts';
import { compress } from '../../../codec/index.ts';
import type { FlatMessage } from '../../flat/flat-view.ts';
import {
  ATTRIBUTES_WORD,
  BASE_SEQUENCE_WORD,
  CODEC_WORD,
  DATA_LENGTH_WORD,
  DATA_OFFSET_WORD,
  LEVEL_WORD,
  PARTITION_LEADER_EPOCH_WORD,
  PRODUCER_EPOCH_WORD,
  PRODUCER_ID_WORD,
  RECORD_COUNT_WORD,
  STREAM_BASE_OFFSET_WORD,
  STREAM_HEAD_BYTES,
  STREAM_HEADER_HEAD_BYTES,
} from '../../flat/records/records-slot.ts';
import { putSigned, putWide, sizeOfDelta, sizeOfLength } from '../../flat/varints.ts';
import type { WireWriter } from '../wire-writer.ts';
import { BATCH_CRC_FROM, BATCH_HEADER_BYTES } from './record-batch.ts';
import { readLittleInt32, writeInt16, writeInt32, writeInt64 } from './record-bytes.ts';
import { scratch } from './record-scratch.ts';
import { corruptStream, maxExtraBytes, move, spareBytes, streamCount, streamSource } from './stream-source.ts';

/** Filled by `writeRecords`: the largest timestamp it met. */
let maxTimestampLow = 0;
let maxTimestampHigh = 0;

/** Writes the stream that the slot describes as one batch at the writer's position. */
export function encodeBatch(m: FlatMessage, slotWord: number, w: WireWriter): void {
  const count = streamCount(m, slotWord);
  const length = m.int32(slotWord + DATA_LENGTH_WORD);
  const codec = m.int32(slotWord + CODEC_WORD);
  const bound = length + maxExtraBytes * count + spareBytes;
  const start = w.offset;
  if (codec === 0) {
    w.ensure(BATCH_HEADER_BYTES + bound);
    w.offset = writeRecords(m, slotWord, w.buffer, start + BATCH_HEADER_BYTES, bound);
  } else {
    const plain = scratch(bound);
    const end = writeRecords(m, slotWord, plain, 0, bound);
    const packed = compress(codec, m.int32(slotWord + LEVEL_WORD), plain, 0, end);
    w.ensure(BATCH_HEADER_BYTES + packed.length);
    w.buffer.set(packed, start + BATCH_HEADER_BYTES);
    w.offset = start + BATCH_HEADER_BYTES + packed.length;
  }
  writeHeader(m, slotWord, w.buffer, start, w.offset);
}

function writeHeader(m: FlatMessage, slotWord: number, out: Uint8Array, start: number, end: number): void {
  const count = m.int32(slotWord + RECORD_COUNT_WORD);
  const stream = m.wordBase + (m.int32(slotWord + DATA_OFFSET_WORD) >>> 2);
  const baseOffset = slotWord + STREAM_BASE_OFFSET_WORD;
  const producerId = slotWord + PRODUCER_ID_WORD;
  writeInt64(out, start, m.int32(baseOffset), m.int32(baseOffset + 1));
  writeInt32(out, start + 8, end - start - 12);
  writeInt32(out, start + 12, m.int32(slotWord + PARTITION_LEADER_EPOCH_WORD));
  out[start + 16] = 2;
  writeInt16(out, start + 21, m.int32(slotWord + ATTRIBUTES_WORD) | m.int32(slotWord + CODEC_WORD));
  writeInt32(out, start + 23, count - 1);
  writeInt64(out, start + 27, m.i32[stream]!, m.i32[stream + 1]!);
  writeInt64(out, start + 35, maxTimestampLow, maxTimestampHigh);
  writeInt64(out, start + 43, m.int32(producerId), m.int32(producerId + 1));
  writeInt16(out, start + 51, m.int32(slotWord + PRODUCER_EPOCH_WORD));
  writeInt32(out, start + 53, m.int32(slotWord + BASE_SEQUENCE_WORD));
  writeInt32(out, start + 57, count);
  writeInt32(out, start + 17, crc32c(out, start + BATCH_CRC_FROM, end));
}

/** Writes all records at `out[to]`, where `bound` bytes are free, and returns where they end. */
function writeRecords(m: FlatMessage, slotWord: number, out: Uint8Array, to: number, bound: number): number {
  const { i32 } = m;
  const count = m.int32(slotWord + RECORD_COUNT_WORD);
  const length = m.int32(slotWord + DATA_LENGTH_WORD);
  const streamWord = m.wordBase + (m.int32(slotWord + DATA_OFFSET_WORD) >>> 2);
  const { source, start: stream } = streamSource(m, slotWord, out, to + bound);
  const end = stream + length;
  const baseLow = i32[streamWord]!;
  const baseHigh = i32[streamWord + 1]!;
  maxTimestampLow = baseLow;
  maxTimestampHigh = baseHigh;
  let at = to;
  let next = 0;
  for (let record = 0; record < count; record++) {
    const head = streamWord + (next >>> 2);
    const low = i32[head]!;
    const high = i32[head + 1]!;
    const keyLength = i32[head + 2]!;
    const valueLength = i32[head + 3]!;
    const headerCount = i32[head + 4]!;
    if (high > maxTimestampHigh || (high === maxTimestampHigh && low >>> 0 > maxTimestampLow >>> 0)) {
      maxTimestampLow = low;
      maxTimestampHigh = high;
    }
    const deltaLow = (low - baseLow) | 0;
    const deltaHigh = (high - baseHigh - (low >>> 0 < baseLow >>> 0 ? 1 : 0)) | 0;
    const keyAt = stream + next + STREAM_HEAD_BYTES;
    const valueAt = keyAt + Math.max(keyLength, 0);
    const headersAt = valueAt + Math.max(valueLength, 0);
    if (headersAt > end || keyAt > end || headerCount < 0) throw corruptStream(record, length);
    const headerBytes = headerCount === 0 ? 0 : sizeOfHeaders(source, headersAt, headerCount, end);
    const contentBytes = headersAt - keyAt + sizeOfLength(keyLength) + sizeOfLength(valueLength);
    const deltaBytes = sizeOfDelta(deltaLow, deltaHigh);
    const size = 1 + deltaBytes + sizeOfLength(record) + contentBytes + sizeOfLength(headerCount) + headerBytes;
    at = putSigned(out, at, size);
    out[at++] = 0;
    at = deltaBytes < 5 ? putSigned(out, at, deltaLow) : putWide(out, at, deltaLow, deltaHigh);
    at = putSigned(out, at, record);
    at = putSigned(out, at, keyLength);
    if (keyLength > 0) at = move(out, at, source, keyAt, valueAt);
    at = putSigned(out, at, valueLength);
    if (valueLength > 0) at = move(out, at, source, valueAt, headersAt);
    at = putSigned(out, at, headerCount);
    next = headersAt - stream;
    if (headerCount > 0) {
      at = putHeaders(out, at, source, headersAt, headerCount);
      next = headersEnd - stream;
    }
    next = (next + 3) & ~3;
  }
  return at;
}

/** Where the headers last moved ended in the stream. */
let headersEnd = 0;

function putHeaders(out: Uint8Array, to: number, source: Uint8Array, from: number, count: number): number {
  let at = to;
  let next = from;
  for (let i = 0; i < count; i++) {
    const keyLength = readLittleInt32(source, next);
    const valueLength = readLittleInt32(source, next + 4);
    const keyAt = next + STREAM_HEADER_HEAD_BYTES;
    const valueAt = keyAt + keyLength;
    next = valueAt + Math.max(valueLength, 0);
    at = putSigned(out, at, keyLength);
    at = move(out, at, source, keyAt, valueAt);
    at = putSigned(out, at, valueLength);
    if (valueLength > 0) at = move(out, at, source, valueAt, next);
  }
  headersEnd = next;
  return at;
}

function sizeOfHeaders(source: Uint8Array, from: number, count: number, end: number): number {
  let size = 0;
  let next = from;
  for (let i = 0; i < count; i++) {
    if (next + STREAM_HEADER_HEAD_BYTES > end) throw corruptStream(count, end - from);
    const keyLength = readLittleInt32(source, next);
    const valueLength = readLittleInt32(source, next + 4);
    if (keyLength < 0) throw corruptStream(count, end - from);
    const bytes = keyLength + Math.max(valueLength, 0);
    size += sizeOfLength(keyLength) + sizeOfLength(valueLength) + bytes;
    next += STREAM_HEADER_HEAD_BYTES + bytes;
  }
  if (next > end) throw corruptStream(count, end - from);
  return size;
}
