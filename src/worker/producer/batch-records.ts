// Owns the reading of records out of a closed batch, for batches that are split or encoded again for old brokers. Network thread. Must
// only be used for batches that this thread wrote: nothing is checked.

import { ByteArena } from '../../codec/byte-arena.ts';
import { decompress } from '../../codec/index.ts';
import { readSigned, readWide, varintEnd } from '../../protocol/flat/varints.ts';
import { BATCH_HEADER_BYTES } from '../../protocol/wire/records/record-batch.ts';
import type { ProducerBatch } from './producer-batch.ts';

/** Called with each record, in order: its timestamp, and its bytes from the length of the key on. */
export type RecordVisitor = (timestampMs: number, bytes: Uint8Array, from: number, to: number, index: number) => void;

export function visitRecords(batch: ProducerBatch, visit: RecordVisitor): void {
  let bytes: Uint8Array = batch.memory!;
  let at = BATCH_HEADER_BYTES;
  if (batch.codec !== 0) {
    const arena = new ByteArena();
    arena.limit = batch.uncompressedBytes;
    decompress(batch.codec, bytes, BATCH_HEADER_BYTES, batch.end, arena);
    bytes = arena.bytes;
    at = 0;
  }
  for (let index = 0; index < batch.count; index++) {
    const size = readSigned(bytes, at);
    const end = varintEnd + size;
    const delta = readWide(bytes, varintEnd + 1);
    readSigned(bytes, varintEnd);
    visit(batch.baseTimestamp + delta, bytes, varintEnd, end, index);
    at = end;
  }
}
