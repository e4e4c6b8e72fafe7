// Owns a producer in the network thread: which records are accepted, their partitions, the order in which its parts are called, its
// end. Network thread. A unit test runs it with a fake host. Must not know links, threads or sockets.

import type { ProducerConfig } from '../../common/config/producer-options.ts';
import {
  IllegalStateError,
  KafkaClientError,
  ProducerClosedError,
  ProducerFatalError,
  ProducerFencedError,
} from '../../common/errors/errors.ts';
import { withDoubt } from '../../common/errors/plain-error.ts';
import type { TransactionOffsets } from '../../common/transaction-offsets.ts';
import { compressionTypes, LEVEL_DEFAULT } from '../../protocol/flat/records/records-slot.ts';
import type { Role, RoleHost } from '../client/role.ts';
import { Accumulator } from './accumulator.ts';
import { BatchPacker, type Compressor } from './batch-packer.ts';
import { IdempotentStart } from './idempotent-start.ts';
import { type KeyHash, keyPartition } from './key-partition.ts';
import type { LastPlace } from './last-place.ts';
import { outcomeOf } from './outcomes.ts';
import { ProducerNumbers } from './producer-numbers.ts';
import type { ProducerReport } from './producer-report.ts';
import { type RecordOwner, RecordRuns } from './record-owner.ts';
import { Sender } from './sender.ts';
import { isKnown, Staging, type UnplacedRecord } from './staging.ts';
import { TimedCalls } from './timed-calls.ts';
import type { TopicState } from './topic-state.ts';
import { type TransactionName, unnamed } from './transaction-names.ts';
import { Transactions } from './transactions.ts';

/** The part of the memory of batches that copies of records may take while they are compressed outside of this thread. */
const packedShare = 1 / 8;
/** How often topics are checked for ones that are not used any more. */
const idleCheckMs = 10_000;

export interface ProducerRoleParts {
  readonly config: ProducerConfig;
  /** Limit of the memory of all batches. */
  readonly batchMemoryBytes: number;
  readonly host: RoleHost;
  /** Null: this thread compresses everything. */
  readonly compressor: Compressor | null;
  readonly report: ProducerReport;
  /** Called once when the producer can only be closed. */
  readonly onFatal: (error: Error) => void;
}

export class ProducerRole implements Role {
  readonly accumulator: Accumulator;
  readonly #parts: ProducerRoleParts;
  readonly #staging: Staging;
  readonly #numbers: ProducerNumbers | null;
  readonly #start: IdempotentStart | null;
  readonly #transactions: Transactions | null;
  readonly #sender: Sender;
  readonly #timed: TimedCalls;
  readonly #partitioner: KeyHash;
  readonly #ignoresKeys: boolean;
  readonly #stopUpdates: () => void;
  /** The error for all later records. Null while records are accepted. */
  #refusal: KafkaClientError | null = null;
  #isClosing = false;
  #closeDeadline = Number.POSITIVE_INFINITY;
  #onClosed: ((now: number) => void) | null = null;
  #nextIdleCheck = 0;
  readonly #place = (record: UnplacedRecord): boolean => this.#append(record, this.#now, null);
  #now = 0;

