// Owns the reading of record batches v2 (broker 0.11 and newer): header, checksum, decompression, the type of control
// records. Runs in the network thread and the codec pool. Must check every length and count.
//
//      | 0 base offset | 8 length | 12 leader epoch | 16 magic | 17 CRC-32C | 21 attributes | 23 last offset delta |
//      | 27 base timestamp | 35 max timestamp | 43 producer id | 51 epoch | 53 sequence | 57 count | 61 records ... |

import { crc32c } from '../../../codec/crc32c.ts';
import { decompress } from '../../../codec/index.ts';
import { CorruptRecordError, UnsupportedCodecError } from '../../../common/errors/errors.ts';
import {
  ATTRIBUTE_CODEC_MASK,
  ATTRIBUTE_CONTROL,
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
  ROW_KEY_LENGTH_WORD,
  ROW_KEY_WORD,
} from '../../flat/records/records-slot.ts';
import { codecTaskNeeded } from './codec-task-needed.ts';
import { int64Text, readInt16, readInt32 } from './record-bytes.ts';
import type { RowsJob } from './record-rows.ts';
import { fillRows } from './record-rows.ts';
import type { RecordsPlan } from './records-plan.ts';

export const BATCH_HEADER_BYTES = 61;
/** Where the checksum starts to count. */
export const BATCH_CRC_FROM = 21;

/** What comes before the bytes that the length field counts. */
const lengthEnd = 12;
/** Length, attributes, two deltas, two lengths and a count, one byte each. */
export const MIN_RECORD_BYTES = 7;
const maxCodec = 4;

/** Adds the whole batch at `bytes[at, end)` to the plan. Throws: CorruptRecordError, UnsupportedCodecError. */
export function planBatch(plan: RecordsPlan, bytes: Uint8Array, at: number, end: number): void {
  const baseHigh = readInt32(bytes, at);
  const baseLow = readInt32(bytes, at + 4);
  if (end - at < BATCH_HEADER_BYTES) throw fault(baseLow, baseHigh, `length ${end - at - lengthEnd}, minimum 49`);
  const attributes = readInt16(bytes, at + 21);
  const codec = attributes & ATTRIBUTE_CODEC_MASK;
  const count = readInt32(bytes, at + 57);
  // Before the checksum: the thread that decompresses computes it too.
  if (!plan.mayDecompress && codec > 0 && codec <= maxCodec && count > 0) throw codecTaskNeeded;
  if (plan.verifyCrc) {
    const expected = readInt32(bytes, at + 17) >>> 0;
    const actual = crc32c(bytes, at + BATCH_CRC_FROM, end);
    if (actual !== expected) throw fault(baseLow, baseHigh, `CRC-32C is ${hex(actual)}, header says ${hex(expected)}`);
  }
  const lastDelta = readInt32(bytes, at + 23);
  if (baseHigh < 0 || lastDelta < 0)
    throw fault(baseLow, baseHigh, `base offset or last offset delta ${lastDelta} negative`);
  const lastLow = (baseLow + lastDelta) | 0;
  const lastHigh = (baseHigh + (lastLow >>> 0 < baseLow >>> 0 ? 1 : 0)) | 0;
  if (lastHigh < 0) throw fault(baseLow, baseHigh, 'last offset above 2^63 - 1');
  if (count < 0) throw fault(baseLow, baseHigh, `record count ${count}`);

  const row = plan.openBatch();
  const batches = plan.batches;
  batches[row + BATCH_FIRST_ROW_WORD] = 0;
  batches[row + BATCH_ROW_COUNT_WORD] = (attributes & ATTRIBUTE_CONTROL) !== 0 ? 0 : count;
  batches[row + BATCH_BASE_OFFSET_WORD] = baseLow;
  batches[row + BATCH_BASE_OFFSET_WORD + 1] = baseHigh;
  batches[row + BATCH_LAST_OFFSET_WORD] = lastLow;
  batches[row + BATCH_LAST_OFFSET_WORD + 1] = lastHigh;
  batches[row + BATCH_ATTRIBUTES_WORD] = attributes;
  batches[row + BATCH_MAGIC_WORD] = 2;
  batches[row + BATCH_PRODUCER_ID_WORD] = readInt32(bytes, at + 47);
  batches[row + BATCH_PRODUCER_ID_WORD + 1] = readInt32(bytes, at + 43);
  batches[row + BATCH_PRODUCER_EPOCH_WORD] = readInt16(bytes, at + 51);
  batches[row + BATCH_BASE_SEQUENCE_WORD] = readInt32(bytes, at + 53);
  batches[row + BATCH_MAX_TIMESTAMP_WORD] = readInt32(bytes, at + 39);
  batches[row + BATCH_MAX_TIMESTAMP_WORD + 1] = readInt32(bytes, at + 35);
  batches[row + BATCH_BASE_TIMESTAMP_WORD] = readInt32(bytes, at + 31);
  batches[row + BATCH_BASE_TIMESTAMP_WORD + 1] = readInt32(bytes, at + 27);
  batches[row + BATCH_SIZE_WORD] = end - at;
  batches[row + BATCH_CONTROL_TYPE_WORD] = -1;
  batches[row + BATCH_RECORD_COUNT_WORD] = count;
  batches[row + BATCH_LEADER_EPOCH_WORD] = readInt32(bytes, at + 12);
  addContent(plan, bytes, at + BATCH_HEADER_BYTES, end, codec, count);
}

