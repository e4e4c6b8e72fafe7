// Owns the parts of a producer in an application thread: its link, the topics that it has named, the waits for room and for the end.
// Application thread. Must not know serializers, hooks or arguments: producer.ts does.

import type { ProducerConfig } from '../../common/config/producer-options.ts';
import { IllegalStateError, NetworkThreadError, ProducerClosedError } from '../../common/errors/errors.ts';
import { fromPlainError, type PlainError, withDoubt } from '../../common/errors/plain-error.ts';
import { maxInt32 } from '../../common/numbers.ts';
import { TrackKind } from '../../common/record-tracking.ts';
import { openApplicationEnd } from '../../ring/attachment.ts';
import type { Frame } from '../../ring/frames/frame.ts';
import { flushFrame, producerCloseFrame } from '../../ring/frames/producer-call-frames.ts';
import { groupEndFrame, RECORD_PREFIX_BYTES, type RecordFields, topicFrame } from '../../ring/frames/record-frames.ts';
import { Lifeline } from '../../ring/lifeline.ts';
import { ProducerCountersReader } from '../../state/producer-counters.ts';
import type { ClientHost, ClientRole, ShownRole } from '../link/client-host.ts';
import { Future, fail, succeed } from '../link/future.ts';
import { BlockingLimit, startLimit } from '../link/late-limit.ts';
import { Deliveries } from './deliveries.ts';
import { flushTimeout, noRoom } from './late-errors.ts';
import { ProducerLink } from './producer-link.ts';
import type { ApplicationProducerLink } from './producer-memory.ts';
import type { DeliveryReport, RecordFailure } from './producer-types.ts';
import { type BytesInput, checkTopic, type HeaderPair } from './record-input.ts';
import { lengthsBytes, RecordWriter } from './record-writer.ts';

/** The bytes of a record in the ring without key, value and headers. */
const recordOverheadBytes = RECORD_PREFIX_BYTES + lengthsBytes;

interface RoomWaiter {
  readonly bytes: number;
  readonly future: Future<void>;
  readonly timer: NodeJS.Timeout | undefined;
}

export interface SessionListener {
  onFailure(failure: RecordFailure): void;
  onFatal(error: Error): void;
  /** No more records are accepted. */
  onRefused(reason: Error): void;
  /** The producer has ended: nothing is written any more. */
  onEnd(reason: Error): void;
}

export class ProducerSession implements ClientRole {
  readonly config: ProducerConfig;
  readonly counters: ProducerCountersReader;
  readonly deliveries: Deliveries;
  /** How many records were given to the producer. */
  appended = 0;
  readonly #host: ClientHost;
  readonly #link: ProducerLink;
  readonly #lifeline: Lifeline;
  readonly #writer: RecordWriter;
  readonly #listener: SessionListener;
  readonly #handles = new Map<string, number>();
  readonly #names: string[] = [];
  #lastTopic = '';
  #lastHandle = -1;
  #waiters: RoomWaiter[] = [];
  /** The room of which callers were told in this turn of the event loop. */
  #promisedBytes = 0;
  /** Whether this producer keeps the process alive. */
  #isHeld = false;
  #closing: Future<DeliveryReport> | null = null;
  /** Nothing is written or read any more. */
  #isOver = false;
  /** The error of every call. Null while the producer works. */
  #refusal: Error | null = null;
  #isInCallback = false;

