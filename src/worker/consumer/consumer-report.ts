// Owns the numbers that a consumer reports. Types only. Network thread. No decision may depend on it.

/** The part of a partition that is measured. */
export interface BufferedBytes {
  readonly bufferedBytes: number;
}

/** Durations are in ms, `now` is ms on the monotonic clock. */
export interface ConsumerReport {
  /** A fetch was answered, with so many bytes of records. */
  fetched(durationMs: number, bytes: number, throttleTimeMs: number, now: number): void;
  /** Records were handed out to an application thread. `bytes` is their size as they were fetched. */
  handedOut(topic: string, records: number, bytes: number, now: number): void;
  /** A round has ended. The partitions tell how many fetched bytes wait for the application. */
  roundEnded(partitions: readonly BufferedBytes[], now: number): void;
  commitEnded(durationMs: number, isCommitted: boolean, now: number): void;
  /** A question for committed offsets has ended. */
  committedAnswered(durationMs: number, now: number): void;
  heartbeatAnswered(durationMs: number, now: number): void;
  /** JoinGroup and SyncGroup of the classic protocol were answered without an error. */
  joined(durationMs: number, now: number): void;
  synced(durationMs: number, now: number): void;
  rebalanced(durationMs: number, now: number): void;
  rebalanceFailed(now: number): void;
}
