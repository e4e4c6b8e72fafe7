// Owns the contract between a producer and whoever appended its records: what is told of them, and when. Types and the runs of
// records in a batch. Network thread.

import { TrackKind } from '../../common/record-tracking.ts';

/** Where a batch of records ended, or why it did not. */
export interface BatchOutcome {
  readonly topic: string;
  readonly partition: number;
  /** int64 of the first record, in halves; -1, -1: unknown. */
  readonly offsetLow: number;
  readonly offsetHigh: number;
  /** LogAppendTime in ms, -1 where records keep their own. */
  readonly logAppendTimeMs: number;
  /** Null: the records are in the log. */
  readonly error: Error | null;
  /** Of a batch that was refused for some records: their positions in the batch and what was wrong with each; else empty. */
  readonly recordErrors: readonly RecordError[];
}

export interface RecordError {
  readonly index: number;
  readonly error: Error;
}

/** An application thread's records: who hears how they ended. */
export interface RecordOwner {
  /** A batch with records of this owner has ended, one way or the other. `runs` holds those of others too. */
  onBatchSettled(outcome: BatchOutcome, runs: RecordRuns): void;
}

/** Which records of a batch are whose: runs of consecutive records that are settled alike. */
export class RecordRuns {
  readonly owners: RecordOwner[] = [];
  readonly kinds: TrackKind[] = [];
  /** Of a run of SINGLE records: the id of the first, each following one's is one more. */
  readonly trackIds: number[] = [];
  readonly counts: number[] = [];

  get length(): number {
    return this.counts.length;
  }

  add(owner: RecordOwner, kind: TrackKind, trackId: number): void {
    const last = this.counts.length - 1;
    if (last >= 0 && this.owners[last] === owner && this.kinds[last] === kind) {
      const expected = this.trackIds[last]! + (kind === TrackKind.SINGLE ? this.counts[last]! : 0);
      if (expected === trackId) {
        this.counts[last] = this.counts[last]! + 1;
        return;
      }
    }
    this.owners.push(owner);
    this.kinds.push(kind);
    this.trackIds.push(trackId);
    this.counts.push(1);
  }

  /** Tells each owner once. */
  settle(outcome: BatchOutcome): void {
    for (let i = 0; i < this.owners.length; i++) {
      const owner = this.owners[i]!;
      if (this.owners.indexOf(owner) === i) owner.onBatchSettled(outcome, this);
    }
  }
}
