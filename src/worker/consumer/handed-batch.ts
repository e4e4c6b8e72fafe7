// Owns what the consumer knows of a batch that was handed to an application. Network thread. Must not know shared memory: a
// batch table (worker/link) implements it.

import type { ConsumerEvent } from '../../common/consumer-calls.ts';

/** A batch that is with an application, or on its way there. */
export interface HandedBatch {
  /** Offset that `doneUpTo` counts from. */
  readonly firstOffset: bigint;
  readonly nextOffset: bigint;
  /** Leader epoch of its last record, -1 for unknown. */
  readonly leaderEpoch: number;
  readonly count: number;
  /** Bytes it takes until the application has it. */
  readonly byteLength: number;
  /** Everything before this offset is done; read afresh. */
  doneUpTo(): bigint;
  /** Takes it back unless the application has it. @returns false when it has */
  withdraw(): boolean;
  /** Whether the application gave it back unfinished; read afresh. */
  isReturned(): boolean;
  /** Gives up what is not done: from now on the application is told `lost`. `doneUpTo` does not move any more. */
  giveUp(): void;
  /** Its place in the table may serve the next one. */
  free(): void;
}

/** Decoded records, ready to be handed out. */
export interface PreparedBatch {
  /** All of it: a prefix that the link fills, then the flat records. */
  readonly buffer: ArrayBuffer;
  readonly usedBytes: number;
  readonly count: number;
  readonly firstOffset: bigint;
  readonly nextOffset: bigint;
  readonly leaderEpoch: number;
}

/** What the application is told beside the records. */
export interface BatchLabel {
  readonly topic: string;
  readonly partition: number;
  /** That of the partition. */
  readonly round: number;
  readonly highWatermark: bigint;
  readonly lastStableOffset: bigint;
}

/** One application thread that reads. */
export interface Application {
  readonly id: number;
  /** Looks for what the application did since: marks, requests for more. Returns whether it did anything. */
  see(): boolean;
  /** ms of the monotonic clock, when it last asked for records; null for never. */
  lastAskedAt(now: number): number | null;
  /** Whether it waits for records right now. */
  readonly isWaiting: boolean;
  /** Tells of something that happened. */
  tell(event: ConsumerEvent): void;
  /** Whether a batch of this size may be handed out now: a free place, room, and not too many that it has not taken. */
  hasRoom(byteLength: number): boolean;
  /** @returns null when there is no room after all */
  hand(batch: PreparedBatch, label: BatchLabel): HandedBatch | null;
  /** An error that is raised when the application reaches it, in the order of batches. False: no room yet. */
  raise(error: Error): boolean;
}