function addContent(
  plan: RecordsPlan,
  bytes: Uint8Array,
  start: number,
  end: number,
  codec: number,
  count: number,
): void {
  if (codec > maxCodec) throw new UnsupportedCodecError(`record batch with codec ${codec}, which is not known`);
  // Compaction leaves empty batches. Only the presence of a stream is checked in those.
  if (codec === 0 || (count === 0 && end > start)) {
    checkCount(count, end - start);
    plan.addBatch(start, count === 0 ? start : end, false, count);
    return;
  }
  const arena = plan.arena;
  const from = arena.length;
  decompress(codec, bytes, start, end, arena);
  if (count === 0) arena.length = from;
  else checkCount(count, arena.length - from);
  plan.addBatch(from, arena.length, true, count);
}

function checkCount(count: number, byteLength: number): void {
  if (count > byteLength / MIN_RECORD_BYTES) {
    throw new CorruptRecordError(`record batch claims ${count} records in ${byteLength} bytes`);
  }
}

/** Describes a batch of the plan, except its memory: the caller sets `u8` to `row`. Returns the result of `fillRows`. */
export function fillBatch(plan: RecordsPlan, batch: number, job: RowsJob): string | null {
  const batches = plan.batches;
  const hasFixedTimestamp = (batches[batch + BATCH_ATTRIBUTES_WORD]! & ATTRIBUTE_LOG_APPEND_TIME) !== 0;
  const timestamp = batch + (hasFixedTimestamp ? BATCH_MAX_TIMESTAMP_WORD : BATCH_BASE_TIMESTAMP_WORD);
  job.count = batches[batch + BATCH_RECORD_COUNT_WORD]!;
  job.offsetLow = batches[batch + BATCH_BASE_OFFSET_WORD]!;
  job.offsetHigh = batches[batch + BATCH_BASE_OFFSET_WORD + 1]!;
  job.timestampLow = batches[timestamp]!;
  job.timestampHigh = batches[timestamp + 1]!;
  job.hasFixedTimestamp = hasFixedTimestamp;
  if (job.count === 0) return null;
  const problem = fillRows(job);
  if (problem !== null) return problem;
  if ((batches[batch + BATCH_ATTRIBUTES_WORD]! & ATTRIBUTE_CONTROL) !== 0) readControlType(plan, batch, job);
  return null;
}

/**
 * Only the first record of a control batch counts. Its key: version int16, type int16, later versions perhaps more. One
 * that cannot be read has no type, which matters only to readers of transactions.
 */
function readControlType(plan: RecordsPlan, batch: number, job: RowsJob): void {
  if (job.i32[job.row + ROW_KEY_LENGTH_WORD]! < 4) return;
  const at = job.byteBase + job.i32[job.row + ROW_KEY_WORD]!;
  if (readInt16(job.u8, at) >= 0) plan.batches[batch + BATCH_CONTROL_TYPE_WORD] = readInt16(job.u8, at + 2) & 0xffff;
}

function fault(offsetLow: number, offsetHigh: number, problem: string): CorruptRecordError {
  return new CorruptRecordError(`record batch at offset ${int64Text(offsetLow, offsetHigh)}: ${problem}`);
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
