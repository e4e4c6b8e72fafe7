// Owns the error classes of consumers. Every thread.

import { type ErrorDetails, KafkaClientError } from './kafka-client-error.ts';

/** An error about one partition of a topic, and mostly about one offset in it. */
export abstract class PartitionError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_PARTITION';
  /** int64: where the trouble is; null when it has no place. */
  readonly recordOffset: bigint | null;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.recordOffset = details.recordOffset === undefined ? null : BigInt(details.recordOffset);
  }
}

/** The partition has no committed offset, and `autoOffsetReset` is `none`: seek, or choose where to start. */
export class NoOffsetForPartitionError extends PartitionError {
  static override readonly code: string = 'KAFKA_NO_OFFSET_FOR_PARTITION';
}

/** The position is outside of the partition's log, and `autoOffsetReset` is `none`. `recordOffset` is the position. */
export class PositionOutsideLogError extends PartitionError {
  static override readonly code: string = 'KAFKA_POSITION_OUTSIDE_LOG';
}

/** The log was cut off below the position (KIP-320), and `autoOffsetReset` is `none`. `recordOffset` is where both part. */
export class LogTruncationError extends PartitionError {
  static override readonly code: string = 'KAFKA_LOG_TRUNCATION';
}

/** A batch of records that cannot be read, raised when the reader reaches it. Seek past `recordOffset` to go on. */
export class CorruptBatchError extends PartitionError {
  static override readonly code: string = 'KAFKA_CORRUPT_BATCH';
}

/** The offsets were not committed: the partitions, or the membership, are not this member's any more. */
export class CommitFailedError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_COMMIT_FAILED';
}

/** The group will not have this member, whatever it does: only closing is left. `cause` is the broker's error. */
export class GroupFatalError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_GROUP_FATAL';
}
