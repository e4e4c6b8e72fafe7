// Owns the hot loop that turns the records of a batch v2 into rows. Runs in the network thread and the codec pool. Must
// avoid allocations, calls and conversions per record: every received record passes here.

import { maxInt32 } from '../../../common/numbers.ts';
import { RECORD_ROW_WORDS } from '../../flat/records/records-slot.ts';

/** One batch's worth of work; reused. `at`, `end` and `row` are indexes into `u8` and `i32`. */
export interface RowsJob {
  u8: Uint8Array;
  i32: Int32Array;
  /** First byte of the message in `u8`: what offsets in rows are relative to. */
  byteBase: number;
  /** The record bytes. A row's worth of memory follows `end`, so that a broken varint may be read past it. */
  at: number;
  end: number;
  /** Where the first row goes. */
  row: number;
  count: number;
  offsetLow: number;
  offsetHigh: number;
  timestampLow: number;
  timestampHigh: number;
  /** LogAppendTime: every record has the timestamp above, and its own delta does not count. */
  hasFixedTimestamp: boolean;
}

/** Where reading goes on after a broken varint: beyond any record, which is then found not to end where it says. */
const nowhere = maxInt32;

/** Results of the wide varint readers beside the value: where it ended, and the upper half of 64 bits. */
let wideEnd = 0;
let wideHigh = 0;

/**
 * Fills `job.count` rows and returns null, or what is wrong with the records. Every length is held against the record,
 * the record against the batch, and the batch has to be used up. Offsets and times are added modulo 2^64, unchecked.
 *
 * Varints of one or two bytes are read in place, the others by functions. With a function for the second byte, too, this
 * took 1.7 times as long (bench/micro/records.ts).
 */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one loop without calls is what makes it fast
export function fillRows(job: RowsJob): string | null {
  const { u8, i32, byteBase, end, count, offsetLow, offsetHigh, timestampLow, timestampHigh } = job;
  const deltaMask = job.hasFixedTimestamp ? 0 : -1;
  let at = job.at;
  let row = job.row;
  for (let record = 0; record < count; record++) {
    let value = u8[at++]!;
    if (value > 127) {
      const next = u8[at++]!;
      value = (value & 127) | ((next & 127) << 7);
      if (next > 127) {
        value = wideVarint(u8, at, value);
        at = wideEnd;
      }
    }
    const length = (value >>> 1) ^ -(value & 1);
    if (length < 0 || length > end - at) return `record ${record}: ${lengthProblem(length, end - at)}`;
    const recordEnd = at + length;

    // The attributes byte before the timestamp delta has no meaning yet.
    value = u8[at + 1]!;
    at += 2;
    let next = 0;
    if (value > 127) {
      next = u8[at++]!;
      value = (value & 127) | ((next & 127) << 7);
    }
    let high = 0;
    if (next > 127) {
      value = wideVarlong(u8, at, value) & deltaMask;
      high = wideHigh & deltaMask;
      at = wideEnd;
    } else {
      value = ((value >>> 1) ^ -(value & 1)) & deltaMask;
      high = value >> 31;
    }
    let low = (timestampLow + value) | 0;
    i32[row + 2] = low;
    i32[row + 3] = timestampHigh + high + (low >>> 0 < timestampLow >>> 0 ? 1 : 0);

    value = u8[at++]!;
    if (value > 127) {
      const next = u8[at++]!;
      value = (value & 127) | ((next & 127) << 7);
      if (next > 127) {
        value = wideVarint(u8, at, value);
        at = wideEnd;
      }
    }
    value = (value >>> 1) ^ -(value & 1);
    low = (offsetLow + value) | 0;
    i32[row] = low;
    i32[row + 1] = offsetHigh + (value >> 31) + (low >>> 0 < offsetLow >>> 0 ? 1 : 0);

    value = u8[at++]!;
    if (value > 127) {
      const next = u8[at++]!;
      value = (value & 127) | ((next & 127) << 7);
      if (next > 127) {
        value = wideVarint(u8, at, value);
        at = wideEnd;
      }
    }
    value = (value >>> 1) ^ -(value & 1);
    if (value > recordEnd - at) return `record ${record}: key of ${value} bytes, ${recordEnd - at} left`;
    i32[row + 4] = at - byteBase;
    if (value < 0) value = -1;
    else at += value;
    i32[row + 5] = value;

    value = u8[at++]!;
    if (value > 127) {
      const next = u8[at++]!;
      value = (value & 127) | ((next & 127) << 7);
      if (next > 127) {
        value = wideVarint(u8, at, value);
        at = wideEnd;
      }
    }
    value = (value >>> 1) ^ -(value & 1);
    if (value > recordEnd - at) return `record ${record}: value of ${value} bytes, ${recordEnd - at} left`;
    i32[row + 6] = at - byteBase;
    if (value < 0) value = -1;
    else at += value;
    i32[row + 7] = value;

    value = u8[at++]!;
    i32[row + 8] = at - byteBase;
    i32[row + 9] = 0;
    if (value !== 0) at = fillHeaders(u8, i32, row, at - 1, recordEnd, byteBase);
    if (at !== recordEnd) return `record ${record}: ${length} bytes long, which its content is not`;
    row += RECORD_ROW_WORDS;
  }
  return at === end ? null : `${end - at} bytes left after ${count} records`;
}

