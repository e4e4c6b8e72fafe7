// Owns the batch that an application gets: its records (read in place), what is done of it, and whether it still belongs to this
// consumer. Application thread.

import type Long from 'long';
import { type OffsetLike, parseOffset } from '../../common/config/offset-inputs.ts';
import { CommitFailedError, IllegalArgumentError } from '../../common/errors/errors.ts';
import { shown } from '../../common/text.ts';
import type { GroupIdentity } from '../../common/transaction-offsets.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { longOf } from '../../protocol/flat/int64.ts';
import type { RecordCursor } from '../../protocol/flat/records/record-cursor.ts';
import { RecordsView, type RecordView } from '../../protocol/flat/records/record-view.ts';
import { BATCH_PREFIX_BYTES, type ConsumerBatchFrame } from '../../ring/frames/consumer-frames.ts';
import { markOf } from '../../state/batch-table.ts';
import { type DeserializedRecord, type Deserializers, deserialized } from './deserialized.ts';
import type { BatchOutcome } from './tracing.ts';

/** The link from which a batch came. */
export interface BatchHost {
  isHeld(place: number, serial: number): boolean;
  mark(place: number, serial: number, done: number): boolean;
  giveBack(batch: ConsumerBatch): void;
  finished(batch: ConsumerBatch, outcome: BatchOutcome): void;
  recycle(memory: ArrayBuffer): void;
  groupIdentity(): GroupIdentity;
}

/**
 * Records of one partition, in order. Views, keys and values stay valid as long as they are used, because the batch owns its memory. What
 * was read only by `cursor` goes back when the batch is done and the next one is asked for. The partition may go to another member of
 * the group while the application works. `lost` says so at any time.
 */
export class ConsumerBatch implements Iterable<RecordView> {
  readonly topic: string;
  readonly partition: number;
  /** How many records the batch has. */
  readonly count: number;
  /** The leader epoch of the last record. -1 if brokers are too old to send it. */
  readonly leaderEpoch: number;
  /** Internal: the batch's place in the table of batches. */
  readonly place: number;
  readonly serial: number;
  readonly returns: number;
  readonly #host: BatchHost;
  readonly #message: FlatMessage;
  readonly #records: RecordsView;
  readonly #frame: ConsumerBatchFrame;
  /** Internal: whether somebody may read it although it is done and the next batch was asked for: a handler of `run`, or a stream's reader. */
  isInUse = false;
  /** How many offsets are done, counted from the first one. */
  #done = 0;
  #isFinished = false;
  #controller: AbortController | null = null;

  /** Internal: only the link calls this. */
  constructor(host: BatchHost, topic: string, frame: ConsumerBatchFrame) {
    this.#host = host;
    this.topic = topic;
    this.#frame = frame;
    this.place = frame.place;
    this.partition = frame.partition;
    this.serial = frame.serial;
    this.returns = frame.returns;
    this.count = frame.count;
    this.leaderEpoch = frame.leaderEpoch;
    this.#message = new FlatMessage(frame.body, BATCH_PREFIX_BYTES);
    this.#message.isRecyclable = frame.body.isMoved;
    this.#records = new RecordsView(this.#message, 0);
  }

  get firstOffset(): Long {
    return this.#frame.firstOffset(longOf);
  }

  /** The offset at which the next batch begins. Gaps, markers and aborted records after the last record are skipped. */
  get nextOffset(): Long {
    return this.#frame.nextOffset(longOf);
  }

  /** The end of the replicated log at the time when the batch was handed out. */
  get highWatermark(): Long {
    return this.#frame.highWatermark(longOf);
  }

  /** With `read_committed`, records can be read up to this offset. -1 if the broker did not send it. */
  get lastStableOffset(): Long {
    return this.#frame.lastStableOffset(longOf);
  }

  /** How many records were between this batch and the end of the log when it was handed out. */
  get lag(): number {
    const lag = this.highWatermark.sub(this.nextOffset).toNumber();
    return lag < 0 ? 0 : lag;
  }

  /** The batch's records, in the same view as in a Fetch response. */
  get records(): RecordsView {
    this.#message.isKept = true;
    return this.#records;
  }

