// Owns the conversion of a records field between wire and flat memory: the walk over entries of any format, the memory they
// take, the error that belongs to one field. Runs in the network thread and the codec pool. Must not let a fault in one
// partition's records touch the rest of the response.

import { DecompressedTooLargeError } from '../../../codec/byte-arena.ts';
import { CorruptRecordError } from '../../../common/errors/errors.ts';
import { maxInt32 } from '../../../common/numbers.ts';
import type { FlatMessage } from '../../flat/flat-view.ts';
import { FlatLimitError, type FlatWriter } from '../../flat/flat-writer.ts';
import {
  BATCH_BASE_OFFSET_WORD,
  BATCH_FIRST_ROW_WORD,
  BATCH_LAST_OFFSET_WORD,
  BATCH_MAGIC_WORD,
  BATCH_ROW_COUNT_WORD,
  BATCH_ROW_WORDS,
  BATCHES_WORD,
  CODEC_WORD,
  DATA_LENGTH_WORD,
  DATA_OFFSET_WORD,
  ERROR_CODE_WORD,
  ERROR_TEXT_WORD,
  FAULTY_OFFSET_WORD,
  FORM_LENT,
  FORM_NULL,
  FORM_RAW,
  FORM_ROWS,
  FORM_STREAM,
  FORM_WORD,
  NEXT_OFFSET_WORD,
  RECORD_ROW_WORDS,
  RECORDS_ERROR_NONE,
  RECORDS_WORDS,
  ROWS_WORD,
  TAIL_BYTES_WORD,
} from '../../flat/records/records-slot.ts';
import type { DecodeOptions, EncodeOptions } from '../options.ts';
import type { WireReader } from '../wire-reader.ts';
import type { WireWriter } from '../wire-writer.ts';
import { CodecTaskNeeded, codecTaskNeeded } from './codec-task-needed.ts';
import { fillMessages, planMessage } from './message-set.ts';
import { fillBatch, planBatch } from './record-batch.ts';
import { readInt32 } from './record-bytes.ts';
import type { RowsJob } from './record-rows.ts';
import { encodeStream } from './record-stream.ts';
import { RecordsPlan } from './records-plan.ts';

/** Offset and size of an entry; and the same up to the magic byte, which says the format. */
const entryHeadBytes = 12;
const upToMagicBytes = 17;
/** The smallest size of the oldest format. */
const minSize = 14;
const minBatchSize = 49;
/** What a field takes beside its records and lists: alignment, and the text of an error. */
const spareBytes = 1024;
const maxErrorText = 300;
/** Estimates of what follows do not go beyond this growth from wire to flat. */
const maxGrowth = 4;

const none8 = new Uint8Array(0);
const none32 = new Int32Array(0);

/** Decoding is synchronous, so one of each serves a thread. */
const plan = new RecordsPlan();
const job: RowsJob = {
  u8: none8,
  i32: none32,
  byteBase: 0,
  at: 0,
  end: 0,
  row: 0,
  count: 0,
  offsetLow: 0,
  offsetHigh: 0,
  timestampLow: 0,
  timestampHigh: 0,
  hasFixedTimestamp: false,
};

/**
 * Reads the `length` bytes at the reader's position, which must be there, into the slot. It never throws for faulty
 * bytes: a fault becomes the field's own error, and the records before it are kept.
 */
export function decodeRecords(
  r: WireReader,
  length: number,
  w: FlatWriter,
  slotWord: number,
  options: DecodeOptions,
): void {
  const start = r.skip(length);
  const end = start + length;
  if (options.records !== 'rows') {
    keepRaw(r.bytes, start, end, w, slotWord, options.records);
    return;
  }
  const frameBytes = r.end - r.start;
  if (length > 0 && frameBytes > (options.maxInlinePlainBytes ?? Number.POSITIVE_INFINITY)) throw codecTaskNeeded;
  plan.reset(options.maxDecompressedBytes, options.verifyCrc);
  plan.mayDecompress = frameBytes <= (options.maxInlineBytes ?? Number.POSITIVE_INFINITY);
  const tail = walk(r.bytes, start, end);
  if (plan.hasCompressed && plan.hasUncompressed) plan.gatherInArena(r.bytes);
  const blockBytes = plan.hasCompressed ? plan.arena.length : tail - start;
  const listBytes = 4 * (plan.rowCount * RECORD_ROW_WORDS + plan.batchCount * BATCH_ROW_WORDS);
  const neededBytes = blockBytes + listBytes + spareBytes;
  // More records of the same kind are likely to follow. One move of the message must be enough for all.
  const growth = Math.min((blockBytes + listBytes) / Math.max(length, spareBytes), maxGrowth);
  w.expectedBytes = Math.ceil(w.messageBytes + neededBytes + growth * r.remaining);
  if (!hasRoom(w, neededBytes)) {
    writeSlot(w, slotWord, 0, 0, length);
    return;
  }
  const block = w.allocBytes(blockBytes);
  if (plan.hasCompressed) w.u8.set(plan.arena.bytes.subarray(0, blockBytes), w.byteBase + block);
  else w.u8.set(r.bytes.subarray(start, tail), w.byteBase + block);
  fillAll(w, plan.hasCompressed ? block : block - start);
  writeSlot(w, slotWord, block, blockBytes, end - tail);
}

