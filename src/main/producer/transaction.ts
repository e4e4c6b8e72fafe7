// Owns the transaction that applications use: records and offsets that become visible together or not at all. Application thread. It
// must not know the coordinator: the network thread does.

import Long from 'long';
import {
  AbortError,
  IllegalStateError,
  TransactionAbortableError,
  TransactionAbortedError,
} from '../../common/errors/errors.ts';
import { shown } from '../../common/text.ts';
import type { GroupIdentity, OffsetToCommit, TransactionOffsets } from '../../common/transaction-offsets.ts';
import type { Frame } from '../../ring/frames/frame.ts';
import { transactionEndFrame, transactionOffsetsFrame } from '../../ring/frames/producer-call-frames.ts';
import { type Future, fail, succeed } from '../link/future.ts';
import type { ProducerSession } from './producer-session.ts';
import type {
  DeliveryReport,
  GroupAppender,
  ProducerRecord,
  RecordMetadata,
  RecordsSource,
  SendAllOptions,
  SendRecordOptions,
} from './producer-types.ts';
import { type BytesInput, checkTopic, partitionOf } from './record-input.ts';

/** The offset of the next record to read in a partition. */
export interface OffsetInput {
  readonly topic: string;
  readonly partition: number;
  readonly offset: Long | bigint | number;
  /** The leader epoch of the last record read. Default: unknown. */
  readonly leaderEpoch?: number;
  readonly metadata?: string | null;
}

/** Offsets with the group of the consumer, such as `transactionOffsets` of a batch returns. */
export interface GroupOffsets {
  readonly group: GroupIdentity;
  readonly offsets: readonly OffsetInput[];
}

/** An object that knows its offsets and its group, such as a batch of a consumer. */
export interface OffsetsSource {
  transactionOffsets(): GroupOffsets;
}

/** The part of the producer that a transaction needs. */
export interface TransactionHost<K, V> {
  readonly session: ProducerSession;
  append(topic: string, key: BytesInput | null, value: BytesInput | null, partition?: number): boolean;
  send(topic: string, record: ProducerRecord<K, V>, options?: SendRecordOptions): Future<RecordMetadata>;
  sendAll(
    topic: string,
    records: RecordsSource<K, V> | ((appender: GroupAppender) => void),
    options: SendAllOptions,
    beganBy: number,
  ): Future<DeliveryReport>;
  /** Each `sendAll` of that transaction that is under way takes no more records, and fails. */
  takeNoMore(error: Error, beganBy: number): void;
  /** Resolves when no record waits for its serializer any more. */
  serialized(): Promise<void>;
  /** Fails the records of that transaction that wait for their serializers. They are never written. */
  drop(error: Error, beganBy: number): void;
}

