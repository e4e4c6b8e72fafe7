// Owns a batch as the application has it: records read where they lie, what is done of it, whether it is still this consumer's.
// Application thread.

import type Long from 'long';
import { type OffsetLike, parseOffset } from '../../common/config/offset-inputs.ts';
import { IllegalArgumentError } from '../../common/errors/errors.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { longOf } from '../../protocol/flat/int64.ts';
import type { RecordCursor } from '../../protocol/flat/records/record-cursor.ts';
import { RecordsView, type RecordView } from '../../protocol/flat/records/record-view.ts';
import { BATCH_PREFIX_BYTES, type ConsumerBatchFrame } from '../../ring/frames/consumer-frames.ts';

/** The link that a batch came by. */
export interface BatchHost {
  isHeld(place: number, serial: number): boolean;
  mark(place: number, serial: number, done: number): boolean;
  giveBack(batch: ConsumerBatch): void;
  finished(batch: ConsumerBatch): void;
  recycle(memory: ArrayBuffer): void;
}

/**
 * Records of one partition, in order. It owns its memory: views and slices of it stay valid for as long as anybody has them.
 * A partition may be given to another member of the group while the application works; `lost` says so at any time.
 */
export class ConsumerBatch implements Iterable<RecordView> {
  readonly topic: string;
  readonly partition: number;
  /** Records. */
  readonly count: number;
  /** Of the record read last; -1 when brokers are too old to say. */
  readonly leaderEpoch: number;
  /** Internal: its place in the table of batches. */
  readonly place: number;
  readonly serial: number;
  readonly round: number;
  readonly #host: BatchHost;
  readonly #message: FlatMessage;
  readonly #records: RecordsView;
  readonly #frame: ConsumerBatchFrame;
  /** Offsets done, counted from the first. */
  #done = 0;
  #isFinished = false;
  #controller: AbortController | null = null;

  /** Internal: the link makes it. */
  constructor(host: BatchHost, topic: string, frame: ConsumerBatchFrame) {
    this.#host = host;
    this.topic = topic;
    this.#frame = frame;
    this.place = frame.place;
    this.partition = frame.partition;
    this.serial = frame.serial;
    this.round = frame.round;
    this.count = frame.count;
    this.leaderEpoch = frame.leaderEpoch;
    this.#message = new FlatMessage(frame.body, BATCH_PREFIX_BYTES);
    this.#message.isRecyclable = frame.body.isMoved;
    this.#records = new RecordsView(this.#message, 0);
  }

  get firstOffset(): Long {
    return this.#frame.firstOffset(longOf);
  }

  /** Where the next batch begins: behind gaps, markers and aborted records that follow the last record. */
  get nextOffset(): Long {
    return this.#frame.nextOffset(longOf);
  }

  /** End of the log, as far as it is replicated, when the batch was handed out. */
  get highWatermark(): Long {
    return this.#frame.highWatermark(longOf);
  }

  /** Records with `read_committed` go up to here; -1 when the broker did not say. */
  get lastStableOffset(): Long {
    return this.#frame.lastStableOffset(longOf);
  }

  /** Records between this batch and the end of the log, when it was handed out. */
  get lag(): number {
    const lag = this.highWatermark.sub(this.nextOffset).toNumber();
    return lag < 0 ? 0 : lag;
  }

  /** The batch's records, as a Fetch response has them. */
  get records(): RecordsView {
    return this.#records;
  }

  /** The fast way over the records: one object that moves. */
  cursor(): RecordCursor {
    return this.#records.cursor();
  }

  [Symbol.iterator](): IterableIterator<RecordView> {
    return this.#records[Symbol.iterator]();
  }

  /**
   * Says that records are done with: all of them, or those before the offset `upTo`. What is done is committed by the
   * network thread, as `commit` says, and does not come again.
   * @returns `lost` when the partition is not this consumer's any more: the records come again elsewhere
   * Throws: IllegalArgumentError when `upTo` is outside of the batch
   */
  done(upTo?: OffsetLike): 'ok' | 'lost' {
    const span = this.#span;
    const done = upTo === undefined ? span : this.#distance(upTo);
    if (this.#isFinished) return 'ok';
    if (done > this.#done) {
      if (!this.#host.mark(this.place, this.serial, done)) return this.#lose();
      this.#done = done;
    } else if (this.lost) return 'lost';
    if (done === span) {
      this.#isFinished = true;
      this.#host.finished(this);
    }
    return 'ok';
  }

  /** Whether all of it is done. */
  get isDone(): boolean {
    return this.#isFinished;
  }

  /** Whether some of it is done, and not all. */
  get isPartlyDone(): boolean {
    return this.#done > 0 && !this.#isFinished;
  }

  /** Whether the partition has been given to somebody else, or sought elsewhere, before all was done: one look at shared memory. */
  get lost(): boolean {
    return !this.#isFinished && !this.#host.isHeld(this.place, this.serial);
  }

  /** Aborted when the batch is lost; noticed when this thread's event loop runs. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    this.look();
    return this.#controller.signal;
  }

  /** Gives back what is not done: it comes again, as does everything behind it. */
  giveBack(): void {
    if (this.#isFinished) return;
    this.#host.giveBack(this);
    this.#host.finished(this);
  }

  /** Gives the memory back, for a reader that has nothing of the batch left; reading it afterwards throws. */
  recycle(): void {
    const memory = this.#message.recycle();
    if (memory !== null) this.#host.recycle(memory);
  }

  /** Internal: something happened. */
  look(): void {
    if (this.lost) this.#lose();
  }

  #lose(): 'lost' {
    this.#host.finished(this);
    this.#controller?.abort();
    return 'lost';
  }

  get #span(): number {
    return this.nextOffset.sub(this.firstOffset).toNumber();
  }

  #distance(upTo: OffsetLike): number {
    const offset = parseOffset(upTo);
    const first = this.firstOffset.toBigInt();
    const next = this.nextOffset.toBigInt();
    if (offset === null || offset < first || offset > next)
      throw new IllegalArgumentError(`done up to ${String(upTo)}: the batch is from offset ${first} to ${next}`);
    return Number(offset - first);
  }
}
