// Owns the interfaces of handed-out batches and of the applications that get them. Network thread. Must not know shared memory:
// worker/link implements them.

import type { TopicPartition } from '../../common/config/consumer-config.ts';
import type { ConsumerEvent } from '../../common/consumer-calls.ts';

/** A batch that an application has, or that is in its link. */
export interface HandedBatch {
  /** The offset from which `doneUpTo` counts. */
  readonly firstOffset: bigint;
  readonly nextOffset: bigint;
  /** The leader epoch of the last record. -1 for unknown. */
  readonly leaderEpoch: number;
  readonly count: number;
  /** The bytes that it takes until the application has it. */
  readonly byteLength: number;
  /** Everything before this offset is done. It is read from shared memory at each call. */
  doneUpTo(): bigint;
  /** Whether the application has not taken it yet. It is read from shared memory at each call. */
  isPosted(): boolean;
  /** Takes the batch back unless the application has it. @returns false when the application has it */
  withdraw(): boolean;
  /** Whether the application gave it back unfinished. It is read from shared memory at each call. */
  isReturned(): boolean;
  /** Gives up the unfinished part. The application now sees `lost`, and `doneUpTo` does not change any more. */
  giveUp(): void;
  /** Frees the batch's place in the table. */
  free(): void;
}

/** The error of a partition that was sent to an application. */
export interface RaisedError {
  /** Looks whether the application has taken it. To be called now and then. */
  see(): void;
  /** Takes the error back unless the application has it. Nothing may be called after this. */
  withdraw(): void;
}

/** Decoded records, ready to be handed out. */
export interface PreparedBatch {
  /** A prefix that the link fills, then the flat records. */
  readonly buffer: ArrayBuffer;
  readonly usedBytes: number;
  /** Size of its records as they were fetched. */
  readonly fetchedBytes: number;
  readonly count: number;
  readonly firstOffset: bigint;
  readonly nextOffset: bigint;
  readonly leaderEpoch: number;
}

/** What the application gets beside the records. */
export interface BatchLabel {
  readonly topic: string;
  readonly partition: number;
  readonly highWatermark: bigint;
  readonly lastStableOffset: bigint;
}

/** One application thread that reads records. */
export interface Application {
  readonly id: number;
  /** Reads what the application has done since the last call: finished records, requests for more. Returns whether there was anything. */
  see(): boolean;
  /** The time at which it last asked for records, in ms on the monotonic clock. Null for never. */
  lastAskedAt(now: number): number | null;
  /** Whether it waits for records now. */
  readonly isWaiting: boolean;
  /** Sends an event to the application. Returns false when events begin to be dropped because it does not read them. */
  tell(event: ConsumerEvent): boolean;
  /** Whether a batch of this size may be handed out now: there are a free place and room, and the application has taken most batches. */
  hasRoom(byteLength: number): boolean;
  /** Memory for a batch of so many bytes, a multiple of 8. It has any contents, and may be larger. The application may have given it back. */
  takeMemory(byteCount: number): ArrayBuffer;
  /** @returns null when there is no room */
  hand(batch: PreparedBatch, label: BatchLabel): HandedBatch | null;
  /** Sends an error about no partition. It is raised when the application has read the batches before it. Returns false when there is no room yet. */
  raise(error: Error): boolean;
  /** The same of the error that has stopped this partition. If a batch of it is given back, or it is sought, the error is not raised. @returns null when there is no room yet */
  raiseOf(place: TopicPartition, error: Error): RaisedError | null;
}
