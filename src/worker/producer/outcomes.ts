// Owns the making of outcomes: what records' owners are told. Network thread.

import type { BatchOutcome, RecordError } from './record-owner.ts';

/** Records that failed, all for the same reason. */
export function outcomeOf(
  topic: string,
  partition: number,
  error: Error | null,
  recordErrors: readonly RecordError[] = [],
): BatchOutcome {
  return { topic, partition, offsetLow: -1, offsetHigh: -1, logAppendTimeMs: -1, error, recordErrors };
}
