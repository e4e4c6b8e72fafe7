// Owns the checks of single records that a leader makes before it appends: times too far ahead, and in compacted topics
// keys that are missing. Runs in the broker's thread. Records are looked at only where the batch's head asks for it.

import type { RecordsView } from '../protocol/flat/records/record-view.ts';
import type { BatchBounds } from './batches.ts';
import type { Topic } from './cluster-state.ts';
import { errorCodes } from './error-codes.ts';
import { decodeBatch } from './record-times.ts';

export interface BadRecord {
  readonly batchIndex: number;
  readonly batchIndexErrorMessage: string;
}

export interface RecordProblem {
  readonly errorCode: number;
  readonly recordErrors: readonly BadRecord[];
}

const hourMs = 3_600_000;

/** Null when all is well. */
export function checkRecords(
  topic: Topic,
  bytes: Buffer,
  batches: readonly BatchBounds[],
  now: number,
): RecordProblem | null {
  const isCompacted = topic.configs.get('cleanup.policy')?.split(',').includes('compact') ?? false;
  const isCreateTime = topic.configs.get('message.timestamp.type') !== 'LogAppendTime';
  const latest = now + Number(topic.configs.get('message.timestamp.after.max.ms') ?? hourMs);
  for (const batch of batches) {
    const isAhead = isCreateTime && batch.maxTimestamp > latest;
    if (!isCompacted && !isAhead) continue;
    const records = decodeBatch(bytes.subarray(batch.start, batch.end));
    if (records.error !== null) return { errorCode: errorCodes.CORRUPT_MESSAGE, recordErrors: [] };
    const withoutKey = isCompacted ? badRecords(records, (cursor) => cursor.keyLength < 0, 'a record without key') : [];
    if (withoutKey.length > 0) return { errorCode: errorCodes.INVALID_RECORD, recordErrors: withoutKey };
    const ahead = isAhead ? badRecords(records, (cursor) => cursor.timestamp > latest, 'a time too far ahead') : [];
    if (ahead.length > 0) return { errorCode: errorCodes.INVALID_TIMESTAMP, recordErrors: ahead };
  }
  return null;
}

type Cursor = ReturnType<RecordsView['cursor']>;

function badRecords(records: RecordsView, isBad: (cursor: Cursor) => boolean, problem: string): BadRecord[] {
  const bad: BadRecord[] = [];
  let index = 0;
  for (const cursor = records.cursor(); cursor.next(); index++) {
    if (isBad(cursor)) bad.push({ batchIndex: index, batchIndexErrorMessage: `${problem}, at ${index} of the batch` });
  }
  return bad;
}
