// Owns the writing of a producer's response link: the outcomes of an application thread's records. Network thread. Frames without
// room wait here. When they take too much memory, the adapter takes no more records until the application reads.

import { RingCorruptError } from '../../common/errors/errors.ts';
import { toBriefError } from '../../common/errors/plain-error.ts';
import { TrackKind } from '../../common/record-tracking.ts';
import type { NetworkEnd } from '../../ring/attachment.ts';
import { type Frame, FrameQueue } from '../../ring/frames/frame.ts';
import {
  flushedFrame,
  producerClosedFrame,
  producerFatalFrame,
  transactionDoneFrame,
} from '../../ring/frames/producer-call-frames.ts';
import {
  type DeliveredError,
  type DeliveredRuns,
  DeliveredRunsBuilder,
  deliveredFrame,
  type GroupEndFrame,
  groupDoneFrame,
} from '../../ring/frames/record-frames.ts';
import type { ProducerCountersWriter } from '../../state/producer-counters.ts';
import type { BatchOutcome, RecordOwner, RecordRuns } from '../producer/record-owner.ts';
import { maxHeldBytes } from './held-frame.ts';

/** Limit of the bytes that describe one error. */
const maxErrorBytes = 2000;
/** How many errors of single records of a batch are reported. */
const maxRecordErrors = 20;
const maxRecordErrorLength = 300;

/** Records that share one Future. */
interface Group {
  settled: number;
  failed: number;
  /** -1: more records may come. */
  expected: number;
}

export class ProducerProxy implements RecordOwner {
  readonly #end: NetworkEnd;
  readonly #counters: ProducerCountersWriter;
  /** The application's numbers for topics. */
  readonly #handles = new Map<string, number>();
  readonly #groups = new Map<number, Group>();
  readonly #held: FrameQueue;
  #hasNews = false;
  #isClosed = false;
  /** The memory of the link holds an impossible value. Nothing is written any more. Null: it does not. */
  brokenBy: RingCorruptError | null = null;

  constructor(end: NetworkEnd, counters: ProducerCountersWriter) {
    this.#end = end;
    this.#held = new FrameQueue(end.responses);
    this.#counters = counters;
  }

  /** Whether frames wait for room. */
  get isBehind(): boolean {
    return this.#held.length > 0;
  }

  /** Whether so much waits here that no more records are taken until the application reads. */
  get isOverQuota(): boolean {
    return this.#held.waitingBytes > maxHeldBytes;
  }

  nameTopic(handle: number, name: string): void {
    this.#handles.set(name, handle);
  }

  onBatchSettled(outcome: BatchOutcome, runs: RecordRuns): void {
    const { owners, kinds, trackIds, counts } = runs;
    const told = new DeliveredRunsBuilder();
    let first = 0;
    let records = 0;
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i]!;
      if (owners[i] === this) {
        const kind = kinds[i]!;
        records += count;
        if (kind === TrackKind.GROUP) this.#inGroup(trackIds[i]!, count, outcome.error !== null);
        // A record that was written is only reported if it has a Future of its own. Failed records are always reported.
        if (kind === TrackKind.SINGLE || outcome.error !== null) told.add(trackIds[i]!, kind, count, first);
      }
      first += count;
    }
    this.#counters.add(outcome.error === null ? 'acknowledged' : 'failed', records);
    if (told.length > 0) this.#deliver(outcome, told.build());
    for (let i = 0; i < counts.length; i++) {
      if (owners[i] === this && kinds[i] === TrackKind.GROUP) this.#endGroup(trackIds[i]!);
    }
  }

  /** The group is complete. */
  groupComplete({ trackId, records }: GroupEndFrame): void {
    const group = this.#group(trackId);
    group.expected = records;
    this.#endGroup(trackId);
  }

  flushed(callId: number): void {
    this.#put(flushedFrame(callId));
  }

  transactionDone(callId: number, error: Error | null): void {
    const plain = error === null ? null : toBriefError(error, maxErrorBytes);
    this.#put(transactionDoneFrame({ callId, error: plain }));
  }

  fatal(error: Error): void {
    this.#counters.set('isFatal', 1);
    this.#put(producerFatalFrame(toBriefError(error, maxErrorBytes)));
  }

  closed(callId: number): void {
    this.#put(producerClosedFrame(callId));
  }

  /** The application does not read any more. */
  close(): void {
    this.#isClosed = true;
    this.#held.clear();
  }

  /** Writes what waited for room. */
  flush(): void {
    if (this.#held.flush() > 0) this.#hasNews = true;
    this.#end.responses.setWaiting(this.#held.length > 0);
  }

  /** Wakes the application if anything was written for it. */
  notify(): void {
    if (!this.#hasNews) return;
    this.#hasNews = false;
    this.#end.applicationDoorbell.notify();
  }

  /** Makes the next `notify` wake the application although no frame was written: there is room that it waits for. */
  ring(): void {
    this.#hasNews = true;
  }

  #deliver(outcome: BatchOutcome, runs: DeliveredRuns): void {
    const { partition, offsetLow, offsetHigh, logAppendTimeMs } = outcome;
    const topicHandle = this.#handles.get(outcome.topic) ?? -1;
    const error = deliveredError(outcome);
    this.#put(deliveredFrame({ topicHandle, partition, offsetLow, offsetHigh, logAppendTimeMs, error, runs }));
  }

  #inGroup(trackId: number, count: number, hasFailed: boolean): void {
    const group = this.#group(trackId);
    group.settled += count;
    if (hasFailed) group.failed += count;
  }

  #group(trackId: number): Group {
    let group = this.#groups.get(trackId);
    if (group === undefined) {
      group = { settled: 0, failed: 0, expected: -1 };
      this.#groups.set(trackId, group);
    }
    return group;
  }

  #endGroup(trackId: number): void {
    const group = this.#groups.get(trackId);
    if (group === undefined || group.settled !== group.expected) return;
    this.#groups.delete(trackId);
    this.#put(groupDoneFrame({ trackId, failed: group.failed }));
  }

  #put(frame: Frame): void {
    if (this.#isClosed) return;
    try {
      if (!this.#held.put(frame)) this.#end.responses.setWaiting(true);
    } catch (error) {
      if (!(error instanceof RingCorruptError)) throw error;
      // Outcomes of other threads' records, and the connection whose answer this is, have nothing to do with it.
      this.brokenBy = error;
      this.close();
      return;
    }
    // Also when the frame must wait for room: an application that blocks in waitSync reads when it is woken and sees that this thread waits.
    this.#hasNews = true;
  }
}

function deliveredError({ error, recordErrors }: BatchOutcome): DeliveredError | null {
  if (error === null) return null;
  const records = recordErrors
    .slice(0, maxRecordErrors)
    .map((each) => [each.index, each.error.message.slice(0, maxRecordErrorLength)] as const);
  return { error: toBriefError(error, maxErrorBytes), ...(records.length > 0 && { records }) };
}