  constructor(parts: ProducerRoleParts) {
    const { config, host, report } = parts;
    this.#parts = parts;
    this.#partitioner = config.partitioner;
    this.#ignoresKeys = config.partitionerIgnoreKeys;
    this.#timed = new TimedCalls(report);
    this.accumulator = newAccumulator(parts);
    const isTransactional = config.transactionalId !== null;
    this.#staging = new Staging(host, this.accumulator.memory, config.maxBlockMs, (topic, error, now) => {
      report.recordRefused(topic, now);
      this.#transactions?.onRecordFailed(error, now);
      this.accumulator.madeRoom();
    });
    this.#numbers = config.enableIdempotence ? new ProducerNumbers(isTransactional) : null;
    const numbers = this.#numbers;
    this.#start =
      numbers === null || isTransactional
        ? null
        : new IdempotentStart(config, host, numbers, report, (error, now) => this.#failWaiting(() => error, now));
    this.#transactions = isTransactional ? this.#newTransactions(numbers!) : null;
    this.#sender = new Sender({
      config,
      host,
      accumulator: this.accumulator,
      numbers,
      transaction: this.#transactions,
      report,
      onFatal: (error, now) => this.#fatal(error, now),
    });
    this.#stopUpdates = host.cluster.onUpdate(() => host.wake());
  }

  /** The bytes of records and batches that are not settled. */
  get usedBytes(): number {
    return this.accumulator.memory.usedBytes;
  }

  /** Whether `close` was called. It takes no more threads. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** The reason why it can only be closed. Null: it works. */
  get fatalError(): KafkaClientError | null {
    return this.#refusal?.fatal === true ? this.#refusal : null;
  }

  get deliveryTimeoutMs(): number {
    return this.#parts.config.deliveryTimeoutMs;
  }

  /** The state of a topic, for its records. Metadata covers the topic from now on. */
  topic(name: string, now: number): TopicState {
    const topic = this.accumulator.topic(name);
    topic.usedAt = now;
    if (!topic.isTracked) {
      topic.isTracked = true;
      this.#parts.host.cluster.addTopic(this, name, { mayCreate: true });
    }
    return topic;
  }

  /**
   * Takes one record: adds it to a batch, or lets it wait for metadata, or fails it at once.
   * @param place is told of the place of the record, if the next one may go there, too
   * @returns false when there is no room now; the same record must then come again, before later ones
   */
  append(record: UnplacedRecord, now: number, place: LastPlace | null = null): boolean {
    place?.forget();
    const refusal = this.#refusal ?? this.#transactions?.refusal() ?? null;
    if (refusal !== null) {
      this.#reject(record, refusal, now);
      return true;
    }
    const { topic } = record;
    topic.usedAt = now;
    if (!topic.isTracked) this.topic(topic.name, now);
    const tooLarge = this.accumulator.whyTooLarge(record.to - record.from);
    if (tooLarge !== null) {
      this.#transactions?.onRecordFailed(tooLarge, now);
      this.#reject(record, tooLarge, now);
      return true;
    }
    if (this.#stage(record, now) ?? this.#append(record, now, place)) return true;
    this.accumulator.isStarved = true;
    this.#parts.report.memoryExhausted(now);
    return false;
  }

  /** Whether there was memory for the record among those that wait. Null: it need not wait. */
  #stage(record: UnplacedRecord, now: number): boolean | null {
    if (isKnown(record)) {
      if (this.#staging.isEmpty || !this.#staging.mustWait(record)) return null;
      // It waits in its link, where it is not copied.
      if (this.#staging.isShortFor(record.owner)) return false;
    }
    return this.#staging.add(record, now);
  }

  /** A record of that topic has failed before it was appended. */
  recordRefused(topic: string, now: number): void {
    this.#parts.report.recordRefused(topic, now);
  }

  /** `onDone` is called once when everything that was appended before is settled, which may be at once. */
  flush(whenDone: (now: number) => void, now: number): void {
    const onDone = this.#timed.timed('flush', whenDone, now);
    if (this.#staging.isEmpty) {
      this.accumulator.flush(onDone, now);
    } else {
      // Records that wait for metadata are in no batch yet. When those of now have left, each is in a batch or has failed.
      this.#staging.onceLeft((at) => this.accumulator.flush(onDone, at));
      this.accumulator.flush(() => {}, now);
    }
    this.#parts.host.wake();
  }

  /** @param name tells the transaction from those of other threads, in this call and in those about it */
  beginTransaction(onDone: (error: Error | null) => void, now: number, name: TransactionName = unnamed): void {
    const transactions = this.#transactionsOr(onDone);
    transactions?.begin(this.#timed.timed('begin', onDone, now), now, name);
  }

  /** `onDone` is called once when the offsets are part of the transaction. */
  sendOffsets(
    offsets: TransactionOffsets,
    onDone: (error: Error | null) => void,
    now: number,
    name: TransactionName = unnamed,
  ): void {
    const transactions = this.#transactionsOr(onDone);
    transactions?.sendOffsets(offsets, this.#timed.timed('sendOffsets', onDone, now), now, name);
  }

  endTransaction(
    isCommit: boolean,
    onDone: (error: Error | null) => void,
    now: number,
    name: TransactionName = unnamed,
  ): void {
    const transactions = this.#transactionsOr(onDone);
    transactions?.end(isCommit, this.#timed.timed(isCommit ? 'commit' : 'abort', onDone, now), now, name);
  }

  /**
   * That thread makes no more calls. Its open transaction is aborted, because nobody can commit it any more.
   * @param whenEnded called once when its transaction has ended, which may be at once
   */
  threadLeft(owner: RecordOwner, whenEnded: () => void, now: number): void {
    if (this.#transactions === null) whenEnded();
    else this.#transactions.left(owner, whenEnded, now);
  }

  /** Accepts no more records, sends those that are here until `deadline`, then fails the rest. `onClosed` is called once. */
  close(deadline: number, onClosed: (now: number) => void): void {
    this.#isClosing = true;
    // The application cannot commit the transaction any more, so it is aborted.
    this.#transactions?.left(null, () => {}, this.#now);
    this.#refusal ??= new ProducerClosedError('the producer is closed');
    this.accumulator.isHurried = true;
    this.#closeDeadline = deadline;
    this.#onClosed = onClosed;
    this.#parts.host.wake();
  }

  /** The close ends at `deadline` if that is earlier than its own. */
  closeBy(deadline: number): void {
    this.#closeDeadline = Math.min(this.#closeDeadline, deadline);
    this.#parts.host.wake();
  }

  /** It has thrown, and is not called any more: nothing may call it either. */
  abandon(): void {
    this.#stopUpdates();
    this.#parts.host.cluster.forget(this);
  }

  poll(now: number): void {
    this.#now = now;
    const wasShort = this.#staging.isShort;
    this.#staging.poll(this.#place, now);
    if (wasShort && !this.#staging.isShort) this.accumulator.madeRoom();
    this.#start?.poll(now);
    this.#sender.poll(now);
    this.#transactions?.poll(now);
    this.#timed.poll(now);
    if (this.#onClosed !== null) this.#finishClose(now);
    if (now >= this.#nextIdleCheck) this.#forgetIdleTopics(now);
  }

  nextDeadline(): number {
    return Math.min(
      this.#sender.nextDeadline,
      this.#start?.nextDeadline ?? Number.POSITIVE_INFINITY,
      this.#transactions?.nextDeadline ?? Number.POSITIVE_INFINITY,
      this.#staging.nextDeadline,
      this.#onClosed === null ? Number.POSITIVE_INFINITY : this.#closeDeadline,
    );
  }

  #append(record: UnplacedRecord, now: number, place: LastPlace | null): boolean {
    const { topic, partition: named } = record;
    if (named >= 0) {
      const partition = topic.partitions[named]!;
      if (!this.accumulator.append(record, partition, now)) return false;
      place?.note(record, partition);
      return true;
    }
    const { keyFrom } = record;
    // The usual record has no key.
    if (keyFrom >= 0 && this.#isKeyed(record)) {
      const { memory, keyTo } = record;
      const index = keyPartition(this.#partitioner, memory.bytes, keyFrom, keyTo, topic.partitionCount);
      return this.accumulator.append(record, topic.partitions[index]!, now);
    }
    const { sticky } = topic;
    const index = sticky.choose(topic);
    const partition = topic.partitions[index]!;
    if (!this.accumulator.append(record, partition, now)) return false;
    const isQueueFull = this.accumulator.isQueueFull(partition);
    if (!sticky.appended(topic, index, record.to - record.from, isQueueFull)) place?.note(record, partition);
    return true;
  }

  /** Whether the key decides on the partition. */
  #isKeyed({ keyFrom, keyTo }: UnplacedRecord): boolean {
    if (this.#ignoresKeys) return false;
    // With crc32, an empty key counts as none, like in librdkafka, whose default is crc32.
    return this.#partitioner === 'murmur2' || keyTo > keyFrom;
  }

  #reject(record: UnplacedRecord, error: KafkaClientError, now: number): void {
    this.#parts.report.recordRefused(record.topic.name, now);
    const runs = new RecordRuns();
    runs.add(record.owner, record.kind, record.trackId);
    runs.settle(outcomeOf(record.topic.name, record.partition, error));
  }

  #newTransactions(numbers: ProducerNumbers): Transactions {
    const { config, host, report } = this.#parts;
    return new Transactions({
      config,
      host,
      numbers,
      report,
      accumulator: this.accumulator,
      // A batch that was given up may still be under way: it must not be written after the end of its transaction.
      isSettled: () => this.#isSettled && this.#sender.requestCount === 0,
      failUnsent: (errorOf, now) => this.#failWaiting(errorOf, now),
      onFatal: (error, now) => this.#fatal(error, now),
    });
  }

  #transactionsOr(onDone: (error: Error | null) => void): Transactions | null {
    if (this.#transactions === null) onDone(new IllegalStateError('the producer has no transactionalId'));
    else if (this.#refusal === null) return this.#transactions;
    else onDone(this.#refusal);
    return null;
  }

  get #isSettled(): boolean {
    return this.accumulator.batchCount === 0 && this.#staging.isEmpty;
  }

  #failWaiting(errorOf: () => Error, now: number): void {
    this.#sender.failUnsent(errorOf, now);
    this.#staging.failAll(errorOf, now);
    this.accumulator.madeRoom();
  }

  #fatal(error: Error, now: number): void {
    if (this.#refusal instanceof KafkaClientError && this.#refusal.fatal === true) return;
    const text = `the producer can only be closed: ${error.message}`;
    const fatal =
      error instanceof ProducerFencedError ? error : new ProducerFatalError(text, { cause: error, fatal: true });
    this.#refusal = fatal;
    this.#parts.report.state('error', 'producer-fatal', text, error);
    const inDoubt = withDoubt(fatal);
    this.#sender.failAll(({ maybeWritten, requests }) => (maybeWritten || requests > 0 ? inDoubt : fatal), now);
    this.#staging.failAll(() => fatal, now);
    this.accumulator.madeRoom();
    this.#parts.onFatal(fatal);
  }

  #finishClose(now: number): void {
    const isDone = this.#isSettled && this.#transactions?.isEnding !== true;
    if (!isDone && now < this.#closeDeadline) return;
    if (!isDone) {
      const errorOf = (maybeWritten: boolean): Error =>
        new ProducerClosedError('the producer was closed before the records were acknowledged', { maybeWritten });
      this.#sender.failAll((batch) => errorOf(batch.maybeWritten || batch.requests > 0), now);
      this.#staging.failAll(() => errorOf(false), now);
    }
    const onClosed = this.#onClosed!;
    this.#onClosed = null;
    this.abandon();
    onClosed(now);
  }

  #forgetIdleTopics(now: number): void {
    this.#nextIdleCheck = now + idleCheckMs;
    for (const topic of this.accumulator.topics()) {
      const isIdle = now - topic.usedAt > this.#parts.config.metadataMaxIdleMs && topic.isIdle;
      if (!isIdle || !topic.isTracked || this.#staging.isWaiting(topic)) continue;
      topic.isTracked = false;
      this.#parts.host.cluster.removeTopic(this, topic.name);
    }
  }
}

function newAccumulator({ config, batchMemoryBytes, compressor, host }: ProducerRoleParts): Accumulator {
  const compression = {
    codec: compressionTypes.indexOf(config.compressionType as (typeof compressionTypes)[number]),
    level: config.compressionLevel ?? LEVEL_DEFAULT,
  };
  const isOutside = compression.codec !== 0 && compressor !== null;
  const outsideBytes = isOutside ? Math.floor(batchMemoryBytes * packedShare) : 0;
  const packer = new BatchPacker(compression, compressor, outsideBytes);
  const random = (): number => host.random();
  const onRoom = (): void => host.wake();
  return new Accumulator(config, batchMemoryBytes - outsideBytes, packer, host.cluster, random, onRoom);
}
