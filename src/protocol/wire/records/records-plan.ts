// Owns the plan for decoding one records field, made before memory is taken: the batches, where their record bytes are,
// and what is wrong with them. Runs in the network thread and the codec pool. Must not touch the flat message.

import { ByteArena } from '../../../codec/byte-arena.ts';
import { CorruptRecordError, UnsupportedCodecError } from '../../../common/errors/errors.ts';
import {
  BATCH_BASE_OFFSET_WORD,
  BATCH_ROW_WORDS,
  RECORDS_ERROR_CORRUPT,
  RECORDS_ERROR_NONE,
  RECORDS_ERROR_UNSUPPORTED_CODEC,
} from '../../flat/records/records-slot.ts';
import { int64Text } from './record-bytes.ts';

/** Words per batch beside its row: start and end of the record bytes, whether they are in the arena, count of rows. */
const spanWords = 4;

/** More batches than this in one field are unusual: their memory is given back. */
const keptBatches = 4096;

/** Reused from field to field within one thread. */
export class RecordsPlan {
  /** Decompressed record bytes. */
  readonly arena: ByteArena = new ByteArena();
  verifyCrc = true;

  batchCount = 0;
  /** Rows of batches as in the flat message, except the number of the first record row. */
  batches: Int32Array = new Int32Array(16 * BATCH_ROW_WORDS);
  /** Record rows that all batches need together, those of control records included. */
  rowCount = 0;
  hasCompressed = false;
  hasUncompressed = false;
  /** Whether this thread may spend its turn on decompression. */
  mayDecompress = true;

  /** Where rows and batches stand in the message, as words; set when they have been written. */
  rowsAt = 0;
  batchesAt = 0;

  errorCode: number = RECORDS_ERROR_NONE;
  errorText = '';
  faultyOffsetLow = -1;
  faultyOffsetHigh = -1;

  #spans: Int32Array = new Int32Array(16 * spanWords);

  reset(maxDecompressedBytes: number, verifyCrc: boolean): void {
    if (this.batches.length > keptBatches * BATCH_ROW_WORDS) {
      this.batches = new Int32Array(16 * BATCH_ROW_WORDS);
      this.#spans = new Int32Array(16 * spanWords);
    }
    this.arena.reset(maxDecompressedBytes);
    this.verifyCrc = verifyCrc;
    this.batchCount = 0;
    this.rowCount = 0;
    this.hasCompressed = false;
    this.hasUncompressed = false;
    this.rowsAt = 0;
    this.batchesAt = 0;
    this.errorCode = RECORDS_ERROR_NONE;
    this.errorText = '';
    this.faultyOffsetLow = -1;
    this.faultyOffsetHigh = -1;
  }

  /** Index in `batches` of a row for one batch more; it is kept only by `addBatch`. */
  openBatch(): number {
    const row = this.batchCount * BATCH_ROW_WORDS;
    if (row + BATCH_ROW_WORDS > this.batches.length) {
      this.batches = doubled(this.batches);
      this.#spans = doubled(this.#spans);
    }
    return row;
  }

  /** Keeps the open batch, whose `rows` records lie at `[start, end)` of the source or of the arena. */
  addBatch(start: number, end: number, isInArena: boolean, rows: number): void {
    const span = this.batchCount * spanWords;
    this.#spans[span] = start;
    this.#spans[span + 1] = end;
    this.#spans[span + 2] = isInArena ? 1 : 0;
    this.#spans[span + 3] = rows;
    if (isInArena) this.hasCompressed = true;
    else this.hasUncompressed = true;
    this.rowCount += rows;
    this.batchCount++;
  }

  startOf(batch: number): number {
    return this.#spans[batch * spanWords]!;
  }

  endOf(batch: number): number {
    return this.#spans[batch * spanWords + 1]!;
  }

  /** Records of the batch, or messages within the wrapper. */
  rowsOf(batch: number): number {
    return this.#spans[batch * spanWords + 3]!;
  }

  /** Puts record bytes that are still in `source` behind those in the arena, so that one copy moves all. */
  gatherInArena(source: Uint8Array): void {
    for (let span = 0; span < this.batchCount * spanWords; span += spanWords) {
      if (this.#spans[span + 2] === 1) continue;
      const start = this.#spans[span]!;
      const end = this.#spans[span + 1]!;
      const at = this.arena.length;
      this.arena.limit += end - start;
      this.arena.append(source, start, end);
      this.#spans[span] = at;
      this.#spans[span + 1] = at + end - start;
      this.#spans[span + 2] = 1;
    }
  }

  /** Notes the fault that ends the field and keeps what came before it. Rethrows errors that are no fault of the data. */
  fail(thrown: unknown, offsetLow: number, offsetHigh: number): void {
    if (thrown instanceof UnsupportedCodecError) this.errorCode = RECORDS_ERROR_UNSUPPORTED_CODEC;
    else if (thrown instanceof CorruptRecordError) this.errorCode = RECORDS_ERROR_CORRUPT;
    else throw thrown;
    this.errorText = thrown.message;
    this.faultyOffsetLow = offsetLow;
    this.faultyOffsetHigh = offsetHigh;
  }

  /** Drops the batches from the one with this number on: it turned out faulty. */
  dropFrom(batch: number, problem: string): void {
    const base = batch * BATCH_ROW_WORDS + BATCH_BASE_OFFSET_WORD;
    const low = this.batches[base]!;
    const high = this.batches[base + 1]!;
    this.batchCount = batch;
    this.errorCode = RECORDS_ERROR_CORRUPT;
    this.errorText = `record batch at offset ${int64Text(low, high)}: ${problem}`;
    this.faultyOffsetLow = low;
    this.faultyOffsetHigh = high;
  }
}

function doubled(words: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(words.length * 2);
  larger.set(words);
  return larger;
}