function lengthProblem(length: number, left: number): string {
  return left < 0 ? 'no length, or a broken one' : `length ${length} with ${left} bytes left`;
}

/** Checks the headers at `start` and notes where they are; returns where they end, or -1. */
function fillHeaders(
  u8: Uint8Array,
  i32: Int32Array,
  row: number,
  start: number,
  end: number,
  byteBase: number,
): number {
  const count = signedVarint(u8, start);
  let at = wideEnd;
  // A header takes two bytes at least.
  if (count < 0 || count > (end - at) >>> 1) return -1;
  i32[row + 8] = at - byteBase;
  i32[row + 9] = count;
  for (let i = 0; i < count; i++) {
    const keyLength = signedVarint(u8, at);
    at = wideEnd;
    if (keyLength < 0 || keyLength > end - at) return -1;
    const valueLength = signedVarint(u8, at + keyLength);
    at = wideEnd;
    if (valueLength > end - at) return -1;
    if (valueLength > 0) at += valueLength;
  }
  return at;
}

function signedVarint(u8: Uint8Array, at: number): number {
  let value = u8[at]!;
  wideEnd = at + 1;
  if (value > 127) {
    const next = u8[at + 1]!;
    wideEnd = at + 2;
    value = (value & 127) | ((next & 127) << 7);
    if (next > 127) value = wideVarint(u8, at + 2, value);
  }
  return (value >>> 1) ^ -(value & 1);
}

/**
 * The rest of a varint of up to 32 bits: `value` are the 14 bits of its first two bytes, its third is at `at`. Returns
 * all its bits, the sign still in the lowest; `wideEnd` is where it ended.
 */
function wideVarint(u8: Uint8Array, at: number, value: number): number {
  let byte = u8[at]!;
  let bits = value | ((byte & 127) << 14);
  wideEnd = at + 1;
  if (byte < 128) return bits;
  byte = u8[at + 1]!;
  bits |= (byte & 127) << 21;
  wideEnd = at + 2;
  if (byte < 128) return bits;
  byte = u8[at + 2]!;
  wideEnd = byte > 15 ? nowhere : at + 3;
  return bits | (byte << 28);
}

/** The same for up to 64 bits, as a signed number: returns the lower half, `wideHigh` is the upper. */
function wideVarlong(u8: Uint8Array, start: number, value: number): number {
  let at = start;
  let byte = u8[at++]!;
  let low = value | ((byte & 127) << 14);
  let high = 0;
  if (byte > 127) {
    byte = u8[at++]!;
    low |= (byte & 127) << 21;
  }
  if (byte > 127) {
    byte = u8[at++]!;
    low |= byte << 28;
    high = (byte & 127) >>> 4;
    for (let shift = 3; byte > 127 && shift < 31; shift += 7) {
      byte = u8[at++]!;
      high |= (byte & 127) << shift;
    }
    if (byte > 127) {
      byte = u8[at++]!;
      high |= byte << 31;
      if (byte > 1) at = nowhere;
    }
  }
  wideEnd = at;
  const sign = -(low & 1);
  wideHigh = (high >>> 1) ^ sign;
  return ((low >>> 1) | (high << 31)) ^ sign;
}