/** A transaction. It is open until `commit` or `abort`. `producer.begin()` makes one, and `producer.transaction` passes one to its function. */
export class Transaction<K = BytesInput, V = BytesInput> {
  readonly #host: TransactionHost<K, V>;
  /** The id of the call that began it. */
  readonly #beganBy: number;
  /** The calls that must end before the transaction can end. */
  readonly #underWay = new Set<PromiseLike<unknown>>();
  #state: 'open' | 'ending' | 'ended' = 'open';
  /** The first failure of a record. The network thread knows only of records that it was given. */
  #failure: Error | null = null;
  readonly #noteFailure = (error: Error): void => {
    // A record that the application has given up is not missing.
    if (!(error instanceof AbortError)) this.#failure ??= error;
  };

  constructor(host: TransactionHost<K, V>, beganBy: number) {
    this.#host = host;
    this.#beganBy = beganBy;
  }

  /** Like `producer.append`. Throws IllegalStateError when the transaction is over. */
  append(topic: string, key: BytesInput | null, value: BytesInput | null, partition?: number): boolean {
    this.#checkOpen();
    return this.#host.append(topic, key, value, partition);
  }

  /**
   * Like `producer.send`. The Future is settled before the commit. The record is visible after the commit. If it fails, for want of room
   * too, the transaction can only be aborted.
   */
  send(topic: string, record: ProducerRecord<K, V>, options?: SendRecordOptions): Future<RecordMetadata> {
    this.#checkOpen();
    return this.#host.send(topic, record, options).addErrback(this.#noteFailure);
  }

  /**
   * Like `producer.sendAll`. The commit waits for it. If one of the records fails, the transaction can only be aborted. After an abort it
   * takes no more records, leaves its source, and fails with TransactionAbortedError.
   */
  sendAll(
    topic: string,
    records: RecordsSource<K, V> | ((appender: GroupAppender) => void),
    options: SendAllOptions = {},
  ): Future<DeliveryReport> {
    this.#checkOpen();
    const future = this.#host.sendAll(topic, records, options, this.#beganBy).addErrback(this.#noteFailure);
    future.addCallback(({ failures: [first] }) => {
      if (first !== undefined) this.#noteFailure(first.error);
    });
    return this.#tracked(future);
  }

  /** Waits for room, like `producer.ready`. */
  ready(bytes?: number): Future<void> {
    return this.#host.session.ready(bytes ?? 1024);
  }

  /**
   * Commits offsets of a consumer as a part of the transaction, so that records that were read and written belong together.
   * @param offsets a batch of a consumer, `batch.transactionOffsets(upTo)` for a part of it, or the offsets of the next records to read
   * @param group   only for a list of offsets: the consumer's group; without member and generation the group cannot refuse the offsets of
   * a consumer that has lost its partitions (KIP-447)
   * Fails with: the group's error; the transaction can then only be aborted
   */
  sendOffsets(offsets: OffsetsSource | GroupOffsets): Future<void>;
  sendOffsets(offsets: readonly OffsetInput[], group: GroupIdentity): Future<void>;
  sendOffsets(given: OffsetsSource | GroupOffsets | readonly OffsetInput[], givenGroup?: GroupIdentity): Future<void> {
    this.#checkOpen();
    const { offsets, group } = groupOffsetsOf(given, givenGroup);
    const told: TransactionOffsets = { group, offsets: offsets.map(offsetOf) };
    const frameOf = (callId: number): Frame =>
      transactionOffsetsFrame({ callId, beganBy: this.#beganBy, offsets: told });
    const future = this.#host.session.newFuture<void>();
    this.#host.session.call(frameOf, (error) => {
      if (error === null) succeed(future, undefined);
      else fail(future, error);
    });
    return this.#tracked(future);
  }

  /**
   * Waits for all records and offsets, and makes them visible together.
   * Fails with: TransactionAbortableError or another error when a record failed; then call `abort`. KafkaTimeoutError after
   * `maxBlockMs`; then call `commit` again to go on waiting
   */
  commit(): Promise<void> {
    return this.#end(true);
  }

  /**
   * Drops the records that were not sent, and does not wait for their serializers: they fail with TransactionAbortedError. Readers of committed
   * records see nothing of the transaction.
   */
  abort(): Promise<void> {
    return this.#end(false);
  }

  async #end(isCommit: boolean): Promise<void> {
    if (this.#state === 'ended')
      throw new IllegalStateError(`${isCommit ? 'commit' : 'abort'}: the transaction is over`);
    this.#state = 'ending';
    if (isCommit) {
      await this.#host.serialized();
      await this.#settled();
      this.#checkRecords();
    } else {
      this.#drop();
    }
    const frameOf = (callId: number): Frame => transactionEndFrame({ callId, beganBy: this.#beganBy, isCommit });
    await new Promise<void>((resolve, reject) => {
      this.#host.session.call(frameOf, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
    this.#state = 'ended';
  }

  #drop(): void {
    // Their further records would be a part of the next transaction.
    const over = new TransactionAbortedError('the transaction was aborted: it takes no more records');
    this.#host.takeNoMore(over, this.#beganBy);
    const text = 'the transaction was aborted before the record was serialized';
    this.#host.drop(new TransactionAbortedError(text, { maybeWritten: false }), this.#beganBy);
  }

  #checkRecords(): void {
    const error = this.#failure;
    // A producer that can only be closed has the better reason.
    if (error === null || this.#host.session.refusal !== null) return;
    if (error instanceof TransactionAbortableError) throw error;
    throw new TransactionAbortableError(`the transaction can only be aborted: ${error.message}`, { cause: error });
  }

  async #settled(): Promise<void> {
    // If one of these calls fails, so does the commit.
    await Promise.allSettled([...this.#underWay].map(async (future) => future));
  }

  #tracked<T>(future: Future<T>): Future<T> {
    this.#underWay.add(future);
    return future.addBoth(() => {
      this.#underWay.delete(future);
    });
  }

  #checkOpen(): void {
    if (this.#state !== 'open') throw new IllegalStateError('the transaction is over or is ending');
  }
}

function groupOffsetsOf(
  given: OffsetsSource | GroupOffsets | readonly OffsetInput[],
  givenGroup: GroupIdentity | undefined,
): GroupOffsets {
  const source = given as (Partial<OffsetsSource> & Partial<GroupOffsets>) | null | undefined;
  const found = typeof source?.transactionOffsets === 'function' ? source.transactionOffsets() : source;
  const offsets = Array.isArray(given) ? (given as readonly OffsetInput[]) : found?.offsets;
  const group = Array.isArray(given) ? givenGroup : found?.group;
  if (!Array.isArray(offsets))
    throw new TypeError(
      `sendOffsets takes a batch of a consumer, what its transactionOffsets returns, or a list of offsets, not ${shown(given)}`,
    );
  if (typeof group?.groupId !== 'string' || group.groupId === '')
    throw new TypeError(`sendOffsets needs the group of the consumer, not ${shown(group)}`);
  return { offsets, group };
}

function offsetOf({ topic, partition, offset, leaderEpoch, metadata }: OffsetInput): OffsetToCommit {
  checkTopic(topic);
  const text = typeof offset === 'number' && !Number.isSafeInteger(offset) ? '' : String(offset);
  if (!/^\d{1,19}$/.test(text) || Long.fromString(text).isNegative()) {
    throw new TypeError(
      `offset must be a whole number from 0 to 2^63 - 1 as Long, bigint or number, not ${shown(offset)}`,
    );
  }
  return {
    topic,
    partition: partitionOf(partition),
    offset: text,
    ...(leaderEpoch !== undefined && { leaderEpoch }),
    ...(metadata !== undefined && { metadata }),
  };
}

/** Commits when `work` ends. Aborts when `work` throws or the commit fails. */
export async function runTransaction<K, V, T>(
  tx: Transaction<K, V>,
  work: (tx: Transaction<K, V>) => T | Promise<T>,
): Promise<T> {
  let result: T;
  try {
    result = await work(tx);
    await tx.commit();
  } catch (error) {
    // The abort fails if a commit is still under way or the producer can only be closed. The first error is the one to report.
    await tx.abort().catch(() => {});
    throw error;
  }
  return result;
}
