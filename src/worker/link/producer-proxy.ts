// Owns the writing of a producer's response link: the outcomes of an application thread's records. Network thread. Frames without
// room wait here. Their number is limited by the number of records whose outcome the application does not know yet.

import { toBriefJson } from '../../common/errors/plain-error.ts';
import type { NetworkEnd } from '../../ring/attachment.ts';
import {
  DELIVERED,
  FLUSHED,
  GROUP_DONE,
  PRODUCER_CLOSED,
  PRODUCER_FATAL,
  TRANSACTION_DONE,
} from '../../ring/frames.ts';
import {
  DELIVERED_ERROR_BYTES_WORD,
  DELIVERED_FIRST_RUN_WORD,
  DELIVERED_OFFSET_WORD,
  DELIVERED_PARTITION_WORD,
  DELIVERED_RUNS_WORD,
  DELIVERED_TIME_WORD,
  RUN_COUNT,
  RUN_FIRST,
  RUN_KIND,
  RUN_TRACK_ID,
  RUN_WORDS,
} from '../../ring/producer-frames.ts';
import type { ProducerCountersWriter } from '../../state/producer-counters.ts';
import { type BatchOutcome, type RecordOwner, type RecordRuns, TrackKind } from '../producer/record-owner.ts';

/** Limit of the bytes that describe one error. */
const maxErrorBytes = 2000;
/** How many errors of single records of a batch are reported. */
const maxRecordErrors = 20;
const maxRecordErrorLength = 300;
const two32 = 4294967296;

/** Records that share one Future. */
interface Group {
  settled: number;
  failed: number;
  /** -1: more records may come. */
  expected: number;
}

/** A frame that waits for room in the link. */
interface HeldFrame {
  readonly kind: number;
  readonly requestId: number;
  readonly detail: number;
  readonly body: Uint8Array | null;
}

export class ProducerProxy implements RecordOwner {
  readonly #end: NetworkEnd;
  readonly #counters: ProducerCountersWriter;
  /** The application's numbers for topics. */
  readonly #handles = new Map<string, number>();
  readonly #groups = new Map<number, Group>();
  #held: HeldFrame[] = [];
  #hasNews = false;
  #isClosed = false;

  constructor(end: NetworkEnd, counters: ProducerCountersWriter) {
    this.#end = end;
    this.#counters = counters;
  }

  /** Whether frames wait for room. */
  get isBehind(): boolean {
    return this.#held.length > 0;
  }

  nameTopic(handle: number, name: string): void {
    this.#handles.set(name, handle);
  }

