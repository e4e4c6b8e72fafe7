// Owns the writing of one application thread's consumer link (batches, answers, events, errors) and its table of batches. Network
// thread. Must not drop anything that an application waits for: if a frame does not fit, it waits here, in order.

import type { TopicPartition } from '../../common/config/consumer-config.ts';
import type { ConsumerAnswer, ConsumerEvent } from '../../common/consumer-calls.ts';
import { RingCorruptError } from '../../common/errors/errors.ts';
import { toPlainError } from '../../common/errors/plain-error.ts';
import type { NetworkEnd } from '../../ring/attachment.ts';
import {
  consumerAnswerFrame,
  consumerEventFrame,
  consumerRaiseFrame,
  consumerRefusalFrame,
  consumerTopicFrame,
  writeConsumerBatch,
} from '../../ring/frames/consumer-frames.ts';
import { type Frame, FrameQueue, writeFrame } from '../../ring/frames/frame.ts';
import { BatchTableOwner, offsetsOf } from '../../state/batch-table.ts';
import type { Application, BatchLabel, HandedBatch, PreparedBatch, RaisedError } from '../consumer/handed-batch.ts';
import { keyOf } from '../consumer/partition.ts';
import type { ConsumerRecorder } from './consumer-recorder.ts';
import { maxHeldBytes } from './held-frame.ts';

/**
 * How many batches may be in the link and not taken. With 8 of them a thread that is busy for 20 ms at a time had read all of them long before
 * it was busy again (bench/peers/load.ts).
 */
const maxUntaken = 64;
const maxUntakenBytes = 32 * 1024 * 1024;
/** How many events wait for room. Further events are dropped, but for the end of the consumer. */
const maxHeldEvents = 1024;

export class ConsumerProxy implements Application {
  readonly id: number;
  readonly #end: NetworkEnd;
  readonly #table: BatchTableOwner;
  readonly #handles = new Map<string, number>();
  /** Places in the table whose batch the application has not taken. */
  readonly #untaken = new Map<number, number>();
  #untakenBytes = 0;
  readonly #maxUntakenBytes: number;
  readonly #held: FrameQueue;
  /** The memory of the link holds an impossible value: nothing is written any more, and nothing handed out. Null: it does not. */
  brokenBy: RingCorruptError | null = null;
  #hasNews = false;
  #dropsEvents = false;
  /** How many batches of each partition the application has given back, and how often it has sought it. It skips what was sent before this thread saw that. */
  readonly #returns = new Map<string, number>();
  /** The application's polls that were recorded. */
  #recorded = { count: 0, lastAtMs: 0, idleMs: 0 };

  /** @param prefetchBytes the consumer's; at most half as much waits decoded in the link, or one batch */
  constructor(id: number, end: NetworkEnd, table: SharedArrayBuffer, prefetchBytes: number) {
    this.id = id;
    this.#maxUntakenBytes = Math.min(maxUntakenBytes, prefetchBytes / 2);
    this.#end = end;
    this.#held = new FrameQueue(end.responses);
    this.#table = new BatchTableOwner(table);
  }