  /**
   * The fast way to read the records: one object that moves from record to record. It is valid until the batch is done (or given back)
   * and the next batch is asked for. Then the memory goes back to the network thread, so a loop that reads by cursor leaves nothing to
   * the garbage collector. A cursor that is used later throws IllegalStateError. In a handler of `run` it is valid until the handler has
   * returned. The memory stays when a record view or a Buffer of the batch was handed out, when the batch is lost, and in streams.
   */
  cursor(): RecordCursor {
    return this.#records.cursor();
  }

  /**
   * The records with their keys and values read by functions; without a function they are Buffers, and null stays null.
   * Throws, while it is iterated: RecordDeserializationError when a function throws
   */
  deserialized<K = Buffer, V = Buffer>(deserializers: Deserializers<K, V>): IterableIterator<DeserializedRecord<K, V>> {
    return deserialized(this.records, this.topic, this.partition, deserializers);
  }

  [Symbol.iterator](): IterableIterator<RecordView> {
    return this.records[Symbol.iterator]();
  }

  /**
   * Marks records as done: all of them, or those before the offset `upTo`. The network thread commits what is done, by the option
   * `commit`. Records that are done do not come again.
   * @returns `lost` when the partition does not belong to this consumer any more; another consumer gets the records again
   * Throws: IllegalArgumentError when `upTo` is outside of the batch
   */
  done(upTo?: OffsetLike): 'ok' | 'lost' {
    const span = this.#span;
    const done = upTo === undefined ? span : this.#distance(upTo);
    if (this.#isFinished) return 'ok';
    if (done > this.#done) {
      if (!this.#host.mark(this.place, this.serial, markOf(done, span))) return this.#lose();
      this.#done = done;
    } else if (this.lost) return 'lost';
    if (done === span) {
      this.#isFinished = true;
      this.#host.finished(this, 'done');
    }
    return 'ok';
  }

  /** Whether all records are done. */
  get isDone(): boolean {
    return this.#isFinished;
  }

  /** Whether some records are done, but not all. */
  get isPartlyDone(): boolean {
    return this.#done > 0 && !this.#isFinished;
  }

  /** Whether the partition went to another member, or the consumer was sought to another offset, before all was done. It reads shared memory once. */
  get lost(): boolean {
    return !this.#isFinished && !this.#host.isHeld(this.place, this.serial);
  }

  /** Aborted when the batch is lost. This is noticed when the thread's event loop runs. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    this.look();
    return this.#controller.signal;
  }

  /** Gives the unfinished records back. They come again, and so do all later records of the partition. */
  giveBack(): void {
    if (this.#isFinished) return;
    this.#host.giveBack(this);
    this.#host.finished(this, 'returned');
  }

  /** Gives the memory back. The caller must not use views and slices of the batch any more; reading them throws. */
  recycle(): void {
    this.#return(this.#message.recycle());
  }

  /** Internal: the application is through with the batch. Gives the memory back if only cursors have read it. */
  recycleLent(): void {
    this.#return(this.#message.recycleLent());
  }

  #return(memory: ArrayBuffer | null): void {
    if (memory !== null) this.#host.recycle(memory);
  }

  /**
   * What `tx.sendOffsets(batch)` takes: the position behind this batch, and the group's member. Without `upTo`, behind all of it.
   * Throws: CommitFailedError when the batch is lost; IllegalArgumentError when `upTo` is outside of the batch; IllegalStateError
   * without a group
   */
  transactionOffsets(upTo?: OffsetLike): {
    readonly group: GroupIdentity;
    readonly offsets: readonly {
      readonly topic: string;
      readonly partition: number;
      readonly offset: Long;
      readonly leaderEpoch: number;
    }[];
  } {
    const { topic, partition, leaderEpoch } = this;
    const offset = upTo === undefined ? this.nextOffset : this.firstOffset.add(this.#distance(upTo));
    // Read before `lost`: a partition that goes to another member later makes this epoch stale, so that the group refuses it.
    const group = this.#host.groupIdentity();
    if (this.lost)
      throw new CommitFailedError(
        `offsets of ${topic}-${partition} cannot be committed: the batch is lost, its records come again; abort the transaction`,
      );
    return { group, offsets: [{ topic, partition, offset, leaderEpoch }] };
  }

  /** Internal: checks whether the batch is lost. */
  look(): void {
    if (this.lost) this.#lose();
  }

  #lose(): 'lost' {
    this.#host.finished(this, 'lost');
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
      throw new IllegalArgumentError(
        `done up to ${shown(upTo)}: upTo must be from ${first} to ${next}, the offsets of the batch`,
      );
    return Number(offset - first);
  }
}
