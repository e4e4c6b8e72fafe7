// Owns the writing of one application thread's consumer link (batches, answers, events, errors) and its table of batches. Network
// thread. Must not drop anything that an application waits for: if a frame does not fit, it waits here, in order.

import type { ConsumerAnswer, ConsumerEvent } from '../../common/consumer-calls.ts';
import { toPlainError } from '../../common/errors/plain-error.ts';
import type { NetworkEnd } from '../../ring/attachment.ts';
import {
  BATCH_COUNT_WORD,
  BATCH_FIRST_OFFSET_WORD,
  BATCH_HIGH_WATERMARK_WORD,
  BATCH_LAST_STABLE_WORD,
  BATCH_LEADER_EPOCH_WORD,
  BATCH_NEXT_OFFSET_WORD,
  BATCH_PARTITION_WORD,
  BATCH_ROUND_WORD,
  BATCH_SERIAL_WORD,
  CONSUMER_ANSWER,
  CONSUMER_BATCH,
  CONSUMER_EVENT,
  CONSUMER_RAISE,
  CONSUMER_TOPIC,
} from '../../ring/frames.ts';
import { BatchTableOwner } from '../../state/batch-table.ts';
import type { Application, BatchLabel, HandedBatch, PreparedBatch } from '../consumer/handed-batch.ts';

/** How many batches may be in the link and not taken. It is enough for a busy thread, and few have to be taken back. */
const maxUntaken = 8;
const maxUntakenBytes = 16 * 1024 * 1024;
/** How many events wait for room. Further events are dropped. */
const maxHeldEvents = 1024;

interface HeldFrame {
  readonly kind: number;
  readonly requestId: number;
  readonly detail: number;
  readonly body: Buffer;
}

export class ConsumerProxy implements Application {
  readonly id: number;
  readonly #end: NetworkEnd;
  readonly #table: BatchTableOwner;
  readonly #handles = new Map<string, number>();
  /** Places in the table whose batch the application has not taken. */
  readonly #untaken = new Map<number, number>();
  #untakenBytes = 0;
  #held: HeldFrame[] = [];
  #hasNews = false;

  constructor(id: number, end: NetworkEnd, table: SharedArrayBuffer) {
    this.id = id;
    this.#end = end;
    this.#table = new BatchTableOwner(table);
  }

