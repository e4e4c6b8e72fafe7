// Owns the Futures, groups and flushes of this thread that wait for outcomes of records. Outcomes are read from the link. Application
// thread. Must not write.

import { fromPlainError } from '../../common/errors/plain-error.ts';
import { TrackKind } from '../../common/record-tracking.ts';
import { longOf, shownLong } from '../../common/shown-long.ts';
import { refuseFrame } from '../../ring/frames/frame.ts';
import {
  DELIVERED,
  FLUSHED,
  GROUP_DONE,
  PRODUCER_CLOSED,
  PRODUCER_FATAL,
  TRANSACTION_DONE,
} from '../../ring/frames/kinds.ts';
import {
  takeFlushed,
  takeProducerClosed,
  takeProducerFatal,
  takeTransactionDone,
} from '../../ring/frames/producer-call-frames.ts';
import {
  type DeliveredError,
  type DeliveredFrame,
  type GroupDoneFrame,
  takeDelivered,
  takeGroupDone,
} from '../../ring/frames/record-frames.ts';
import type { LinkReader } from '../../ring/link.ts';
import type { ProducerCountersReader } from '../../state/producer-counters.ts';
import { type Future, fail, succeed } from '../link/future.ts';
import type { DeliveryReport, RecordFailure, RecordMetadata } from './producer-types.ts';

const maxFailures = 100;

/** A record with a Future of its own. */
export interface PendingRecord {
  readonly future: Future<RecordMetadata>;
  readonly timestampMs: number;
}

interface PendingGroup {
  readonly future: Future<DeliveryReport>;
  records: number;
  /** How many records were not written, and so are not the network thread's. */
  refused: number;
  readonly failures: RecordFailure[];
}

export interface DeliveryListener {
  topicName(handle: number): string;
  onFailure(failure: RecordFailure): void;
  onFatal(error: Error): void;
}

export class Deliveries {
  readonly #listener: DeliveryListener;
  readonly #counters: ProducerCountersReader;
  readonly #records = new Map<number, PendingRecord>();
  readonly #groups = new Map<number, PendingGroup>();
  /** The flushes, the calls of transactions and the close, by their ids. */
  readonly #calls = new Map<number, (error: Error | null) => void>();
  #failures: RecordFailure[] = [];
  #reported = { acknowledged: 0, failed: 0 };
  #lastTrackId: number;
  #lastCallId: number;

  /** @param lastId uint32 that the ids of records and of calls begin behind; only tests pass another value than 0 */
  constructor(counters: ProducerCountersReader, listener: DeliveryListener, lastId = 0) {
    this.#counters = counters;
    this.#listener = listener;
    this.#lastTrackId = lastId;
    this.#lastCallId = lastId;
  }

  /** Whether anything waits. */
  get isBusy(): boolean {
    return this.#records.size > 0 || this.#groups.size > 0 || this.#calls.size > 0;
  }

