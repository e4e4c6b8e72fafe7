// Owns the settings of a batch to be produced: checks what callers give and writes it into the slot. Runs on the caller's
// thread. Must not let a value through that the batch header cannot carry.

import { maxInt32 } from '../../../common/numbers.ts';
import type { FlatWriter } from '../flat-writer.ts';
import type { Int64 } from '../inputs.ts';
import { int64Parts } from '../int64.ts';
import { wrongInput } from './record-inputs.ts';
import type { RecordBatchInput } from './record-writer.ts';
import {
  ATTRIBUTE_CONTROL,
  ATTRIBUTE_TRANSACTIONAL,
  ATTRIBUTES_WORD,
  BASE_SEQUENCE_WORD,
  CODEC_WORD,
  compressionTypes,
  LEVEL_DEFAULT,
  LEVEL_WORD,
  PARTITION_LEADER_EPOCH_WORD,
  PRODUCER_EPOCH_WORD,
  PRODUCER_ID_WORD,
  STREAM_BASE_OFFSET_WORD,
} from './records-slot.ts';

/** Writes everything but the records into the slot. Throws: InvalidRequestError. */
export function writeBatchSettings(w: FlatWriter, slotWord: number, batch: RecordBatchInput): void {
  const codec = compressionTypes.indexOf(batch.compression ?? 'none');
  if (codec < 0) throw wrongInput('compression', batch.compression, `one of ${compressionTypes.join(', ')}`);
  w.setInt32(slotWord + CODEC_WORD, codec);
  w.setInt32(slotWord + LEVEL_WORD, integer('level', batch.level, LEVEL_DEFAULT, LEVEL_DEFAULT, maxInt32));
  w.setInt32(slotWord + PRODUCER_EPOCH_WORD, integer('producerEpoch', batch.producerEpoch, -1, -1, 32767));
  w.setInt32(slotWord + BASE_SEQUENCE_WORD, integer('baseSequence', batch.baseSequence, -1, -1, maxInt32));
  const leaderEpoch = integer('partitionLeaderEpoch', batch.partitionLeaderEpoch, -1, -1, maxInt32);
  w.setInt32(slotWord + PARTITION_LEADER_EPOCH_WORD, leaderEpoch);
  const producerId = int64('producerId', batch.producerId ?? -1);
  w.setInt64(slotWord + PRODUCER_ID_WORD, producerId.low, producerId.high);
  const baseOffset = int64('baseOffset', batch.baseOffset ?? 0);
  w.setInt64(slotWord + STREAM_BASE_OFFSET_WORD, baseOffset.low, baseOffset.high);
  const transactional = flag('isTransactional', batch.isTransactional) ? ATTRIBUTE_TRANSACTIONAL : 0;
  const control = flag('isControl', batch.isControl) ? ATTRIBUTE_CONTROL : 0;
  w.setInt32(slotWord + ATTRIBUTES_WORD, transactional | control);
}

function integer(field: string, value: number | undefined, otherwise: number, min: number, max: number): number {
  if (value === undefined) return otherwise;
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw wrongInput(field, value, `an integer from ${min} to ${max}`);
}

function int64(field: string, value: Int64): { readonly low: number; readonly high: number } {
  const halves = int64Parts(value);
  if (halves === null) throw wrongInput(field, value, 'a Long, a bigint or a safe integer');
  return halves;
}

function flag(field: string, value: boolean | undefined): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true;
  throw wrongInput(field, value, 'true or false');
}