  onBatchSettled(outcome: BatchOutcome, runs: RecordRuns): void {
    const { owners, kinds, trackIds, counts } = runs;
    const told: number[] = [];
    let first = 0;
    let records = 0;
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i]!;
      if (owners[i] === this) {
        const kind = kinds[i]!;
        records += count;
        if (kind === TrackKind.GROUP) this.#inGroup(trackIds[i]!, count, outcome.error !== null);
        // A record that was written is only reported if it has a Future of its own. Failed records are always reported.
        if (kind === TrackKind.SINGLE || outcome.error !== null) told.push(trackIds[i]!, kind, count, first);
      }
      first += count;
    }
    this.#counters.add(outcome.error === null ? 'acknowledged' : 'failed', records);
    if (told.length > 0) this.#deliver(outcome, told);
    for (let i = 0; i < counts.length; i++) {
      if (owners[i] === this && kinds[i] === TrackKind.GROUP) this.#endGroup(trackIds[i]!);
    }
  }

  /** The group is complete: it has `expected` records. */
  groupComplete(trackId: number, expected: number): void {
    const group = this.#group(trackId);
    group.expected = expected;
    this.#endGroup(trackId);
  }

  flushed(flushId: number): void {
    this.#put(FLUSHED, flushId, 0, null);
  }

  transactionDone(requestId: number, error: Error | null): void {
    this.#put(TRANSACTION_DONE, requestId, 0, error === null ? null : jsonOf(error));
  }

  fatal(error: Error): void {
    this.#counters.set('isFatal', 1);
    this.#put(PRODUCER_FATAL, 0, 0, jsonOf(error));
  }

  closed(requestId: number): void {
    this.#put(PRODUCER_CLOSED, requestId, 0, null);
  }

  /** The application does not read any more. */
  close(): void {
    this.#isClosed = true;
    this.#held = [];
  }

  /** Writes what waited for room. */
  flush(): void {
    let written = 0;
    for (const frame of this.#held) {
      if (!this.#write(frame)) break;
      written++;
    }
    if (written > 0) this.#held.splice(0, written);
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

  #deliver(outcome: BatchOutcome, told: readonly number[]): void {
    const { error } = outcome;
    const errorBytes = error === null ? null : errorJson(outcome, error);
    const bodyBytes = 4 * (DELIVERED_FIRST_RUN_WORD + told.length) + (errorBytes?.length ?? 0);
    const body = new Uint8Array((bodyBytes + 3) & ~3);
    const words = new Int32Array(body.buffer);
    words[DELIVERED_PARTITION_WORD] = outcome.partition;
    words[DELIVERED_OFFSET_WORD] = outcome.offsetLow;
    words[DELIVERED_OFFSET_WORD + 1] = outcome.offsetHigh;
    words[DELIVERED_TIME_WORD] = outcome.logAppendTimeMs | 0;
    words[DELIVERED_TIME_WORD + 1] = Math.floor(outcome.logAppendTimeMs / two32);
    words[DELIVERED_ERROR_BYTES_WORD] = errorBytes?.length ?? 0;
    words[DELIVERED_RUNS_WORD] = told.length / RUN_WORDS;
    for (let i = 0; i < told.length; i += RUN_WORDS) {
      const at = DELIVERED_FIRST_RUN_WORD + i;
      words[at + RUN_TRACK_ID] = told[i]!;
      words[at + RUN_KIND] = told[i + 1]!;
      words[at + RUN_COUNT] = told[i + 2]!;
      words[at + RUN_FIRST] = told[i + 3]!;
    }
    if (errorBytes !== null) body.set(errorBytes, 4 * (DELIVERED_FIRST_RUN_WORD + told.length));
    this.#put(DELIVERED, 0, this.#handles.get(outcome.topic) ?? -1, body.subarray(0, bodyBytes));
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
    this.#put(GROUP_DONE, trackId, group.failed, null);
  }

  #put(kind: number, requestId: number, detail: number, body: Uint8Array | null): void {
    if (this.#isClosed) return;
    const frame = { kind, requestId, detail, body };
    if (this.#held.length === 0 && this.#write(frame)) return;
    this.#held.push(frame);
    this.#end.responses.setWaiting(true);
  }

  #write({ kind, requestId, detail, body }: HeldFrame): boolean {
    const { responses } = this.#end;
    if (body === null) {
      if (!responses.commitEmpty(kind, requestId, detail)) return false;
    } else {
      if (!responses.begin(body.length)) return false;
      responses.u8.set(body, responses.base);
      if (!responses.commit(kind, requestId, detail, body.length)) {
        responses.abandon();
        return false;
      }
    }
    this.#hasNews = true;
    return true;
  }
}

function jsonOf(error: Error): Uint8Array {
  return Buffer.from(toBriefJson(error, maxErrorBytes));
}

/** A DeliveredError. */
function errorJson({ recordErrors }: BatchOutcome, error: Error): Uint8Array {
  const records = recordErrors
    .slice(0, maxRecordErrors)
    .map((each) => [each.index, each.error.message.slice(0, maxRecordErrorLength)] as const);
  const rest = records.length === 0 ? '' : `,"records":${JSON.stringify(records)}`;
  return Buffer.from(`{"error":${toBriefJson(error, maxErrorBytes)}${rest}}`);
}