  /** A uint32 that is not 0 and not in use. */
  nextTrackId(): number {
    let id = this.#lastTrackId;
    do id = id === 0xffffffff ? 1 : id + 1;
    while (this.#records.has(id) || this.#groups.has(id));
    this.#lastTrackId = id;
    return id;
  }

  addRecord(trackId: number, record: PendingRecord): void {
    this.#records.set(trackId, record);
  }

  addGroup(trackId: number, future: Future<DeliveryReport>): void {
    this.#groups.set(trackId, { future, records: 0, refused: 0, failures: [] });
  }

  /** The group is complete. It has so many records. */
  groupComplete(trackId: number, records: number): void {
    const group = this.#groups.get(trackId);
    if (group !== undefined) group.records = records;
  }

  /** A record of the group could not be written. */
  failInGroup(trackId: number, failure: RecordFailure): void {
    const group = this.#groups.get(trackId);
    if (group === undefined) return;
    group.refused += failure.records;
    if (group.failures.length < maxFailures) group.failures.push(failure);
  }

  /** The group will not be completed: its Future fails. */
  failGroup(trackId: number, error: Error): void {
    const group = this.#groups.get(trackId);
    this.#groups.delete(trackId);
    if (group !== undefined) fail(group.future, error);
  }

  /** Registers a callback for the end of a call. Returns the id of the call: a uint32 that is not 0 and not in use. */
  addCall(onDone: (error: Error | null) => void): number {
    let id = this.#lastCallId;
    do id = id === 0xffffffff ? 1 : id + 1;
    while (this.#calls.has(id));
    this.#lastCallId = id;
    this.#calls.set(id, onDone);
    return id;
  }

  /** The records that were settled since the last report. */
  takeReport(): DeliveryReport {
    const acknowledged = this.#counters.get('acknowledged');
    const failed = this.#counters.get('failed');
    const newlyFailed = failed - this.#reported.failed;
    const records = acknowledged - this.#reported.acknowledged + newlyFailed;
    const failures = this.#failures;
    this.#failures = [];
    this.#reported = { acknowledged, failed };
    return { records, failed: newlyFailed, failures };
  }

  /** Takes the current frame, and tells whoever waits for it. */
  onFrame(responses: LinkReader): void {
    switch (responses.kind) {
      case DELIVERED:
        this.#delivered(takeDelivered(responses));
        break;
      case GROUP_DONE:
        this.#groupDone(takeGroupDone(responses));
        break;
      case FLUSHED:
        this.#callDone(takeFlushed(responses), null);
        break;
      case PRODUCER_CLOSED:
        this.#callDone(takeProducerClosed(responses), null);
        break;
      case TRANSACTION_DONE: {
        const { callId, error } = takeTransactionDone(responses);
        this.#callDone(callId, error === null ? null : fromPlainError(error));
        break;
      }
      case PRODUCER_FATAL:
        this.#listener.onFatal(fromPlainError(takeProducerFatal(responses)));
        break;
      default:
        refuseFrame(responses, 'the link of a producer');
    }
  }

  /** No more outcomes will come: everything that waits fails. */
  failAll(error: Error): void {
    const records = [...this.#records.values()];
    const groups = [...this.#groups.values()];
    const calls = [...this.#calls.values()];
    this.#records.clear();
    this.#groups.clear();
    this.#calls.clear();
    for (const { future } of records) fail(future, error);
    for (const { future } of groups) fail(future, error);
    for (const call of calls) call(error);
  }

  #delivered(delivered: DeliveredFrame): void {
    const { partition, runs, error: failed, logAppendTimeMs } = delivered;
    const topic = this.#listener.topicName(delivered.topicHandle);
    const error = failed === null ? null : fromPlainError(failed.error);
    const base = longOf(delivered.offsetLow, delivered.offsetHigh);
    for (let run = 0; run < runs.length; run++) {
      const trackId = runs.trackId(run);
      const kind = runs.kind(run);
      const count = runs.count(run);
      const first = runs.position(run);
      if (error !== null) this.#noteFailure({ topic, partition, records: count, error }, kind, trackId);
      if (kind !== TrackKind.SINGLE) continue;
      for (let i = 0; i < count; i++) {
        const pending = this.#takeRecord((trackId + i) >>> 0);
        if (pending === undefined) continue;
        if (error !== null) {
          fail(pending.future, errorOfRecord(failed!, first + i, error));
        } else {
          const offset = base.isNegative() ? base : shownLong(base.add(first + i));
          succeed(pending.future, {
            topic,
            partition,
            offset,
            timestampMs: logAppendTimeMs < 0 ? pending.timestampMs : logAppendTimeMs,
          });
        }
      }
    }
  }

  #takeRecord(trackId: number): PendingRecord | undefined {
    const pending = this.#records.get(trackId);
    this.#records.delete(trackId);
    return pending;
  }

  #noteFailure(failure: RecordFailure, kind: TrackKind, trackId: number): void {
    if (this.#failures.length < maxFailures) this.#failures.push(failure);
    if (kind === TrackKind.GROUP) {
      const group = this.#groups.get(trackId);
      if (group !== undefined && group.failures.length < maxFailures) group.failures.push(failure);
    }
    this.#listener.onFailure(failure);
  }

  #groupDone({ trackId, failed }: GroupDoneFrame): void {
    const group = this.#groups.get(trackId);
    if (group === undefined) return;
    this.#groups.delete(trackId);
    const { records, refused, failures } = group;
    succeed(group.future, { records: records + refused, failed: failed + refused, failures });
  }

  #callDone(callId: number, error: Error | null): void {
    const onDone = this.#calls.get(callId);
    this.#calls.delete(callId);
    onDone?.(error);
  }
}

/** The error of one record. If the broker has named the record, it has an error of its own. */
function errorOfRecord({ error, records }: DeliveredError, index: number, common: Error): Error {
  const own = records?.find(([at]) => at === index);
  return own === undefined ? common : fromPlainError({ ...error, message: own[1] });
}