/** Plans every whole entry in `bytes[start, end)` up to the first fault, and returns where the last one ended. */
function walk(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (end - at >= entryHeadBytes) {
    const size = readInt32(bytes, at + 8);
    const entryEnd = at + entryHeadBytes + size;
    const arenaLength = plan.arena.length;
    try {
      if (size < minSize) throw new CorruptRecordError(`entry of ${size} bytes, minimum ${minSize}`);
      if (end - at < upToMagicBytes) break;
      const magic = bytes[at + 16]!;
      if (magic > 2) throw new CorruptRecordError(`entry with magic ${(magic << 24) >> 24}, known are 0 to 2`);
      if (entryEnd > end) break;
      if (magic === 2) planBatch(plan, bytes, at, entryEnd);
      else planMessage(plan, bytes, at, entryEnd);
    } catch (thrown) {
      if (thrown instanceof CodecTaskNeeded) throw thrown;
      plan.arena.length = arenaLength;
      // Batches that exceed the bound together are read in several fetches: the next one starts here.
      if (thrown instanceof DecompressedTooLargeError && plan.hasCompressed) break;
      plan.fail(thrown, readInt32(bytes, at + 4), readInt32(bytes, at));
      break;
    }
    at = entryEnd;
  }
  return at;
}

/** Makes room in the message. If its limit does not allow that, it drops the whole plan and notes an error. */
function hasRoom(w: FlatWriter, neededBytes: number): boolean {
  try {
    w.reserve(neededBytes);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof FlatLimitError)) throw thrown;
    const low = plan.batches[BATCH_BASE_OFFSET_WORD]!;
    const high = plan.batches[BATCH_BASE_OFFSET_WORD + 1]!;
    plan.reset(0, false);
    plan.fail(new CorruptRecordError(`records too large: the message ${thrown.message}`), low, high);
    return false;
  }
}

/**
 * Fills the rows of all planned batches, then their list. What the plan calls position p of a batch's records is at byte
 * `p + shift` of the message. A faulty batch ends it.
 */
function fillAll(w: FlatWriter, shift: number): void {
  const rowWord = w.allocDirty(plan.rowCount * RECORD_ROW_WORDS);
  const listWord = w.allocDirty(plan.batchCount * BATCH_ROW_WORDS);
  job.u8 = w.u8;
  job.i32 = w.i32;
  job.byteBase = w.byteBase;
  let rows = 0;
  for (let batch = 0; batch < plan.batchCount; batch++) {
    const row = batch * BATCH_ROW_WORDS;
    job.at = plan.startOf(batch) + shift + w.byteBase;
    job.end = plan.endOf(batch) + shift + w.byteBase;
    job.row = w.wordBase + rowWord + rows * RECORD_ROW_WORDS;
    job.count = plan.rowsOf(batch);
    const problem =
      plan.batches[row + BATCH_MAGIC_WORD] === 2 ? fillBatch(plan, row, job) : fillMessages(plan, row, job);
    if (problem !== null) {
      plan.dropFrom(batch, problem);
      break;
    }
    plan.batches[row + BATCH_FIRST_ROW_WORD] = rows;
    rows += plan.batches[row + BATCH_ROW_COUNT_WORD]!;
  }
  plan.rowCount = rows;
  plan.rowsAt = rowWord;
  plan.batchesAt = listWord;
  w.i32.set(plan.batches.subarray(0, plan.batchCount * BATCH_ROW_WORDS), w.wordBase + listWord);
  // Neither the plan nor the job may keep the message alive.
  job.u8 = none8;
  job.i32 = none32;
}

