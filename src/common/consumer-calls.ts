// Owns the types of a consumer's calls to the network thread, of their answers and of its events. They are plain data for JSON.
// Types only. Every thread.

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
  /** The answer shows that the caller's link is read. */
  | { readonly op: 'hello' }
  | { readonly op: 'subscribe'; readonly subscription: Subscription }
  | { readonly op: 'unsubscribe' }
  | { readonly op: 'assign'; readonly partitions: readonly AssignedStart[] }
  | { readonly op: 'seek'; readonly topic: string; readonly partition: number; readonly start: StartAt }
  | { readonly op: 'pause' | 'resume'; readonly partitions: readonly TopicPartition[] | null }
  /** Null: the offsets of everything that is done. */
  | { readonly op: 'commit'; readonly offsets: readonly PlainOffset[] | null; readonly timeoutMs: number }
  | { readonly op: 'committed'; readonly partitions: readonly TopicPartition[]; readonly timeoutMs: number }
  | { readonly op: 'offsets'; readonly questions: readonly PlainQuestion[]; readonly timeoutMs: number }
  | { readonly op: 'close'; readonly timeoutMs: number; readonly leave: LeaveModeName };

export interface PlainFound extends TopicPartition {
  /** Null: there is no such record, or nothing was committed. */
  readonly offset: string | null;
  readonly timestampMs?: number;
  readonly leaderEpoch: number;
  readonly metadata?: string | null;
}

/** The answer to `commit`. Some offsets may have been committed even if there is an error. */
export interface PlainCommitReport {
  readonly committed: readonly TopicPartition[];
  readonly error: PlainError | null;
}

export type ConsumerAnswer = null | PlainCommitReport | readonly PlainFound[];

/** The events of a consumer. */
export type ConsumerEvent =
  | { readonly type: 'assigned' | 'revoked' | 'lost'; readonly partitions: readonly TopicPartition[] }
  | { readonly type: 'blocked'; readonly sinceMs: number; readonly policy: string }
  | { readonly type: 'stalled'; readonly topic: string; readonly partition: number; readonly cause: string }
  | {
      readonly type: 'truncated';
      readonly topic: string;
      readonly partition: number;
      /** int64 in decimal. Reading was at `from` and goes on at `to`. */
      readonly from: string;
      readonly to: string;
    }
  /** The consumer was closed. Nothing comes after this event. */
  | { readonly type: 'closed' }
  /** `isFatal`: the consumer has stopped and can only be closed. */
  | { readonly type: 'error'; readonly error: PlainError; readonly isFatal: boolean };

/** The state of a consumer that any thread may read at any time. */
export interface PartitionSnapshot {
  readonly topic: string;
  readonly partition: number;
  /** The next offset to hand out. Null until it is known. */
  readonly position: bigint | null;
  /** Everything before this offset is done. */
  readonly done: bigint | null;
  readonly committed: bigint | null;
  /** The beginning of the log. Null until the first fetch was answered. */
  readonly begin: bigint | null;
  /** The end of what may be read. Null until the first fetch was answered. */
  readonly end: bigint | null;
  readonly isPaused: boolean;
  /** The replica that the leader has named for fetches (KIP-392). -1: the leader itself is asked. */
  readonly preferredReplica: number;
}

export interface ConsumerSnapshot {
  /** Kafka's name of the member's state. Without a group: `UNASSIGNED` or `ASSIGNED`. */
  readonly state: string;
  readonly protocol: 'consumer' | 'classic' | null;
  readonly memberId: string;
  /** The member epoch or the generation. -1 for none. */
  readonly epoch: number;
  /** Code and message of the last error; null for none. */
  readonly lastError: { readonly code: string; readonly message: string } | null;
  readonly partitions: readonly PartitionSnapshot[];
}