  constructor(host: ClientHost, config: ProducerConfig, memory: ApplicationProducerLink, listener: SessionListener) {
    this.#host = host;
    this.config = config;
    this.#listener = listener;
    this.counters = new ProducerCountersReader(memory.counters);
    this.deliveries = new Deliveries(this.counters, {
      topicName: (handle) => this.#names[handle] ?? '',
      onFailure: (failure) => listener.onFailure(failure),
      onFatal: (error) => {
        this.#refuse(error);
        listener.onFatal(error);
      },
    });
    this.#link = new ProducerLink(
      openApplicationEnd(memory.link),
      (responses) => {
        const wasInCallback = this.#isInCallback;
        this.#isInCallback = true;
        try {
          this.deliveries.onFrame(responses);
        } finally {
          this.#isInCallback = wasInCallback;
        }
      },
      () => this.#onProgress(),
      (cause) => this.#broken(cause),
    );
    this.#lifeline = new Lifeline(memory.lifePort, { onTold: (reason) => this.#told(reason) });
    this.#writer = new RecordWriter(this.#link.end.requests, config.maxRequestSizeBytes);
    host.addRole(this);
    this.#link.listen();
  }

  get shown(): ShownRole {
    return { kind: 'producer', name: this.config.transactionalId ?? '', end: this.#link.end };
  }

  /** Whether `close` was called, or the client was closed. */
  get isClosing(): boolean {
    return this.#closing !== null;
  }

  /** The reason why no more records are accepted. Null while they are. */
  get refusal(): Error | null {
    return this.#refusal;
  }

  /** The bytes of records for which there is room now. */
  get roomBytes(): number {
    const { requests } = this.#link.end;
    return Math.max(0, this.#ringBytes - requests.usedBytes);
  }

  /** Writes one record. Returns false when there is no room. Throws: TypeError, RecordTooLargeError. */
  write(
    topic: string,
    route: RecordFields,
    key: BytesInput | null,
    value: BytesInput | null,
    headers: readonly HeaderPair[] | null,
  ): boolean {
    route.topicHandle = topic === this.#lastTopic ? this.#lastHandle : this.#handleOf(topic);
    if (this.#link.isOwing || !this.#writer.write(route, key, value, headers)) return false;
    this.appended++;
    this.#link.posted(this.#writer.lastBytes, route.kind === TrackKind.SINGLE);
    return true;
  }

  /** Something waits, so the process is kept alive until nothing waits. */
  busy(): void {
    if (this.#isHeld || this.#isOver) return;
    this.#isHeld = true;
    this.#host.hold();
  }

  groupComplete(trackId: number, records: number): void {
    if (this.#isOver) return;
    this.deliveries.groupComplete(trackId, records);
    this.#link.post(groupEndFrame({ trackId, records }));
    this.busy();
  }

  /** The source of the group has failed. The network thread forgets the group when the records that were written are settled. */
  groupFailed(trackId: number, records: number, error: Error): void {
    this.deliveries.failGroup(trackId, error);
    if (records > 0 && !this.#isOver) this.#link.post(groupEndFrame({ trackId, records }));
  }

  /** Posts a call whose end is told to `onDone`. */
  call(frameOf: (callId: number) => Frame, onDone: (error: Error | null) => void): void {
    if (this.#refusal === null) this.#call(frameOf, onDone);
    else onDone(this.#refusal);
  }

  #call(frameOf: (callId: number) => Frame, onDone: (error: Error | null) => void): void {
    this.#link.post(frameOf(this.deliveries.addCall(onDone)));
    this.busy();
  }

  /** @param future gets the report, unless it is done before */
  flush(timeoutMs: number, future = this.newFuture<DeliveryReport>()): Future<DeliveryReport> {
    let timer: NodeJS.Timeout | undefined;
    this.call(flushFrame, (error) => {
      clearTimeout(timer);
      if (future.isDone) return;
      if (error === null) succeed(future, this.deliveries.takeReport());
      else fail(future, error);
    });
    // The timer of a thread that was blocked fires before the thread hears of what was delivered meanwhile.
    const end = (): void => {
      this.#link.drain();
      if (!future.isDone) fail(future, flushTimeout(timeoutMs));
    };
    if (!future.isDone) timer = startLimit(end, timeoutMs, () => this.#host.catchUp());
    return future;
  }

  flushSync(timeoutMs: number): DeliveryReport {
    this.#refuseInCallback('flushSync');
    const limit = new BlockingLimit(timeoutMs);
    const future = this.flush(Number.POSITIVE_INFINITY);
    while (!future.isDone && limit.leftMs() > 0) this.#poll(limit);
    // A Future that is done takes no report later, so the next flush gets it.
    if (!future.isDone) fail(future, flushTimeout(timeoutMs));
    if (future.exception !== null) throw future.exception;
    return future.value!;
  }

  /** Runs the callbacks of deliveries. Waits for deliveries at most `timeoutMs`. Returns how many frames there were. */
  pollSync(timeoutMs: number): number {
    this.#refuseInCallback('pollSync');
    return this.#poll(new BlockingLimit(timeoutMs));
  }

  #poll(limit: BlockingLimit): number {
    this.#link.announce();
    const count = this.#link.drain();
    if (count > 0 || limit.leftMs() <= 0) return count;
    this.#link.blockUntil(this.#link.hasNews, limit);
    return this.#link.drain();
  }

  /** Succeeds when there is room for so many bytes. Fails with BufferExhaustedError after `maxBlockMs`. */
  ready(bytes: number): Future<void> {
    const future = this.newFuture<void>();
    const { maxBlockMs } = this.config;
    if (this.#refusal !== null) return future.failure(this.#refusal);
    if (this.#waiters.length === 0 && this.#hasRoom(bytes, this.#promisedBytes)) {
      this.#promise(bytes);
      return future.success(undefined);
    }
    const end = (): void => {
      if (future.isDone) return;
      this.#waiters = this.#waiters.filter((waiter) => waiter.future !== future);
      this.#updateHold();
      // There may be room of which the network thread has not told yet.
      if (this.#hasRoom(bytes, this.#promisedBytes)) {
        this.#promise(bytes);
        succeed(future, undefined);
      } else fail(future, noRoom(bytes, this.config));
    };
    const timer = startLimit(end, maxBlockMs, () => this.#host.catchUp());
    this.#waiters.push({ bytes, future, timer });
    this.busy();
    this.#wantRoom();
    // There may have been room just before this call.
    this.#serveWaiters();
    this.#link.announce();
    return future;
  }

  waitSync(bytes: number, timeoutMs: number): boolean {
    this.#link.announce();
    const isOver = (): boolean => this.#hasRoom(bytes);
    if (isOver()) return true;
    this.#link.wantRoom(recordOverheadBytes + bytes);
    const hasRoom = this.#link.blockUntil(isOver, new BlockingLimit(timeoutMs));
    this.#wantRoom();
    return hasRoom;
  }

  /** Each call returns the same Future. The earliest time limit counts. */
  close(timeoutMs: number): Future<DeliveryReport> {
    const toldMs = Number.isFinite(timeoutMs) ? Math.min(Math.max(0, Math.ceil(timeoutMs)), maxInt32) : -1;
    // The frame may have to wait behind records for which there is no memory.
    if (toldMs >= 0) this.#lifeline.closeWithin(toldMs);
    if (this.#closing !== null) return this.#closing;
    const future = this.newFuture<DeliveryReport>();
    this.#closing = future;
    if (this.#isOver) return future.success(this.deliveries.takeReport());
    const frameOf = (callId: number): Frame => producerCloseFrame({ callId, timeoutMs: toldMs });
    this.#call(frameOf, () => {
      this.#end(
        new ProducerClosedError('the producer was closed before its records were settled', { maybeWritten: true }),
      );
      if (!future.isDone) future.success(this.deliveries.takeReport());
    });
    this.#refuse(new ProducerClosedError('the producer is closed'));
    return future;
  }

  async closeWithClient(timeoutMs: number): Promise<void> {
    await this.close(timeoutMs).catch(() => {});
  }

  onThreadLost(error: Error): void {
    // Outcomes that were written before are in the link.
    this.#link.drain();
    this.#over(error);
  }

  #over(error: Error): void {
    if (this.#isOver) return;
    this.#refuse(error);
    this.#refusal = error;
    this.#end(withDoubt(error));
  }

  #refuse(reason: Error): void {
    if (this.#refusal !== null) return;
    this.#refusal = reason;
    this.#listener.onRefused(reason);
  }

  newFuture<T>(): Future<T> {
    return new Future<T>(this.#host.callbackThrew);
  }

  #handleOf(topic: string): number {
    let handle = this.#handles.get(topic);
    if (handle === undefined) {
      checkTopic(topic);
      handle = this.#names.length;
      this.#names.push(topic);
      this.#handles.set(topic, handle);
      this.#link.post(topicFrame({ topicHandle: handle, name: topic }));
    }
    this.#lastTopic = topic;
    this.#lastHandle = handle;
    return handle;
  }

  get #ringBytes(): number {
    return this.#link.end.requests.ringBytes;
  }

  /** @param besides bytes of the ring that others are about to use */
  #hasRoom(bytes: number, besides = 0): boolean {
    if (!this.#link.hasRoom(recordOverheadBytes + bytes)) return false;
    // Twice: at the end of the ring a record may leave as much unused as it needs.
    return besides === 0 || this.roomBytes >= 2 * (besides + recordOverheadBytes + bytes);
  }

  #onProgress(): void {
    if (this.#waiters.length > 0) this.#serveWaiters();
    this.#updateHold();
  }

  #serveWaiters(): void {
    while (this.#waiters.length > 0 && this.#hasRoom(this.#waiters[0]!.bytes, this.#promisedBytes)) {
      const { bytes, future, timer } = this.#waiters.shift()!;
      this.#promise(bytes);
      clearTimeout(timer);
      succeed(future, undefined);
    }
    this.#wantRoom();
  }

  /** Whoever was told of room writes a moment later. Until then it must not look free to others. */
  #promise(bytes: number): void {
    if (this.#promisedBytes === 0) {
      setImmediate(() => {
        this.#promisedBytes = 0;
        if (this.#waiters.length > 0) this.#serveWaiters();
      });
    }
    this.#promisedBytes += recordOverheadBytes + bytes;
  }

  #wantRoom(): void {
    const first = this.#waiters[0];
    this.#link.wantRoom(first === undefined ? -1 : recordOverheadBytes + first.bytes);
  }

  #updateHold(): void {
    if (!this.#isHeld || this.deliveries.isBusy || this.#waiters.length > 0) return;
    this.#isHeld = false;
    this.#host.release();
  }

  #broken(cause: unknown): void {
    const error = new NetworkThreadError('what the network thread sent a producer cannot be read', { cause });
    this.#over(error);
    this.#listener.onFatal(error);
  }

  #told(reason: PlainError): void {
    const error = fromPlainError(reason);
    this.onThreadLost(error);
    this.#listener.onFatal(error);
  }

  /** @param error of the records that may have been sent, and of the calls */
  #end(error: Error): void {
    this.#isOver = true;
    this.#link.close();
    this.#lifeline.close();
    this.#host.removeRole(this);
    this.deliveries.failAll(error);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { future, timer } of waiters) {
      clearTimeout(timer);
      fail(future, error);
    }
    this.#listener.onEnd(this.#refusal ?? error);
    this.#updateHold();
  }

  #refuseInCallback(what: string): void {
    if (!this.#isInCallback) return;
    throw new IllegalStateError(`${what} inside a delivery's callback would wait for itself; await flush() instead`);
  }
}