  /** Whether the application has written anything that was not read yet. Asked before the thread sleeps. */
  hasWork(): boolean {
    return this.#table.hasChanged() || (this.#held.length > 0 && this.#end.responses.isEmpty());
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

  lastAskedAt(now: number): number | null {
    const lastMs = this.#table.lastAskedMs;
    if (lastMs === null) return null;
    // The times are uint32 ms. A time that seems to be ahead of `now` was written a moment ago, by another thread's clock.
    const agoMs = (Math.floor(now) - lastMs) >>> 0;
    return now - (agoMs > 0x7fff_ffff ? 0 : agoMs);
  }

  get isWaiting(): boolean {
    return this.#table.isWaiting;
  }

  hasRoom(byteLength: number): boolean {
    if (this.#held.length > 0 || this.#table.freePlaces === 0) return false;
    if (this.#untaken.size > 0) {
      if (this.#untaken.size >= maxUntaken || this.#untakenBytes + byteLength > maxUntakenBytes) return false;
    }
    return this.#end.responses.hasRoom(byteLength);
  }

  hand(batch: PreparedBatch, label: BatchLabel): HandedBatch | null {
    const handle = this.#handleOf(label.topic);
    if (handle < 0) return null;
    const posted = this.#table.post();
    if (posted === null) return null;
    const { place, serial } = posted;
    const { responses } = this.#end;
    writePrefix(batch, label, serial);
    responses.adopt(batch.buffer);
    if (!responses.commit(CONSUMER_BATCH, place, handle, batch.usedBytes)) {
      responses.abandon();
      this.#table.free(place);
      return null;
    }
    this.#hasNews = true;
    this.#untaken.set(place, batch.usedBytes);
    this.#untakenBytes += batch.usedBytes;
    return new PlacedBatch(this.#table, place, batch);
  }

  raise(error: Error): boolean {
    if (this.#held.length > 0) return false;
    return this.#write(CONSUMER_RAISE, 0, 0, jsonOf(toPlainError(error)));
  }

  tell(event: ConsumerEvent): void {
    if (this.#held.length < maxHeldEvents) this.#put(CONSUMER_EVENT, 0, 0, jsonOf(event));
  }

  answer(requestId: number, answer: ConsumerAnswer): void {
    this.#put(CONSUMER_ANSWER, requestId, 0, jsonOf(answer));
  }

  fail(requestId: number, error: unknown): void {
    this.#put(CONSUMER_ANSWER, requestId, 1, jsonOf(toPlainError(error)));
  }

  /** Writes what waited for room, and wakes the application if anything is new. Returns true when nothing waits any more. */
  flush(): boolean {
    while (this.#held.length > 0) {
      const { kind, requestId, detail, body } = this.#held[0]!;
      if (!this.#write(kind, requestId, detail, body)) break;
      this.#held.shift();
    }
    this.#end.responses.setWaiting(this.#held.length > 0 || !this.#end.responses.hasRoom(0));
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
    if (!this.#write(CONSUMER_TOPIC, 0, handle, Buffer.from(topic))) return -1;
    this.#handles.set(topic, handle);
    return handle;
  }

  #put(kind: number, requestId: number, detail: number, body: Buffer): void {
    if (this.#held.length > 0 || !this.#write(kind, requestId, detail, body))
      this.#held.push({ kind, requestId, detail, body });
  }

  #write(kind: number, requestId: number, detail: number, body: Buffer): boolean {
    const { responses } = this.#end;
    if (!responses.begin(body.byteLength)) return false;
    responses.u8.set(body, responses.base);
    if (!responses.commit(kind, requestId, detail, body.byteLength)) {
      responses.abandon();
      return false;
    }
    this.#hasNews = true;
    return true;
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

  constructor(table: BatchTableOwner, place: number, batch: PreparedBatch) {
    this.#table = table;
    this.#place = place;
    this.firstOffset = batch.firstOffset;
    this.nextOffset = batch.nextOffset;
    this.leaderEpoch = batch.leaderEpoch;
    this.count = batch.count;
    this.byteLength = batch.usedBytes;
  }

  doneUpTo(): bigint {
    const doneUpTo = this.firstOffset + BigInt(this.#table.done(this.#place));
    return doneUpTo < this.nextOffset ? doneUpTo : this.nextOffset;
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
    this.#table.free(this.#place);
  }
}

function writePrefix(
  batch: PreparedBatch,
  { partition, round, highWatermark, lastStableOffset }: BatchLabel,
  serial: number,
): void {
  const words = new Int32Array(batch.buffer, 0, 16);
  words.fill(0);
  words[BATCH_PARTITION_WORD] = partition;
  words[BATCH_SERIAL_WORD] = serial;
  words[BATCH_ROUND_WORD] = round;
  words[BATCH_COUNT_WORD] = batch.count;
  words[BATCH_LEADER_EPOCH_WORD] = batch.leaderEpoch;
  putOffset(words, BATCH_FIRST_OFFSET_WORD, batch.firstOffset);
  putOffset(words, BATCH_NEXT_OFFSET_WORD, batch.nextOffset);
  putOffset(words, BATCH_HIGH_WATERMARK_WORD, highWatermark);
  putOffset(words, BATCH_LAST_STABLE_WORD, lastStableOffset);
}

function putOffset(words: Int32Array, word: number, offset: bigint): void {
  words[word] = Number(offset & 0xffff_ffffn) | 0;
  words[word + 1] = Number(offset >> 32n) | 0;
}

function jsonOf(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