  /** Whether the application has written anything that was not read yet. Asked before the thread sleeps. */
  hasWork(): boolean {
    if (this.brokenBy !== null || this.#table.hasChanged()) return true;
    return this.#held.length > 0 && this.#guarded(() => this.#end.responses.isEmpty(), true);
  }

  /** Whether so much waits here that no more calls are taken until the application reads. */
  get isOverQuota(): boolean {
    return this.#held.waitingBytes > maxHeldBytes;
  }

  see(): boolean {
    const hasChanged = this.#table.hasChanged();
    this.#table.see();
    for (const [place, byteLength] of this.#untaken) {
      if (this.#table.isPosted(place)) continue;
      this.#untaken.delete(place);
      this.#untakenBytes -= byteLength;
    }
    return hasChanged;
  }

  /** Records how often the application has asked since the last call, and how long it waited. */
  recordPolls(recorder: ConsumerRecorder, now: number): void {
    const before = this.#recorded;
    const polls = this.#table.polls();
    if (polls.count === before.count && polls.idleMs === before.idleMs) return;
    this.#recorded = polls;
    // All are uint32 that may wrap.
    const gapMs = before.count === 0 ? null : (polls.lastAtMs - before.lastAtMs) >>> 0;
    recorder.polled((polls.count - before.count) >>> 0, gapMs, (polls.idleMs - before.idleMs) >>> 0, now);
  }

  lastAskedAt(now: number): number | null {
    return this.#table.lastAskedAt(now);
  }

  get isWaiting(): boolean {
    return this.#table.isWaiting;
  }

  hasRoom(byteLength: number): boolean {
    if (this.#held.length > 0 || this.#table.freePlaces === 0) return false;
    if (this.#untaken.size > 0) {
      if (this.#untaken.size >= maxUntaken || this.#untakenBytes + byteLength > this.#maxUntakenBytes) return false;
    }
    return this.#guarded(() => this.#end.responses.hasRoom(byteLength), false);
  }

  takeMemory(byteCount: number): ArrayBuffer {
    return this.#end.responses.spareMemory(byteCount);
  }

  hand(batch: PreparedBatch, label: BatchLabel): HandedBatch | null {
    const topicHandle = this.#handleOf(label.topic);
    if (topicHandle < 0) return null;
    const posted = this.#table.post();
    if (posted === null) return null;
    const { place, serial } = posted;
    const { buffer, usedBytes, count, leaderEpoch, firstOffset, nextOffset } = batch;
    const { topic, partition, highWatermark, lastStableOffset } = label;
    const offsets = { firstOffset, nextOffset, highWatermark, lastStableOffset };
    const key = keyOf(topic, partition);
    const returns = this.#returnsOf(key);
    const fields = { place, topicHandle, partition, serial, count, leaderEpoch, ...offsets, returns };
    if (!this.#guarded(() => writeConsumerBatch(this.#end.responses, buffer, usedBytes, fields), false)) {
      this.#table.free(place);
      return null;
    }
    this.#hasNews = true;
    this.#untaken.set(place, batch.usedBytes);
    this.#untakenBytes += batch.usedBytes;
    return new PlacedBatch(this.#table, place, batch, () => this.#skipOlder(key));
  }

  raise(error: Error): boolean {
    if (this.#held.length > 0) return false;
    return this.#write(consumerRaiseFrame({ error: toPlainError(error), place: null, ticket: null, returns: 0 }));
  }

  raiseOf(place: TopicPartition, error: Error): RaisedError | null {
    const ticket = this.#held.length > 0 ? null : this.#table.post();
    if (ticket === null) return null;
    const returns = this.#returnsOf(keyOf(place.topic, place.partition));
    if (this.#write(consumerRaiseFrame({ error: toPlainError(error), place, ticket, returns })))
      return new PlacedError(this.#table, ticket.place);
    this.#table.free(ticket.place);
    return null;
  }

  tell(event: ConsumerEvent): boolean {
    const isEnd = event.type === 'closed' || (event.type === 'error' && event.isFatal);
    if (isEnd || this.#held.length < maxHeldEvents) {
      this.#put(consumerEventFrame(event));
      this.#dropsEvents = false;
      return true;
    }
    const isFirst = !this.#dropsEvents;
    this.#dropsEvents = true;
    return !isFirst;
  }

  /** The application has sought this partition. */
  sought(topic: string, partition: number): void {
    this.#skipOlder(keyOf(topic, partition));
  }

  answer(callId: number, answer: ConsumerAnswer): void {
    this.#put(consumerAnswerFrame({ callId, answer }));
  }

  fail(callId: number, error: unknown): void {
    this.#put(consumerRefusalFrame({ callId, error: toPlainError(error) }));
  }

  /** Writes what waited for room, and wakes the application if anything is new. Returns true when nothing waits any more. */
  flush(): boolean {
    const { responses } = this.#end;
    const flush = (): void => {
      if (this.#held.flush() > 0) this.#hasNews = true;
      responses.setWaiting(this.#held.length > 0 || !responses.hasRoom(0));
    };
    this.#guarded(flush, undefined);
    if (this.#hasNews) this.#end.applicationDoorbell.notify();
    this.#hasNews = false;
    return this.#held.length === 0;
  }

  close(): void {
    this.#end.close();
  }

  #handleOf(topic: string): number {
    const known = this.#handles.get(topic);
    if (known !== undefined) return known;
    const handle = this.#handles.size;
    if (!this.#write(consumerTopicFrame({ topicHandle: handle, name: topic }))) return -1;
    this.#handles.set(topic, handle);
    return handle;
  }

  #returnsOf(key: string): number {
    return this.#returns.get(key) ?? 0;
  }

  #skipOlder(key: string): void {
    this.#returns.set(key, (this.#returnsOf(key) + 1) | 0);
  }

  #put(frame: Frame): void {
    if (this.#guarded(() => this.#held.put(frame), false)) this.#hasNews = true;
  }

  #write(frame: Frame): boolean {
    if (!this.#guarded(() => writeFrame(this.#end.responses, frame), false)) return false;
    this.#hasNews = true;
    return true;
  }

  /**
   * Returns what `use` returns, and `broken` from the first time on at which the link's memory holds an impossible value. The consumer,
   * its other threads, and the connection whose answer is told here have nothing to do with that.
   */
  #guarded<T>(use: () => T, broken: T): T {
    if (this.brokenBy !== null) return broken;
    try {
      return use();
    } catch (error) {
      if (!(error instanceof RingCorruptError)) throw error;
      this.brokenBy = error;
      this.#held.clear();
      return broken;
    }
  }
}

/** It has a place among the batches, so that it can be taken back like one. */
class PlacedError implements RaisedError {
  readonly #table: BatchTableOwner;
  readonly #place: number;
  #isOver = false;

  constructor(table: BatchTableOwner, place: number) {
    this.#table = table;
    this.#place = place;
  }

  see(): void {
    if (!this.#isOver && !this.#table.isPosted(this.#place)) this.withdraw();
  }

  withdraw(): void {
    if (!this.#isOver) this.#table.free(this.#place);
    this.#isOver = true;
  }
}

class PlacedBatch implements HandedBatch {
  readonly firstOffset: bigint;
  readonly nextOffset: bigint;
  readonly leaderEpoch: number;
  readonly count: number;
  readonly byteLength: number;
  readonly #table: BatchTableOwner;
  readonly #place: number;
  readonly #onReturned: () => void;

  /** @param onReturned called at the end of a batch that the application gave back */
  constructor(table: BatchTableOwner, place: number, batch: PreparedBatch, onReturned: () => void) {
    this.#onReturned = onReturned;
    this.#table = table;
    this.#place = place;
    this.firstOffset = batch.firstOffset;
    this.nextOffset = batch.nextOffset;
    this.leaderEpoch = batch.leaderEpoch;
    this.count = batch.count;
    this.byteLength = batch.usedBytes;
  }

  doneUpTo(): bigint {
    const { firstOffset } = this;
    return firstOffset + offsetsOf(this.#table.done(this.#place), this.nextOffset - firstOffset);
  }

  isPosted(): boolean {
    return this.#table.isPosted(this.#place);
  }

  withdraw(): boolean {
    return this.#table.withdraw(this.#place);
  }

  isReturned(): boolean {
    return this.#table.isReturned(this.#place);
  }

  giveUp(): void {
    this.#table.giveUp(this.#place);
  }

  free(): void {
    // After this it cannot be given back any more.
    this.#table.giveUp(this.#place);
    if (this.#table.isReturned(this.#place)) this.#onReturned();
    this.#table.free(this.#place);
  }
}
