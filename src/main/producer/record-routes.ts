// Owns the ways of records into a producer's link: one by one without an object, one with a Future, or many with one Future. Application
// thread. Must not know events, transactions or the end of a producer: producer.ts does.

import {
  BufferExhaustedError,
  IllegalStateError,
  RecordTooLargeError,
  SerializationError,
} from '../../common/errors/errors.ts';
import { LINGER_AS_CONFIGURED, TrackKind } from '../../common/record-tracking.ts';
import { thrownError } from '../../common/thrown.ts';
import type { RecordFields } from '../../ring/frames/record-frames.ts';
import { abortError, onAbort } from '../link/abort-signals.ts';
import { type Future, fail } from '../link/future.ts';
import type { Prepared, Preparer } from './preparer.ts';
import type { ProducerSession } from './producer-session.ts';
import type { DeliveryReport, GroupAppender, ProducerRecord, RecordMetadata, RecordsSource } from './producer-types.ts';
import {
  type BytesInput,
  checkRecord,
  exactBytes,
  type HeaderPair,
  headerPairs,
  partitionOf,
  timestampOf,
} from './record-input.ts';
import { Taking } from './taking.ts';

/** Records that share one Future. */
interface Group {
  readonly topic: string;
  readonly trackId: number;
  readonly endsAtFailure: boolean;
  /** The transaction that was asked to send them: the id of the call that began it. Null: the producer was. */
  readonly transaction: number | null;
  readonly taking: Taking;
  /** How many records were written. */
  written: number;
}

/** How `sendAll` takes records. */
export interface GroupOptions extends Pick<Group, 'endsAtFailure' | 'transaction'> {
  /** Ends the taking of records. */
  readonly signal: AbortSignal | null;
}

