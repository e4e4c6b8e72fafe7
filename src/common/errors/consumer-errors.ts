// Owns the error classes of consumers. Every thread.

import type Long from 'long';
import { shownLong } from '../shown-long.ts';
import { type ErrorDetails, KafkaClientError } from './kafka-client-error.ts';

/** An error about one partition of a topic, usually about one offset in it. */
export abstract class PartitionError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_PARTITION';
  /** The offset at which the error is, an int64. Null when the error is not about one offset. */
  readonly recordOffset: Long | null;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details);
    this.recordOffset = details.recordOffset === undefined ? null : shownLong(details.recordOffset);
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

/** The log was truncated below the position (KIP-320), and `autoOffsetReset` is `none`. `recordOffset` is the first offset that differs. */
export class LogTruncationError extends PartitionError {
  static override readonly code: string = 'KAFKA_LOG_TRUNCATION';
}

/** A batch of records that cannot be read. It is raised when the consumer reaches the batch. Seek past `recordOffset` to go on. */
export class CorruptBatchError extends PartitionError {
  static override readonly code: string = 'KAFKA_CORRUPT_BATCH';
}

/** A broker answered a fetch with an error that no other try makes good. `recordOffset` is the position, `cause` the broker's error. */
export class FetchFailedError extends PartitionError {
  static override readonly code: string = 'KAFKA_FETCH_FAILED';
}

/** A deserializer of the application has thrown. `recordOffset` is the record's offset, `cause` what was thrown. Seek past the record to go on. */
export class RecordDeserializationError extends PartitionError {
  static override readonly code: string = 'KAFKA_RECORD_DESERIALIZATION';
}

/** The offsets were not committed: this consumer has lost the partitions, or is no longer a member of the group. */
export class CommitFailedError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_COMMIT_FAILED';
}

/** The group does not accept this member. The consumer can only be closed. `cause` is the broker's error. */
export class GroupFatalError extends KafkaClientError {
  static override readonly code: string = 'KAFKA_GROUP_FATAL';
}
