// Owns the reading of message sets v0 and v1 (brokers 0.8 to 0.10, and older segments of newer ones). Runs in the
// network thread and the codec pool. Must check every length, and must not accept nested compression.
//
//      | 0 offset | 8 size | 12 CRC-32 | 16 magic | 17 attributes | v1: 18 timestamp | key length, key, value length, value |

import { crc32 } from '../../../codec/crc32.ts';
import { decompress } from '../../../codec/index.ts';
import { CorruptRecordError } from '../../../common/errors/errors.ts';
import {
  ATTRIBUTE_CODEC_MASK,
  ATTRIBUTE_LOG_APPEND_TIME,
  BATCH_ATTRIBUTES_WORD,
  BATCH_BASE_OFFSET_WORD,
  BATCH_BASE_SEQUENCE_WORD,
  BATCH_BASE_TIMESTAMP_WORD,
  BATCH_CONTROL_TYPE_WORD,
  BATCH_FIRST_ROW_WORD,
  BATCH_LAST_OFFSET_WORD,
  BATCH_LEADER_EPOCH_WORD,
  BATCH_MAGIC_WORD,
  BATCH_MAX_TIMESTAMP_WORD,
  BATCH_PRODUCER_EPOCH_WORD,
  BATCH_PRODUCER_ID_WORD,
  BATCH_RECORD_COUNT_WORD,
  BATCH_ROW_COUNT_WORD,
  BATCH_SIZE_WORD,
  RECORD_ROW_WORDS,
} from '../../flat/records/records-slot.ts';
import { codecTaskNeeded } from './codec-task-needed.ts';
import { int64Text, readInt32 } from './record-bytes.ts';
import type { RowsJob } from './record-rows.ts';
import type { RecordsPlan } from './records-plan.ts';

/** Offset and size, which the size does not count. */
const entryHeadBytes = 12;
const minSizes = [14, 22] as const;
/** These formats do not allow zstd or later codecs. */
const maxCodec = 3;

/** Where the key of a message starts: after its length. */
function keyStart(magic: number): number {
  return magic === 0 ? 22 : 30;
}

/** Adds the whole message at `bytes[at, end)` to the plan. Throws: CorruptRecordError, UnsupportedCodecError. */
export function planMessage(plan: RecordsPlan, bytes: Uint8Array, at: number, end: number): void {
  const magic = bytes[at + 16]!;
  const offsetHigh = readInt32(bytes, at);
  const offsetLow = readInt32(bytes, at + 4);
  const where = `message at offset ${int64Text(offsetLow, offsetHigh)}`;
  const codec = bytes[at + 17]! & ATTRIBUTE_CODEC_MASK;
  // Before the checksum: the thread that decompresses computes it too.
  if (!plan.mayDecompress && codec > 0 && codec <= maxCodec) throw codecTaskNeeded;
  checkMessage(bytes, at, end, magic, plan.verifyCrc, where);
  if (offsetHigh < 0) throw new CorruptRecordError(`${where}: offset negative`);
  const row = describeMessage(plan, bytes, at, end, magic);
  if (codec === 0) {
    plan.addBatch(at, end, false, 1);
    return;
  }
  if (codec > maxCodec) throw new CorruptRecordError(`${where}: codec ${codec}, which magic ${magic} does not allow`);
  const valueAt = valueStart(bytes, at, magic);
  const valueLength = readInt32(bytes, valueAt - 4);
  if (valueLength < 0) throw new CorruptRecordError(`${where}: compressed null`);
  const from = plan.arena.length;
  decompress(codec, bytes, valueAt, valueAt + valueLength, plan.arena, magic);
  const count = planInnerSet(plan, from, row, magic, where);
  plan.addBatch(from, plan.arena.length, true, count);
}

