// Owns how outcomes for the owners of records are made. Network thread.

import type { BatchOutcome, RecordError } from './record-owner.ts';

/** The outcome of records that all failed for the same reason. */
export function outcomeOf(
  topic: string,
  partition: number,
  error: Error | null,
  recordErrors: readonly RecordError[] = [],
): BatchOutcome {
  return { topic, partition, offsetLow: -1, offsetHigh: -1, logAppendTimeMs: -1, error, recordErrors };
}
