// Owns the making of record batches for tests and for filling logs. Runs on any thread. It uses the client's own
// encoder; the golden vectors are what proves that encoder.

import { crc32c } from '../codec/crc32c.ts';
import { HeapMemory } from '../common/memory.ts';
import { FlatMessage } from '../protocol/flat/flat-view.ts';
import { FlatWriter } from '../protocol/flat/flat-writer.ts';
import { type RecordBatchInput, type RecordsInput, writeRecords } from '../protocol/flat/records/record-writer.ts';
import { RECORDS_WORDS } from '../protocol/flat/records/records-slot.ts';
import { encodeRecords } from '../protocol/wire/records/records.ts';
import { WireWriter } from '../protocol/wire/wire-writer.ts';
import type { FillOptions } from './actions.ts';

const produceKey = 0;
// Of a batch of format v2.
const v2HeadBytes = 61;
const lengthAt = 8;
const lengthCountedFrom = 12;
const crcAt = 17;
const attributesAt = 21;
const codecMask = 7;
const lastOffsetDeltaAt = 23;
const countAt = 57;
/** A version that takes every codec and wants format v2. */
export const builderProduceVersion = 9;

/** One batch of format v2, or the messages of an older Produce version's format. */
export function buildBatch(records: RecordsInput, produceVersion = builderProduceVersion): Buffer {
  const memory = new HeapMemory(64 * 1024);
  const writer = new FlatWriter().reset(memory);
  const slot = writer.alloc(RECORDS_WORDS);
  writeRecords(writer, slot, records);
  const byteLength = writer.finish();
  const message = new FlatMessage({ i32: memory.i32, u8: memory.u8, base: 0, byteLength });
  const wire = new WireWriter();
  wire.describe('Produce', produceKey, produceVersion);
  encodeRecords(message, slot, wire);
  return wire.finish();
}

/** A batch of `count` records as `fill` stores them: values of printable text, so that codecs have something to do. */
export function buildFillBatch(options: FillOptions, count: number, firstNumber: number): Buffer {
  const { valueBytes = 100, keyBytes = 8, compression = 'none' } = options;
  const records = Array.from({ length: count }, (_, i) => ({
    key: keyBytes < 0 ? null : text(firstNumber + i, keyBytes),
    value: text((firstNumber + i) * 7919, valueBytes),
    timestamp: firstFillTime + firstNumber + i,
  }));
  const input: RecordBatchInput = { records, compression };
  return buildBatch(input);
}

/**
 * A batch of format v2 as the log cleaner leaves it: it keeps its offsets up to `lastOffsetDelta`, although its last records are
 * gone, or all records with `isEmpty`.
 */
export function asCompacted(batch: Buffer, lastOffsetDelta: number, isEmpty = false): Buffer {
  const bytes = Buffer.from(isEmpty ? batch.subarray(0, v2HeadBytes) : batch);
  bytes.writeInt32BE(lastOffsetDelta, lastOffsetDeltaAt);
  if (isEmpty) {
    bytes.writeInt32BE(bytes.length - lengthCountedFrom, lengthAt);
    bytes.writeInt16BE(bytes.readInt16BE(attributesAt) & ~codecMask, attributesAt);
    bytes.writeInt32BE(0, countAt);
  }
  bytes.writeUInt32BE(crc32c(bytes, attributesAt, bytes.length), crcAt);
  return bytes;
}

/** The control batch that ends a transaction. */
export function buildMarker(producerId: number, producerEpoch: number, isCommit: boolean): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt16BE(isCommit ? 1 : 0, 2);
  // Version and coordinator epoch.
  const value = Buffer.alloc(6);
  return buildBatch({
    records: [{ key, value, timestamp: Date.now() }],
    producerId,
    producerEpoch,
    isTransactional: true,
    isControl: true,
  });
}

const firstFillTime = 1_700_000_000_000;

function text(seed: number, bytes: number): string {
  const number = seed.toString(36);
  return number.repeat(Math.ceil(bytes / number.length)).slice(0, bytes);
}