/** Fills the row of the batch list for the outer message at `at`, and returns its index. */
function describeMessage(plan: RecordsPlan, bytes: Uint8Array, at: number, end: number, magic: number): number {
  const row = plan.openBatch();
  const batches = plan.batches;
  const high = readInt32(bytes, at);
  const low = readInt32(bytes, at + 4);
  const timestampHigh = magic === 0 ? -1 : readInt32(bytes, at + 18);
  const timestampLow = magic === 0 ? -1 : readInt32(bytes, at + 22);
  batches[row + BATCH_FIRST_ROW_WORD] = 0;
  batches[row + BATCH_ROW_COUNT_WORD] = 1;
  batches[row + BATCH_BASE_OFFSET_WORD] = low;
  batches[row + BATCH_BASE_OFFSET_WORD + 1] = high;
  batches[row + BATCH_LAST_OFFSET_WORD] = low;
  batches[row + BATCH_LAST_OFFSET_WORD + 1] = high;
  batches[row + BATCH_ATTRIBUTES_WORD] = bytes[at + 17]!;
  batches[row + BATCH_MAGIC_WORD] = magic;
  batches[row + BATCH_PRODUCER_ID_WORD] = -1;
  batches[row + BATCH_PRODUCER_ID_WORD + 1] = -1;
  batches[row + BATCH_PRODUCER_EPOCH_WORD] = -1;
  batches[row + BATCH_BASE_SEQUENCE_WORD] = -1;
  batches[row + BATCH_MAX_TIMESTAMP_WORD] = timestampLow;
  batches[row + BATCH_MAX_TIMESTAMP_WORD + 1] = timestampHigh;
  batches[row + BATCH_BASE_TIMESTAMP_WORD] = timestampLow;
  batches[row + BATCH_BASE_TIMESTAMP_WORD + 1] = timestampHigh;
  batches[row + BATCH_SIZE_WORD] = end - at;
  batches[row + BATCH_CONTROL_TYPE_WORD] = -1;
  batches[row + BATCH_RECORD_COUNT_WORD] = 1;
  batches[row + BATCH_LEADER_EPOCH_WORD] = -1;
  return row;
}

/** Throws unless size, checksum and both lengths of the message at `bytes[at, end)` are sound. */
function checkMessage(
  bytes: Uint8Array,
  at: number,
  end: number,
  magic: number,
  verifyCrc: boolean,
  where: string,
): void {
  const minSize = minSizes[magic]!;
  const size = end - at - entryHeadBytes;
  if (size < minSize) throw new CorruptRecordError(`${where}: size ${size}, minimum ${minSize} for magic ${magic}`);
  if (verifyCrc) {
    const expected = readInt32(bytes, at + 12) >>> 0;
    const actual = crc32(bytes, at + 16, end);
    if (actual !== expected) {
      throw new CorruptRecordError(`${where}: CRC-32 is ${actual.toString(16)}, header says ${expected.toString(16)}`);
    }
  }
  const start = keyStart(magic);
  const keyLength = Math.max(readInt32(bytes, start + at - 4), 0);
  if (keyLength > end - at - start - 4) throw new CorruptRecordError(`${where}: key of ${keyLength} bytes`);
  const valueAt = at + start + keyLength + 4;
  const valueLength = readInt32(bytes, valueAt - 4);
  if (valueLength > end - valueAt) throw new CorruptRecordError(`${where}: value of ${valueLength} bytes`);
}

/** Where the value of a sound message starts, its length just before. */
function valueStart(bytes: Uint8Array, at: number, magic: number): number {
  const start = at + keyStart(magic);
  return start + Math.max(readInt32(bytes, start - 4), 0) + 4;
}

/** Checks the set that a wrapper held, which is at the arena's end, and returns how many messages there are. */
function planInnerSet(plan: RecordsPlan, from: number, row: number, magic: number, where: string): number {
  const { bytes, length: end } = plan.arena;
  const batches = plan.batches;
  let count = 0;
  let last = from;
  for (let at = from; at < end; count++) {
    const inner = `${where}, inner message ${count}`;
    const left = end - at - entryHeadBytes;
    const size = left < 0 ? 0 : readInt32(bytes, at + 8);
    if (left < minSizes[magic]! || size < minSizes[magic]! || size > left) {
      throw new CorruptRecordError(`${inner}: size ${size} with ${Math.max(left, 0)} bytes left`);
    }
    if (bytes[at + 16] !== magic) throw new CorruptRecordError(`${inner}: magic ${bytes[at + 16]} within ${magic}`);
    checkMessage(bytes, at, at + entryHeadBytes + size, magic, plan.verifyCrc, inner);
    if ((bytes[at + 17]! & ATTRIBUTE_CODEC_MASK) !== 0) throw new CorruptRecordError(`${inner}: compressed again`);
    last = at;
    at += entryHeadBytes + size;
  }
  if (count === 0) throw new CorruptRecordError(`${where}: compressed nothing`);
  batches[row + BATCH_ROW_COUNT_WORD] = count;
  batches[row + BATCH_RECORD_COUNT_WORD] = count;
  settleOffsets(batches, row, bytes, from, last, magic, where);
  return count;
}

