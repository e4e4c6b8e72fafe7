// Owns a transaction as the application sees it: records and offsets that become visible together, or not at all. Application thread. What
// happens with the coordinator is the network thread's business.

import Long from 'long';
import { IllegalStateError } from '../../common/errors/errors.ts';
import type { GroupIdentity, OffsetToCommit, TransactionOffsets } from '../../common/transaction-offsets.ts';
import type { Frame } from '../../ring/frames/frame.ts';
import { transactionEndFrame, transactionOffsetsFrame } from '../../ring/frames/producer-call-frames.ts';
import type { Future } from '../link/future.ts';
import type { ProducerSession } from './producer-session.ts';
import type {
  DeliveryReport,
  GroupAppender,
  ProducerRecord,
  RecordMetadata,
  RecordsSource,
  SendRecordOptions,
} from './producer-types.ts';
import { type BytesInput, checkTopic, partitionOf, shown } from './record-input.ts';

/** The offset of the next record to read in a partition. */
export interface OffsetInput {
  readonly topic: string;
  readonly partition: number;
  readonly offset: Long | bigint | number;
  /** Leader epoch of the last record read; default: unknown. */
  readonly leaderEpoch?: number;
  readonly metadata?: string | null;
}

/** Something that knows how far it was read, and by whom, such as a batch of a consumer. */
export interface OffsetsSource {
  transactionOffsets(): { readonly group: GroupIdentity; readonly offsets: readonly OffsetInput[] };
}

/** What a transaction needs of its producer. */
export interface TransactionHost<K, V> {
  readonly session: ProducerSession;
  append(topic: string, key: BytesInput | null, value: BytesInput | null, partition?: number): boolean;
  send(topic: string, record: ProducerRecord<K, V>, options?: SendRecordOptions): Future<RecordMetadata>;
  sendAll(topic: string, records: RecordsSource<K, V> | ((appender: GroupAppender) => void)): Future<DeliveryReport>;
  /** Ends when no record waits for its serializer any more. */
  serialized(): Promise<void>;
}

/** Open until `commit` or `abort`. Made by `producer.begin()`, or given to the function of `producer.transaction`. */
export class Transaction<K = BytesInput, V = BytesInput> {
  readonly #host: TransactionHost<K, V>;
  /** What has to end before the transaction may. */
  readonly #underWay = new Set<PromiseLike<unknown>>();
  #state: 'open' | 'ending' | 'ended' = 'open';

  constructor(host: TransactionHost<K, V>) {
    this.#host = host;
  }

  /** As `producer.append`. Throws IllegalStateError when the transaction is over. */
  append(topic: string, key: BytesInput | null, value: BytesInput | null, partition?: number): boolean {
    this.#checkOpen();
    return this.#host.append(topic, key, value, partition);
  }

  /** As `producer.send`. Its Future is settled before the commit is; the record is visible after it. */
  send(topic: string, record: ProducerRecord<K, V>, options?: SendRecordOptions): Future<RecordMetadata> {
    this.#checkOpen();
    return this.#host.send(topic, record, options);
  }

  /** As `producer.sendAll`; the commit waits for it. */
  sendAll(topic: string, records: RecordsSource<K, V> | ((appender: GroupAppender) => void)): Future<DeliveryReport> {
    this.#checkOpen();
    return this.#tracked(this.#host.sendAll(topic, records));
  }

  /** Waits for room, as `producer.ready`. */
  ready(bytes?: number): Future<void> {
    return this.#host.session.ready(bytes ?? 1024);
  }

  /**
   * Commits positions of a consumer with the transaction, so that what was read and what was written belong together.
   * @param offsets a batch of a consumer; or offsets of the next records to read
   * @param group   the consumer's: without its member and generation the group cannot refuse offsets of a consumer that it has moved on
   * from (KIP-447)
   * Fails with: the group's error; then the transaction can only be aborted
   */
  sendOffsets(offsets: OffsetsSource): Future<void>;
  sendOffsets(offsets: readonly OffsetInput[], group: GroupIdentity): Future<void>;
  sendOffsets(given: OffsetsSource | readonly OffsetInput[], givenGroup?: GroupIdentity): Future<void> {
    this.#checkOpen();
    const source = isSource(given) ? given.transactionOffsets() : { offsets: given, group: givenGroup };
    const { offsets, group } = source;
    if (typeof group?.groupId !== 'string' || group.groupId === '') {
      throw new TypeError(`sendOffsets needs the group of the consumer, not ${shown(group)}`);
    }
    const told: TransactionOffsets = { group, offsets: offsets.map(offsetOf) };
    const frameOf = (callId: number): Frame => transactionOffsetsFrame({ callId, offsets: told });
    const future = this.#host.session.newFuture<void>();
    this.#host.session.call(frameOf, (error) => {
      if (error === null) future.success(undefined);
      else future.failure(error);
    });
    return this.#tracked(future);
  }

  /**
   * Waits for every record and all offsets, and makes them visible together.
   * Fails with: TransactionAbortableError and others when a record failed: only `abort` is left; KafkaTimeoutError after `maxBlockMs`:
   * call it again to wait on
   */
  commit(): Promise<void> {
    return this.#end(true);
  }

  /** Drops what was not sent, and makes nothing visible. */
  abort(): Promise<void> {
    return this.#end(false);
  }

  async #end(isCommit: boolean): Promise<void> {
    if (this.#state === 'ended')
      throw new IllegalStateError(`${isCommit ? 'commit' : 'abort'}: the transaction is over`);
    this.#state = 'ending';
    await this.#host.serialized();
    if (isCommit) await this.#settled();
    const frameOf = (callId: number): Frame => transactionEndFrame({ callId, isCommit });
    await new Promise<void>((resolve, reject) => {
      this.#host.session.call(frameOf, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
    this.#state = 'ended';
  }

  async #settled(): Promise<void> {
    // What fails in here makes the commit fail, with the same error.
    await Promise.allSettled([...this.#underWay].map(async (future) => future));
  }

  #tracked<T>(future: Future<T>): Future<T> {
    this.#underWay.add(future);
    return future.addBoth(() => {
      this.#underWay.delete(future);
    });
  }

  #checkOpen(): void {
    if (this.#state !== 'open') throw new IllegalStateError('the transaction is over, or is being ended');
  }
}

function isSource(given: OffsetsSource | readonly OffsetInput[]): given is OffsetsSource {
  return typeof (given as Partial<OffsetsSource> | null)?.transactionOffsets === 'function';
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

/** Commits when `work` ends, aborts when it throws or cannot be committed. */
export async function runTransaction<K, V, T>(
  tx: Transaction<K, V>,
  work: (tx: Transaction<K, V>) => T | Promise<T>,
): Promise<T> {
  let result: T;
  try {
    result = await work(tx);
    await tx.commit();
  } catch (error) {
    // A commit that goes on cannot be aborted, nor can a producer that is done for; either way the first error is the one to know.
    await tx.abort().catch(() => {});
    throw error;
  }
  return result;
}
