// Owns the interface between a producer and the owners of its records: what they are told, and when. It also has the runs of records
// in a batch. Network thread.

import { TrackKind } from '../../common/record-tracking.ts';

/** The outcome of a batch: the place of its records in the log, or the error. */
export interface BatchOutcome {
  readonly topic: string;
  readonly partition: number;
  /** The offset of the first record, an int64 in halves. -1, -1: unknown. */
  readonly offsetLow: number;
  readonly offsetHigh: number;
  /** The LogAppendTime in ms. -1 if records keep their own timestamps. */
  readonly logAppendTimeMs: number;
  /** Null: the records were written. */
  readonly error: Error | null;
  /** If a batch was refused because of some of its records: their positions in the batch and their errors. Otherwise empty. */
  readonly recordErrors: readonly RecordError[];
}

export interface RecordError {
  readonly index: number;
  readonly error: Error;
}

/** Is told the outcomes of an application thread's records. */
export interface RecordOwner {
  /** A batch with records of this owner is settled. `runs` has the records of other owners too. */
  onBatchSettled(outcome: BatchOutcome, runs: RecordRuns): void;
}

/** The owners of a batch's records, as runs of consecutive records with the same owner and kind. */
export class RecordRuns {
  readonly owners: RecordOwner[] = [];
  readonly kinds: TrackKind[] = [];
  /** For a run of SINGLE records: the id of the first one. The ids of the next ones follow it. */
  readonly trackIds: number[] = [];
  readonly counts: number[] = [];
  /** The run to which the next record is added if these are its owner, kind and id. */
  #last = -1;
  #owner: RecordOwner | null = null;
  #kind: TrackKind = TrackKind.NONE;
  #nextId = 0;

  add(owner: RecordOwner, kind: TrackKind, trackId: number): void {
    if (owner === this.#owner && kind === this.#kind && trackId === this.#nextId) this.counts[this.#last]!++;
    else this.#begin(owner, kind, trackId);
    if (kind === TrackKind.SINGLE) this.#nextId = trackId + 1;
  }

  #begin(owner: RecordOwner, kind: TrackKind, trackId: number): void {
    this.#last++;
    this.#owner = owner;
    this.#kind = kind;
    this.#nextId = trackId;
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