/** Works out base and last offset of a wrapper from its own, which the row holds, and those of its messages. */
function settleOffsets(
  batches: Int32Array,
  row: number,
  bytes: Uint8Array,
  first: number,
  last: number,
  magic: number,
  where: string,
): void {
  const wrapperLow = batches[row + BATCH_LAST_OFFSET_WORD]!;
  const wrapperHigh = batches[row + BATCH_LAST_OFFSET_WORD + 1]!;
  const innerHigh = readInt32(bytes, last);
  const innerLow = readInt32(bytes, last + 4);
  let shiftLow = 0;
  let shiftHigh = 0;
  // Version 1 counts from the wrapper, whose offset is that of its last message; but some producers left that at 0.
  if (magic === 1 && (wrapperLow | wrapperHigh) !== 0) {
    shiftLow = (wrapperLow - innerLow) | 0;
    shiftHigh = (wrapperHigh - innerHigh - (wrapperLow >>> 0 < innerLow >>> 0 ? 1 : 0)) | 0;
  } else if (wrapperHigh < innerHigh || (wrapperHigh === innerHigh && wrapperLow >>> 0 < innerLow >>> 0)) {
    batches[row + BATCH_LAST_OFFSET_WORD] = innerLow;
    batches[row + BATCH_LAST_OFFSET_WORD + 1] = innerHigh;
  }
  const firstHigh = readInt32(bytes, first);
  const firstLow = readInt32(bytes, first + 4);
  const baseLow = (firstLow + shiftLow) | 0;
  const baseHigh = (firstHigh + shiftHigh + (baseLow >>> 0 < firstLow >>> 0 ? 1 : 0)) | 0;
  if (shiftHigh < 0 || innerHigh < 0 || firstHigh < 0 || baseHigh < 0) {
    const range = `${int64Text(firstLow, firstHigh)} to ${int64Text(innerLow, innerHigh)}`;
    throw new CorruptRecordError(`${where}: inner offsets ${range} do not fit it`);
  }
  batches[row + BATCH_BASE_OFFSET_WORD] = baseLow;
  batches[row + BATCH_BASE_OFFSET_WORD + 1] = baseHigh;
}

/** Fills the rows of planned messages, which were checked then: `job.count` of them from `job.at` on, of the batch at `batch` in the list. */
export function fillMessages(plan: RecordsPlan, batch: number, job: RowsJob): null {
  const { u8, i32, byteBase } = job;
  const batches = plan.batches;
  const magic = batches[batch + BATCH_MAGIC_WORD]!;
  const hasFixedTimestamp = magic === 1 && (batches[batch + BATCH_ATTRIBUTES_WORD]! & ATTRIBUTE_LOG_APPEND_TIME) !== 0;
  const firstLow = readInt32(u8, job.at + 4);
  const baseLow = batches[batch + BATCH_BASE_OFFSET_WORD]!;
  const shiftLow = (baseLow - firstLow) | 0;
  const shiftHigh =
    batches[batch + BATCH_BASE_OFFSET_WORD + 1]! - readInt32(u8, job.at) - (baseLow >>> 0 < firstLow >>> 0 ? 1 : 0);
  let at = job.at;
  let row = job.row;
  for (let i = 0; i < job.count; i++, row += RECORD_ROW_WORDS) {
    const innerLow = readInt32(u8, at + 4);
    const low = (innerLow + shiftLow) | 0;
    i32[row] = low;
    i32[row + 1] = readInt32(u8, at) + shiftHigh + (low >>> 0 < innerLow >>> 0 ? 1 : 0);
    if (magic === 0 || hasFixedTimestamp) {
      i32[row + 2] = batches[batch + BATCH_MAX_TIMESTAMP_WORD]!;
      i32[row + 3] = batches[batch + BATCH_MAX_TIMESTAMP_WORD + 1]!;
    } else {
      i32[row + 2] = readInt32(u8, at + 22);
      i32[row + 3] = readInt32(u8, at + 18);
    }
    const keyAt = at + keyStart(magic);
    const keyLength = Math.max(readInt32(u8, keyAt - 4), -1);
    const valueAt = keyAt + Math.max(keyLength, 0) + 4;
    i32[row + 4] = keyAt - byteBase;
    i32[row + 5] = keyLength;
    i32[row + 6] = valueAt - byteBase;
    i32[row + 7] = Math.max(readInt32(u8, valueAt - 4), -1);
    i32[row + 8] = 0;
    i32[row + 9] = 0;
    at += entryHeadBytes + readInt32(u8, at + 8);
  }
  return null;
}
