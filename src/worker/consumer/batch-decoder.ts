// Owns the decoding of fetched bytes into records that can be handed out. Records of aborted transactions and records before the
// position are removed, so that the application gets only the records that it may see. Network thread.
// Source: KIP-98 (transactions), record format of the protocol guide.

import type { TopicPartition } from '../../common/config/consumer-config.ts';
import { CorruptBatchError } from '../../common/errors/errors.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import type { OpenTransactions } from '../../protocol/flat/records/aborted-transactions.ts';
import { RecordsView } from '../../protocol/flat/records/record-view.ts';
import {
  RECORD_COUNT_WORD,
  RECORD_ROW_WORDS,
  ROW_OFFSET_WORD,
  ROWS_WORD,
} from '../../protocol/flat/records/records-slot.ts';
import type { DecodeOptions } from '../../protocol/wire/options.ts';
import { type DecodedRecords, decodeRecordRows } from '../requests/codec-work.ts';
import type { Piece } from './fetched-records.ts';
import type { PreparedBatch } from './handed-batch.ts';
import type { Position } from './partition.ts';

export interface Decoded {
  /** Null: the piece has no records for the application. */
  readonly batch: PreparedBatch | null;
  /** The position at which to go on. */
  readonly next: Position;
  /** The error that ended the decoding early. It is raised when the application reaches `next`. */
  readonly error: Error | null;
}

/**
 * Decodes a piece here.
 * @param skipBytes size of the prefix to leave free, a multiple of 8
 * @param memory    gives the memory for the batch
 */
export function decodePiece(
  piece: Piece,
  aborted: OpenTransactions | null,
  from: Position,
  place: TopicPartition,
  options: DecodeOptions,
  skipBytes: number,
  memory: (byteCount: number) => ArrayBuffer,
): Decoded {
  const decoded = decodeRecordRows(piece.bytes, piece.start, piece.end, skipBytes, options, memory);
  return finishPiece(piece, decoded, aborted, from, place, skipBytes);
}

/**
 * Leaves only what the application may see of decoded records. Pieces must be finished in their order, because of transactions.
 * @param from records before this position are left out
 */
export function finishPiece(
  piece: Piece,
  { buffer, usedBytes, slot }: DecodedRecords,
  aborted: OpenTransactions | null,
  from: Position,
  place: TopicPartition,
  skipBytes: number,
): Decoded {
  const memory = { i32: new Int32Array(buffer), u8: new Uint8Array(buffer), base: 0, byteLength: usedBytes };
  const message = new FlatMessage(memory, skipBytes);
  const records = new RecordsView(message, slot);
  let { next, error } = ending(records, from, place);
  const faulty = aborted === null ? null : dropAborted(message, slot, records, aborted);
  if (faulty !== null) {
    next = { offset: faulty.offset > from.offset ? faulty.offset : from.offset, leaderEpoch: from.leaderEpoch };
    error = corrupt(place, next.offset, faulty.cause.message, faulty.cause);
  }
  const first = skipBefore(message, slot, message.int32(slot + RECORD_COUNT_WORD), from.offset);
  const count = message.int32(slot + RECORD_COUNT_WORD);
  if (count === 0) return { batch: null, next, error };
  const firstOffset = message.int64(first).toBigInt();
  const batch: PreparedBatch = {
    buffer,
    usedBytes,
    fetchedBytes: piece.end - piece.start,
    count,
    firstOffset: firstOffset < from.offset ? from.offset : firstOffset,
    nextOffset: next.offset,
    leaderEpoch: next.leaderEpoch,
  };
  return { batch, next, error };
}

function ending(records: RecordsView, from: Position, place: TopicPartition): { next: Position; error: Error | null } {
  const nextOffset = records.nextOffset.toBigInt();
  const { batches } = records;
  const leaderEpoch = batches.length === 0 ? from.leaderEpoch : batches.at(batches.length - 1).partitionLeaderEpoch;
  const next = nextOffset > from.offset ? { offset: nextOffset, leaderEpoch } : from;
  const cause = records.error;
  if (cause === null) {
    if (batches.length > 0 || records.tailBytes === 0) return { next, error: null };
    // A piece has whole entries, so nothing was cut off. The same bytes would come again with every fetch, so this is an error.
    return { next, error: corrupt(place, next.offset, 'its bytes are not a whole batch', undefined) };
  }
  return { next, error: corrupt(place, next.offset, cause.message, cause) };
}

function corrupt(
  { topic, partition }: TopicPartition,
  offset: bigint,
  problem: string,
  cause: Error | undefined,
): CorruptBatchError {
  return new CorruptBatchError(
    `${topic}-${partition} at offset ${offset}: ${problem}; seek past the batch to go on without it`,
    { topic, partition, recordOffset: String(offset), ...(cause === undefined ? {} : { cause }) },
  );
}

/** Closes the gaps that hidden batches leave in the rows. Returns the place of a marker that cannot be read. Null if there is none. */
function dropAborted(
  message: FlatMessage,
  slot: number,
  records: RecordsView,
  aborted: OpenTransactions,
): { offset: bigint; cause: Error } | null {
  const { i32, wordBase } = message;
  const firstRow = wordBase + message.int32(slot + ROWS_WORD);
  let kept = 0;
  let faulty: { offset: bigint; cause: Error } | null = null;
  for (const batch of records.batches) {
    const { firstRecord, recordCount } = batch;
    try {
      if (aborted.isAborted(batch)) continue;
    } catch (cause) {
      faulty = { offset: batch.baseOffset.toBigInt(), cause: cause as Error };
      break;
    }
    if (firstRecord !== kept) {
      const at = firstRow + firstRecord * RECORD_ROW_WORDS;
      i32.copyWithin(firstRow + kept * RECORD_ROW_WORDS, at, at + recordCount * RECORD_ROW_WORDS);
    }
    kept += recordCount;
  }
  message.i32[wordBase + slot + RECORD_COUNT_WORD] = kept;
  return faulty;
}

/** Leaves out records before `from`: a batch may begin before the offset that was fetched. Returns the first row's word. */
function skipBefore(message: FlatMessage, slot: number, count: number, from: bigint): number {
  const first = message.int32(slot + ROWS_WORD);
  let skipped = 0;
  while (skipped < count) {
    const row = first + skipped * RECORD_ROW_WORDS + ROW_OFFSET_WORD;
    if (message.int64(row).toBigInt() >= from) break;
    skipped++;
  }
  const word = first + skipped * RECORD_ROW_WORDS;
  message.i32[message.wordBase + slot + ROWS_WORD] = word;
  message.i32[message.wordBase + slot + RECORD_COUNT_WORD] = count - skipped;
  return word;
}
