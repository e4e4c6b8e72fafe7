// Owns the encoding of a batch's records for brokers before 0.11: a message set. Network thread. It is rare and slow: such brokers know
// neither batches nor idempotence.

import { HeapMemory } from '../../common/memory.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import { type RecordWriter, writeRecords } from '../../protocol/flat/records/record-writer.ts';
import { compressionTypes, RECORDS_WORDS } from '../../protocol/flat/records/records-slot.ts';
import { readSigned, varintEnd } from '../../protocol/flat/varints.ts';
import { encodeStream } from '../../protocol/wire/records/record-stream.ts';
import { WireWriter } from '../../protocol/wire/wire-writer.ts';
import { visitRecords } from './batch-records.ts';
import type { ProducerBatch } from './producer-batch.ts';

/** The message set for a Produce request of this version (0 to 2). Throws InvalidRequestError for headers and zstd. */
export function legacyRecords(batch: ProducerBatch, version: number): Uint8Array {
  const memory = new HeapMemory(batch.uncompressedBytes + 1024);
  const flat = new FlatWriter().reset(memory);
  const slot = flat.alloc(RECORDS_WORDS);
  const append = (records: RecordWriter): void => {
    visitRecords(batch, (timestampMs, bytes, from) => appendTo(records, timestampMs, bytes, from));
  };
  writeRecords(flat, slot, { records: append, compression: compressionTypes[batch.codec] ?? 'none' });
  const byteLength = flat.finish();
  const wire = new WireWriter();
  wire.describe('Produce', 0, version);
  encodeStream(new FlatMessage({ i32: memory.i32, u8: memory.u8, base: memory.base, byteLength }), slot, wire);
  return wire.finish();
}

function appendTo(records: RecordWriter, timestampMs: number, bytes: Uint8Array, from: number): void {
  let at = from;
  const take = (): Uint8Array | null => {
    const length = readSigned(bytes, at);
    at = varintEnd + Math.max(length, 0);
    return length < 0 ? null : bytes.subarray(varintEnd, at);
  };
  const key = take();
  const value = take();
  const count = readSigned(bytes, at);
  at = varintEnd;
  const headers: [string, Uint8Array | null][] = [];
  for (let i = 0; i < count; i++) headers.push([Buffer.from(take()!).toString('utf8'), take()]);
  records.append(key, value, timestampMs, headers);
}
