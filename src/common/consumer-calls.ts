// Owns the shape of what an application asks of its consumer in the network thread, and what it is answered: plain data that JSON
// carries. Types only; every thread.

import type { AssignedStart, StartAt, Subscription, TopicPartition } from './config/consumer-config.ts';
import type { PlainError } from './errors/plain-error.ts';

/** An offset of a partition, in decimal. */
export interface PlainOffset extends TopicPartition {
  readonly offset: string;
  readonly leaderEpoch?: number;
  readonly metadata?: string | null;
}

export interface PlainQuestion extends TopicPartition {
  /** ms since the epoch; -1 for the end, -2 for the beginning. */
  readonly timestampMs: number;
}

export type LeaveModeName = 'default' | 'leave' | 'remain';

export type ConsumerCall =
  | { readonly op: 'subscribe'; readonly subscription: Subscription }
  | { readonly op: 'unsubscribe' }
  | { readonly op: 'assign'; readonly partitions: readonly AssignedStart[] }
  | { readonly op: 'seek'; readonly topic: string; readonly partition: number; readonly start: StartAt }
  | { readonly op: 'pause' | 'resume'; readonly partitions: readonly TopicPartition[] | null }
  /** Null: everything that is done. */
  | { readonly op: 'commit'; readonly offsets: readonly PlainOffset[] | null; readonly timeoutMs: number }
  | { readonly op: 'committed'; readonly partitions: readonly TopicPartition[]; readonly timeoutMs: number }
  | { readonly op: 'offsets'; readonly questions: readonly PlainQuestion[]; readonly timeoutMs: number }
  | { readonly op: 'close'; readonly timeoutMs: number; readonly leave: LeaveModeName };

export interface PlainFound extends TopicPartition {
  /** Null: no record that young, or nothing committed. */
  readonly offset: string | null;
  readonly timestampMs?: number;
  readonly leaderEpoch: number;
  readonly metadata?: string | null;
}

/** Answers `commit` with what was committed; an error does not exclude that some were. */
export interface PlainCommitReport {
  readonly committed: readonly TopicPartition[];
  readonly error: PlainError | null;
}

export type ConsumerAnswer = null | PlainCommitReport | readonly PlainFound[];

/** What listeners of a consumer hear of. */
export type ConsumerEvent =
  | { readonly type: 'assigned' | 'revoked' | 'lost'; readonly partitions: readonly TopicPartition[] }
  | { readonly type: 'blocked'; readonly sinceMs: number; readonly policy: string }
  | { readonly type: 'stalled'; readonly topic: string; readonly partition: number; readonly cause: string }
  | {
      readonly type: 'truncated';
      readonly topic: string;
      readonly partition: number;
      /** int64 in decimal: where the reader was, and where it goes on. */
      readonly from: string;
      readonly to: string;
    }
  /** Nothing comes any more: whoever it belongs to has closed it. */
  | { readonly type: 'closed' }
  /** Fatal: the consumer does nothing any more, and can only be closed. */
  | { readonly type: 'error'; readonly error: PlainError; readonly isFatal: boolean };

/** What any thread may read of a consumer at any time. */
export interface PartitionSnapshot {
  readonly topic: string;
  readonly partition: number;
  /** Next offset to hand out; null until it is known. */
  readonly position: bigint | null;
  /** Everything before is done. */
  readonly done: bigint | null;
  readonly committed: bigint | null;
  /** End of what may be read; null until a fetch has told. */
  readonly end: bigint | null;
  readonly isPaused: boolean;
}

export interface ConsumerSnapshot {
  /** Kafka's name of the member's state; `UNASSIGNED` or `ASSIGNED` without group management. */
  readonly state: string;
  readonly protocol: 'consumer' | 'classic' | null;
  readonly memberId: string;
  /** Member epoch or generation; -1 for none. */
  readonly epoch: number;
  /** Code and message of the last error; null for none. */
  readonly lastError: { readonly code: string; readonly message: string } | null;
  readonly partitions: readonly PartitionSnapshot[];
}
