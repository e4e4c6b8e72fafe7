// Owns the reading of the records in one batch, and of their times for ListOffsets: the only place where the embedded
// broker looks into a batch. Runs in the broker's thread. It uses the client's own decoder.

import { HeapMemory } from '../common/memory.ts';
import { FlatMessage } from '../protocol/flat/flat-view.ts';
import { FlatWriter } from '../protocol/flat/flat-writer.ts';
import { RecordsView } from '../protocol/flat/records/record-view.ts';
import { RECORDS_WORDS } from '../protocol/flat/records/records-slot.ts';
import type { DecodeOptions } from '../protocol/wire/options.ts';
import { decodeRecords } from '../protocol/wire/records/records.ts';
import { WireReader } from '../protocol/wire/wire-reader.ts';

export interface RecordTime {
  readonly offset: number;
  readonly timestamp: number;
}

const options: DecodeOptions = { verifyCrc: false, records: 'rows', maxDecompressedBytes: 2 ** 28 };

export function recordTimes(batch: Buffer): RecordTime[] {
  const records = decodeBatch(batch);
  if (records.error !== null) throw records.error;
  const times: RecordTime[] = [];
  for (const cursor = records.cursor(); cursor.next(); ) {
    times.push({ offset: cursor.offset, timestamp: cursor.timestamp });
  }
  return times;
}

/** The records of one batch; whoever asks looks at `error` first. */
export function decodeBatch(batch: Buffer): RecordsView {
  const memory = new HeapMemory(batch.length * 2);
  const writer = new FlatWriter().reset(memory);
  const slot = writer.alloc(RECORDS_WORDS);
  decodeRecords(new WireReader(batch), batch.length, writer, slot, options);
  const byteLength = writer.finish();
  return new RecordsView(new FlatMessage({ i32: memory.i32, u8: memory.u8, base: 0, byteLength }), slot);
}