/** Writes the outcome of the plan. */
function writeSlot(w: FlatWriter, slotWord: number, block: number, blockBytes: number, tailBytes: number): void {
  startSlot(w, slotWord, FORM_ROWS);
  w.setInt64(slotWord + DATA_OFFSET_WORD, block, blockBytes);
  w.setInt64(slotWord + ROWS_WORD, plan.rowsAt, plan.rowCount);
  w.setInt64(slotWord + BATCHES_WORD, plan.batchesAt, plan.batchCount);
  w.setInt32(slotWord + TAIL_BYTES_WORD, tailBytes);
  if (plan.batchCount === 0) {
    w.setInt64(slotWord + NEXT_OFFSET_WORD, -1, -1);
  } else {
    const last = (plan.batchCount - 1) * BATCH_ROW_WORDS + BATCH_LAST_OFFSET_WORD;
    writeOffsetAfter(w, slotWord, plan.batches[last]!, plan.batches[last + 1]!);
  }
  if (plan.errorCode === RECORDS_ERROR_NONE) return;
  w.setInt32(slotWord + ERROR_CODE_WORD, plan.errorCode);
  w.setInt64(slotWord + FAULTY_OFFSET_WORD, plan.faultyOffsetLow, plan.faultyOffsetHigh);
  w.string(slotWord + ERROR_TEXT_WORD, plan.errorText.slice(0, maxErrorText));
}

/** The largest possible offset has no successor, so it is returned itself. */
function writeOffsetAfter(w: FlatWriter, slotWord: number, low: number, high: number): void {
  if (low === -1 && high === maxInt32) w.setInt64(slotWord + NEXT_OFFSET_WORD, low, high);
  else w.setInt64(slotWord + NEXT_OFFSET_WORD, (low + 1) | 0, low === -1 ? high + 1 : high);
}

function startSlot(w: FlatWriter, slotWord: number, form: number): void {
  const at = w.wordBase + slotWord;
  w.i32.fill(0, at, at + RECORDS_WORDS);
  w.i32[at + FORM_WORD] = form;
}

/** Keeps the `length` bytes at the reader's position, which must be there: they may begin and end inside a batch. */
export function keepBytes(r: WireReader, length: number, w: FlatWriter, slotWord: number): void {
  const start = r.skip(length);
  startSlot(w, slotWord, FORM_RAW);
  w.copyBytes(slotWord + DATA_OFFSET_WORD, r.bytes, start, start + length);
  w.setInt64(slotWord + NEXT_OFFSET_WORD, -1, -1);
}

/** Keeps the bytes, or where they are. It computes the position after them from the heads of whole entries, without checks. */
function keepRaw(
  bytes: Uint8Array,
  start: number,
  end: number,
  w: FlatWriter,
  slotWord: number,
  form: 'raw' | 'lent',
): void {
  startSlot(w, slotWord, form === 'raw' ? FORM_RAW : FORM_LENT);
  if (form === 'raw') w.copyBytes(slotWord + DATA_OFFSET_WORD, bytes, start, end);
  else w.setInt64(slotWord + DATA_OFFSET_WORD, start, end - start);
  w.setInt64(slotWord + NEXT_OFFSET_WORD, -1, -1);
  let at = start;
  while (end - at >= upToMagicBytes) {
    const size = readInt32(bytes, at + 8);
    const magic = bytes[at + 16]!;
    if (size < minSize || size > end - at - entryHeadBytes || magic > 2) break;
    const high = readInt32(bytes, at);
    const low = readInt32(bytes, at + 4);
    if (magic < 2) {
      writeOffsetAfter(w, slotWord, low, high);
    } else {
      if (size < minBatchSize) break;
      const lastLow = (low + readInt32(bytes, at + 23)) | 0;
      writeOffsetAfter(w, slotWord, lastLow, high + (lastLow >>> 0 < low >>> 0 ? 1 : 0));
    }
    at += entryHeadBytes + size;
  }
  w.setInt32(slotWord + TAIL_BYTES_WORD, end - at);
}

/**
 * Writes the field's bytes at the writer's position, without their length; nothing for null. A stream becomes one batch
 * or message set of the format that goes with the writer's API and version. Throws: InvalidRequestError.
 */
export function encodeRecords(m: FlatMessage, slotWord: number, w: WireWriter, options?: EncodeOptions): void {
  const form = m.int32(slotWord + FORM_WORD);
  if (form === FORM_STREAM) {
    const isCompressed = m.int32(slotWord + CODEC_WORD) !== 0;
    const inlineBytes = options?.maxInlineBytes ?? Number.POSITIVE_INFINITY;
    if (isCompressed && m.int32(slotWord + DATA_LENGTH_WORD) > inlineBytes) throw codecTaskNeeded;
    w.claim(m, m.int32(slotWord + DATA_OFFSET_WORD), m.int32(slotWord + DATA_LENGTH_WORD));
    encodeStream(m, slotWord, w);
  } else if (form === FORM_RAW) {
    const length = m.int32(slotWord + DATA_LENGTH_WORD);
    if (length > 0) w.copyField(m, slotWord + DATA_OFFSET_WORD, length);
  } else if (form !== FORM_NULL) {
    throw w.fail('decoded records cannot be sent on; decode them as raw');
  }
}