export class RecordRoutes<K, V> {
  readonly #session: ProducerSession;
  readonly #preparer: Preparer<K, V>;
  /** Those that still take records. */
  readonly #groups = new Set<Group>();
  /** One object for all records. It is filled before each record. */
  readonly #route: RecordFields = {
    topicHandle: 0,
    kind: 0,
    trackId: 0,
    partition: -1,
    lingerMs: 0,
    timestampMs: Number.NaN,
  };

  constructor(session: ProducerSession, preparer: Preparer<K, V>) {
    this.#session = session;
    this.#preparer = preparer;
  }

  /** Writes one record of bytes. Returns false when there is no room. Throws: see `Producer.append`. */
  append(
    topic: string,
    kind: TrackKind,
    trackId: number,
    key: BytesInput | null,
    value: BytesInput | null,
    partition: number | undefined,
  ): boolean {
    const session = this.#session;
    if (session.refusal !== null) throw session.refusal;
    const route = this.#route;
    route.kind = kind;
    route.trackId = trackId;
    route.partition = partition === undefined ? -1 : partitionOf(partition);
    if (route.partition < 0 && this.#preparer.hasPartitioner)
      route.partition = this.#preparer.partitionFor(topic, key, value);
    route.lingerMs = LINGER_AS_CONFIGURED;
    route.timestampMs = Number.NaN;
    return session.write(topic, route, key, value, null);
  }

  /** Writes the record, or settles the Future with the reason why not. Throws: TypeError, RangeError. */
  send(topic: string, prepared: Prepared, lingerMs: number, future: Future<RecordMetadata>): void {
    const { deliveries, refusal } = this.#session;
    if (refusal !== null) {
      fail(future, refusal);
      return;
    }
    const timestampMs = Number.isNaN(prepared.timestampMs) ? Date.now() : prepared.timestampMs;
    const trackId = deliveries.nextTrackId();
    let isTaken: boolean;
    try {
      const route = this.#route;
      route.kind = TrackKind.SINGLE;
      route.trackId = trackId;
      route.partition = prepared.partition;
      route.lingerMs = lingerMs;
      route.timestampMs = timestampMs;
      isTaken = this.#session.write(topic, route, prepared.key, prepared.value, prepared.headers);
    } catch (error) {
      if (error instanceof TypeError || error instanceof RangeError) throw error;
      fail(future, thrownError(error));
      return;
    }
    if (isTaken) {
      deliveries.addRecord(trackId, { future, timestampMs });
      this.#session.busy();
      return;
    }
    const { bufferMemoryBytes } = this.#session.config;
    const text = `there is no room for the record: await producer.ready() and send it again, or raise bufferMemoryBytes (${bufferMemoryBytes})`;
    fail(future, new BufferExhaustedError(text, { topic, maybeWritten: false }));
  }

  /**
   * Writes the records of the source, or those of the callback. The Future gets their report.
   * @param how `endsAtFailure`: whether no later record is taken when one cannot be written; `signal`: not aborted yet
   */
  sendAll(
    topic: string,
    records: RecordsSource<K, V> | ((appender: GroupAppender) => void),
    future: Future<DeliveryReport>,
    how: GroupOptions,
  ): void {
    const { deliveries } = this.#session;
    const trackId = deliveries.nextTrackId();
    deliveries.addGroup(trackId, future);
    if (typeof records === 'function') {
      this.#collect(topic, records, trackId);
      return;
    }
    const { endsAtFailure, transaction, signal } = how;
    const taking = new Taking();
    const group: Group = { topic, trackId, endsAtFailure, transaction, taking, written: 0 };
    this.#groups.add(group);
    const stopListening = signal === null ? null : onAbort(signal, () => taking.end(abortError('sendAll', signal)));
    const isOver = (): void => {
      this.#groups.delete(group);
      stopListening?.();
    };
    const isAtOnce =
      this.#preparer.isPlain && typeof records === 'object' && records !== null && Symbol.iterator in records;
    const taken = isAtOnce
      ? this.#writeEach(group, records as Iterable<ProducerRecord>)
      : this.#prepareEach(group, records);
    taken.finally(isOver).then(
      () => this.#session.groupComplete(trackId, group.written),
      (error: unknown) => this.#session.groupFailed(trackId, group.written, thrownError(error)),
    );
  }

  /** Each `sendAll` that still takes records ends with this error, whatever it waits for. @param transaction only those of that transaction */
  takeNoMore(error: Error, transaction?: number): void {
    for (const group of this.#groups)
      if (transaction === undefined || group.transaction === transaction) group.taking.end(error);
  }

  #collect(topic: string, collect: (appender: GroupAppender) => void, trackId: number): void {
    let count = 0;
    let isOver = false;
    const appender: GroupAppender = {
      append: (key, value, partition) => {
        if (isOver)
          throw new IllegalStateError('append: the callback of sendAll has returned; its report counts no more');
        const isTaken = this.append(topic, TrackKind.GROUP, trackId, key, value, partition);
        if (isTaken) count++;
        return isTaken;
      },
    };
    try {
      collect(appender);
    } finally {
      isOver = true;
      this.#session.groupComplete(trackId, count);
    }
  }

  /** Records of bytes that nothing has to be done with before. From a list, no object is made for a record without headers. */
  async #writeEach(group: Group, records: Iterable<ProducerRecord>): Promise<void> {
    if (this.#preparer.tail !== null) await group.taking.unlessEnded(this.#preparer.serialized());
    if (!Array.isArray(records)) {
      for (const record of records) {
        const taken = this.#take(group, record);
        if (!(typeof taken === 'boolean' ? taken : await taken) && group.endsAtFailure) break;
      }
      return;
    }
    // By numbers: an iterator would make an object for each record.
    for (let i = 0; i < records.length; i++) {
      const taken = this.#take(group, records[i]);
      if (!(typeof taken === 'boolean' ? taken : await taken) && group.endsAtFailure) break;
    }
  }

  /** Whether the record was written; if not, it has failed alone. A promise while there is no room. */
  #take(group: Group, record: ProducerRecord): boolean | Promise<boolean> {
    group.taking.check();
    checkRecord(record);
    const key = record.key ?? null;
    const { value } = record;
    const headers = headerPairs(record.headers);
    const partition = partitionOf(record.partition);
    const timestampMs = timestampOf(record.timestamp);
    try {
      if (this.#writeOfGroup(group, key, value, headers, partition, timestampMs)) return true;
    } catch (error) {
      if (this.#isOfRecord(group, error)) return false;
      throw error;
    }
    return this.#takeLater(group, { key, value, headers, partition, timestampMs });
  }

  async #takeLater(group: Group, { key, value, headers, partition, timestampMs }: Prepared): Promise<boolean> {
    do await this.#room(group, exactBytes(key, value, headers));
    while (!this.#writeOfGroup(group, key, value, headers, partition, timestampMs));
    return true;
  }

  async #prepareEach(group: Group, records: RecordsSource<K, V>): Promise<void> {
    const { taking } = group;
    if (this.#preparer.tail !== null) await taking.unlessEnded(this.#preparer.serialized());
    for await (const record of Symbol.asyncIterator in records ? taking.from(records) : records) {
      taking.check();
      checkRecord(record);
      try {
        const preparing = this.#preparer.prepare(group.topic, record, partitionOf(record.partition));
        const prepared =
          preparing instanceof Promise ? await taking.unlessEnded(this.#preparer.unlessDropped(preparing)) : preparing;
        const { key, value, headers, partition, timestampMs } = prepared;
        while (!this.#writeOfGroup(group, key, value, headers, partition, timestampMs))
          await this.#room(group, exactBytes(key, value, headers));
      } catch (error) {
        if (!this.#isOfRecord(group, error)) throw error;
        if (group.endsAtFailure) break;
      }
    }
  }

  #room({ taking }: Group, bytes: number): Promise<void> {
    return taking.unlessEnded(this.#session.ready(bytes));
  }

  /** Whether only one record has failed, and the others go on. It is noted as a failure of the group. */
  #isOfRecord({ topic, trackId }: Group, error: unknown): boolean {
    if (!(error instanceof RecordTooLargeError || error instanceof SerializationError)) return false;
    this.#session.deliveries.failInGroup(trackId, { topic, partition: -1, records: 1, error });
    return true;
  }

  #writeOfGroup(
    group: Group,
    key: BytesInput | null,
    value: BytesInput | null,
    headers: readonly HeaderPair[] | null,
    partition: number,
    timestampMs: number,
  ): boolean {
    group.taking.check();
    // All fields are set, because other records may have been written while this one waited for room.
    const route = this.#route;
    route.kind = TrackKind.GROUP;
    route.trackId = group.trackId;
    route.partition = partition;
    route.lingerMs = LINGER_AS_CONFIGURED;
    route.timestampMs = timestampMs;
    if (!this.#session.write(group.topic, route, key, value, headers)) return false;
    group.written++;
    return true;
  }
}
