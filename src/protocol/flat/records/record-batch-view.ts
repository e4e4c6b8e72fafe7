// Owns the views of the batches in a decoded records field. Runs on the application's thread. Must not
// copy: every getter reads flat memory.

import type Long from 'long';
import { type FlatMessage, FlatView } from '../flat-view.ts';
import {
  ATTRIBUTE_CODEC_MASK,
  ATTRIBUTE_CONTROL,
  ATTRIBUTE_DELETE_HORIZON,
  ATTRIBUTE_LOG_APPEND_TIME,
  ATTRIBUTE_TRANSACTIONAL,
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
  type CompressionType,
  compressionTypes,
} from './records-slot.ts';

/** `controlType` of the markers that end a transaction. */
export const CONTROL_ABORT = 0;
export const CONTROL_COMMIT = 1;

const fields = [
  'firstRecord',
  'recordCount',
  'baseOffset',
  'lastOffset',
  'magic',
  'compression',
  'timestampType',
  'isTransactional',
  'isControl',
  'controlType',
  'partitionLeaderEpoch',
  'producerId',
  'producerEpoch',
  'baseSequence',
  'maxTimestamp',
  'deleteHorizonMs',
  'sizeInBytes',
  'countOnWire',
] as const;

/**
 * One batch as the broker keeps it; in the formats v0 and v1 each outer message is one.
 * Source: Kafka documentation, "Record Batch"
 */
export class RecordBatchView extends FlatView {
  /** Internal: a records view makes them. */
  constructor(message: FlatMessage, word: number) {
    super();
    this.flat = message;
    this.flatWord = word;
  }

  protected fieldNames(): readonly string[] {
    return fields;
  }

  /** Index of its first record in the records view. */
  get firstRecord(): number {
    return this.flat.int32(this.flatWord + BATCH_FIRST_ROW_WORD);
  }

  /** Its records in the records view; 0 for a control batch, whose records are not for applications. */
  get recordCount(): number {
    return this.flat.int32(this.flatWord + BATCH_ROW_COUNT_WORD);
  }

  get baseOffset(): Long {
    return this.flat.int64(this.flatWord + BATCH_BASE_OFFSET_WORD);
  }

  /** Also when compaction removed the last records. */
  get lastOffset(): Long {
    return this.flat.int64(this.flatWord + BATCH_LAST_OFFSET_WORD);
  }

  /** Format: 0, 1 or 2. */
  get magic(): number {
    return this.flat.int32(this.flatWord + BATCH_MAGIC_WORD);
  }

  get compression(): CompressionType {
    return compressionTypes[this.#attributes & ATTRIBUTE_CODEC_MASK]!;
  }

  /** Whose clock the timestamps are of: the producer's or the broker's. Null in format 0, which has no timestamps. */
  get timestampType(): 'CreateTime' | 'LogAppendTime' | null {
    if (this.magic === 0) return null;
    return (this.#attributes & ATTRIBUTE_LOG_APPEND_TIME) === 0 ? 'CreateTime' : 'LogAppendTime';
  }

  get isTransactional(): boolean {
    return this.#has(ATTRIBUTE_TRANSACTIONAL);
  }

  get isControl(): boolean {
    return this.#has(ATTRIBUTE_CONTROL);
  }

  /** Kind of the first record of a control batch: 0 abort, 1 commit, others are Kafka's own. -1 if there is none. */
  get controlType(): number {
    return this.flat.int32(this.flatWord + BATCH_CONTROL_TYPE_WORD);
  }

  /** -1 for unknown, and in formats 0 and 1. */
  get partitionLeaderEpoch(): number {
    return this.flat.int32(this.flatWord + BATCH_LEADER_EPOCH_WORD);
  }

  /** -1 for none; producer epoch and base sequence likewise. */
  get producerId(): Long {
    return this.flat.int64(this.flatWord + BATCH_PRODUCER_ID_WORD);
  }

  get producerEpoch(): number {
    return this.flat.int32(this.flatWord + BATCH_PRODUCER_EPOCH_WORD);
  }

  /** Sequence number of the first record; the record with offset o has this plus o - baseOffset, from 2^31 - 1 to 0. */
  get baseSequence(): number {
    return this.flat.int32(this.flatWord + BATCH_BASE_SEQUENCE_WORD);
  }

  get maxTimestamp(): Long {
    return this.flat.int64(this.flatWord + BATCH_MAX_TIMESTAMP_WORD);
  }

  /** When its tombstones and markers may be removed, ms since the epoch; null if that is not set. */
  get deleteHorizonMs(): Long | null {
    if (this.magic !== 2 || !this.#has(ATTRIBUTE_DELETE_HORIZON)) return null;
    return this.flat.int64(this.flatWord + BATCH_BASE_TIMESTAMP_WORD);
  }

  /** On the wire, header included. */
  get sizeInBytes(): number {
    return this.flat.int32(this.flatWord + BATCH_SIZE_WORD);
  }

  /** Records in it, control records included. */
  get countOnWire(): number {
    return this.flat.int32(this.flatWord + BATCH_RECORD_COUNT_WORD);
  }

  get #attributes(): number {
    return this.flat.int32(this.flatWord + BATCH_ATTRIBUTES_WORD);
  }

  #has(bit: number): boolean {
    return this.magic === 2 && (this.#attributes & bit) !== 0;
  }
}

export const readBatch = (message: FlatMessage, word: number): RecordBatchView => new RecordBatchView(message, word);
