// Owns the making of message sets v0 and v1 from a stream of records, for brokers before 0.11. Runs in the network
// thread and the codec pool. Must refuse what these formats cannot carry: nothing is dropped silently.

import { crc32 } from '../../../codec/crc32.ts';
import { compress } from '../../../codec/index.ts';
import type { FlatMessage } from '../../flat/flat-view.ts';
import {
  ATTRIBUTES_WORD,
  CODEC_WORD,
  DATA_LENGTH_WORD,
  DATA_OFFSET_WORD,
  LEVEL_WORD,
  PRODUCER_ID_WORD,
  RECORD_COUNT_WORD,
  STREAM_BASE_OFFSET_WORD,
  STREAM_HEAD_BYTES,
} from '../../flat/records/records-slot.ts';
import type { WireWriter } from '../wire-writer.ts';
import { writeInt32, writeInt64 } from './record-bytes.ts';
import { scratch } from './record-scratch.ts';
import { corruptStream, maxExtraBytes, move, spareBytes, streamCount, streamSource } from './stream-source.ts';

const maxCodec = 3;
/** Where the CRC starts to count, from the start of an entry. */
const crcFrom = 16;

/** Offset and time of the last message written, for the wrapper. */
let lastLow = 0;
let lastHigh = 0;
let maxTimestampLow = 0;
let maxTimestampHigh = 0;

/** Writes the stream that the slot describes as a message set at the writer's position. */
export function encodeMessageSet(m: FlatMessage, slotWord: number, w: WireWriter, magic: 0 | 1): void {
  const codec = m.int32(slotWord + CODEC_WORD);
  if (codec > maxCodec) throw w.fail('zstd needs record batches, which this version cannot carry');
  if (m.int32(slotWord + ATTRIBUTES_WORD) !== 0 || m.int32(slotWord + PRODUCER_ID_WORD + 1) >= 0) {
    throw w.fail('idempotence and transactions need record batches, which this version cannot carry');
  }
  const count = streamCount(m, slotWord);
  const bound = m.int32(slotWord + DATA_LENGTH_WORD) + maxExtraBytes * count + spareBytes;
  const start = w.offset;
  if (codec === 0) {
    w.ensure(bound);
    w.offset = writeMessages(m, slotWord, w, w.buffer, start, bound, magic, false);
    return;
  }
  const plain = scratch(bound);
  const end = writeMessages(m, slotWord, w, plain, 0, bound, magic, magic === 1);
  const packed = compress(codec, m.int32(slotWord + LEVEL_WORD), plain, 0, end, magic);
  const valueAt = start + headBytes(magic) + 4;
  w.ensure(valueAt - start + packed.length);
  const out = w.buffer;
  writeHead(out, start, magic, codec, lastLow, lastHigh, maxTimestampLow, maxTimestampHigh);
  writeInt32(out, valueAt - 8, -1);
  writeInt32(out, valueAt - 4, packed.length);
  out.set(packed, valueAt);
  w.offset = valueAt + packed.length;
  finishMessage(out, start, w.offset);
}

/** Writes all messages at `out[to]`, where `bound` bytes are free, and returns where they end. */
function writeMessages(
  m: FlatMessage,
  slotWord: number,
  w: WireWriter,
  out: Uint8Array,
  to: number,
  bound: number,
  magic: 0 | 1,
  isRelative: boolean,
): number {
  const offset = m.int32(slotWord + DATA_OFFSET_WORD);
  const count = m.int32(slotWord + RECORD_COUNT_WORD);
  const length = m.int32(slotWord + DATA_LENGTH_WORD);
  const baseLow = m.int32(slotWord + STREAM_BASE_OFFSET_WORD);
  const baseHigh = m.int32(slotWord + STREAM_BASE_OFFSET_WORD + 1);
  const { source, start: stream } = streamSource(m, slotWord, out, to + bound);
  let at = to;
  let next = 0;
  for (let i = 0; i < count; i++) {
    const head = m.wordBase + ((offset + next) >>> 2);
    const low = m.i32[head]!;
    const high = m.i32[head + 1]!;
    const keyLength = m.i32[head + 2]!;
    const valueLength = m.i32[head + 3]!;
    if (m.i32[head + 4] !== 0) {
      throw w.fail(`record ${i} has headers, which need record batches; this version cannot carry them`);
    }
    if (i === 0 || high > maxTimestampHigh || (high === maxTimestampHigh && low >>> 0 > maxTimestampLow >>> 0)) {
      maxTimestampLow = low;
      maxTimestampHigh = high;
    }
    lastLow = (baseLow + i) | 0;
    lastHigh = baseHigh + (lastLow >>> 0 < baseLow >>> 0 ? 1 : 0);
    const keyAt = stream + next + STREAM_HEAD_BYTES;
    const valueAt = keyAt + Math.max(keyLength, 0);
    const end = valueAt + Math.max(valueLength, 0);
    if (keyAt > stream + length || end > stream + length) throw corruptStream(i, length);
    const start = at;
    if (isRelative) writeHead(out, start, magic, 0, i, 0, low, high);
    else writeHead(out, start, magic, 0, lastLow, lastHigh, low, high);
    at += headBytes(magic);
    writeInt32(out, at - 4, keyLength);
    at = move(out, at, source, keyAt, valueAt);
    writeInt32(out, at, valueLength);
    at = move(out, at + 4, source, valueAt, end);
    finishMessage(out, start, at);
    next = (end - stream + 3) & ~3;
  }
  return at;
}

/** Up to and including the length of the key. */
function headBytes(magic: 0 | 1): number {
  return magic === 0 ? 22 : 30;
}

function writeHead(
  out: Uint8Array,
  at: number,
  magic: 0 | 1,
  attributes: number,
  offsetLow: number,
  offsetHigh: number,
  timestampLow: number,
  timestampHigh: number,
): void {
  writeInt64(out, at, offsetLow, offsetHigh);
  out[at + 16] = magic;
  out[at + 17] = attributes;
  if (magic === 1) writeInt64(out, at + 18, timestampLow, timestampHigh);
}

/** Size and checksum of the message at `out[start, end)`. */
function finishMessage(out: Uint8Array, start: number, end: number): void {
  writeInt32(out, start + 8, end - start - 12);
  writeInt32(out, start + 12, crc32(out, start + crcFrom, end));
}
