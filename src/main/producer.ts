// Owns the public producer: its methods, the checks of arguments, serializers and hooks. Application thread. It writes records into
// shared memory and reads their outcomes. All deadlines are kept in the network thread.

import type { Writable } from 'node:stream';
import type { KafkaClientOptions } from '../common/config/config.ts';
import { IllegalStateError } from '../common/errors/errors.ts';
import { expecting } from '../common/expected-role.ts';
import { checkOptions } from '../common/options.ts';
import { TrackKind } from '../common/record-tracking.ts';
import type { Frame } from '../ring/frames/frame.ts';
import { transactionBeginFrame } from '../ring/frames/producer-call-frames.ts';
import type { ProducerMetricsMemory } from '../state/producer-metrics.ts';
import { KafkaClient } from './kafka-client.ts';
import { checkSignal, givenUp, giveUpWhenAborted } from './link/abort-signals.ts';
import type { ClientHost } from './link/client-host.ts';
import { type Future, fail, succeed } from './link/future.ts';
import { checkTimeout } from './link/wait-limits.ts';
import { apart } from './open-producer.ts';
import { Measured } from './producer/measured.ts';
import { type Prepared, Preparer } from './producer/preparer.ts';
import { Closing, countersOf } from './producer/producer-end.ts';
import { ProducerEvents } from './producer/producer-events.ts';
import { checkProducerHandle, optionsFor, type ProducerHandle } from './producer/producer-handle.ts';
import type { ProducerSession, SessionListener } from './producer/producer-session.ts';
import type {
  AttachedProducerOptions,
  DeliveryReport,
  FlushOptions,
  GroupAppender,
  ProducerCounters,
  ProducerOptions,
  ProducerRecord,
  RecordFailure,
  RecordMetadata,
  RecordsSource,
  SendAllOptions,
  SendRecordOptions,
} from './producer/producer-types.ts';
import {
  type BytesInput,
  checkRecord,
  checkSource,
  checkTopic,
  lingerOf,
  partitionOf,
  sizeOf,
} from './producer/record-input.ts';
import { type GroupOptions, RecordRoutes } from './producer/record-routes.ts';
import { traced } from './producer/tracing.ts';
import { runTransaction, Transaction, type TransactionHost } from './producer/transaction.ts';
import { type WritableOptions, writableOf } from './producer/writable.ts';

const defaultWaitMs = Number.POSITIVE_INFINITY;

/** The part of the client that a producer needs. */
export type ProducerHost = Pick<ClientHost, 'partitionCount' | 'learnTopic' | 'callbackThrew' | 'metricsOrigin'>;

const sendOptionNames = ['partition', 'lingerMs', 'signal'];

/**
 * Writes records to Kafka from a thread that may be busy. `client.producer(options)` makes one. `Producer.start(options)` makes one
 * with a client of its own. A producer may write to any number of topics. End it with `close()` or `await using`.
 */
export class Producer<K = BytesInput, V = BytesInput> extends Measured implements AsyncDisposable {
  readonly #session: ProducerSession;
  readonly #host: ProducerHost;
  readonly #handleOf: () => ProducerHandle;
  /** The client that is closed with the producer. */
  #ownClient: KafkaClient | null = null;
  #closing: Closing | null = null;
  readonly #events: ProducerEvents;
  readonly #preparer: Preparer<K, V>;
  readonly #routes: RecordRoutes<K, V>;

  /** Internal: use `client.producer` or `Producer.start`. */
  constructor(
    options: ProducerOptions<K, V>,
    host: ProducerHost,
    metrics: ProducerMetricsMemory | null,
    handleOf: () => ProducerHandle,
    open: (listener: SessionListener) => ProducerSession,
  ) {
    super(host.metricsOrigin, metrics);
    this.#host = host;
    this.#events = new ProducerEvents(host.callbackThrew);
    this.#handleOf = handleOf;
    this.#preparer = new Preparer(options, host, (topic) => this.partitionsFor(topic));
    this.#session = open({
      onFailure: (failure) => this.#events.emit('failure', failure),
      onFatal: (error) => this.#events.emit('fatal', error),
      onRefused: (reason) => this.#routes.takeNoMore(reason),
      onEnd: (reason) => this.#preparer.drop(reason),
    });
    this.#routes = new RecordRoutes(this.#session, this.#preparer);
  }

  /**
   * Starts a producer with a client of its own, which is closed with it. Takes the options of both. Options that both have go to both.
   * Fails with: KafkaConfigurationError, NoBrokersAvailable
   */
  static async start<K = BytesInput, V = BytesInput>(
    options: KafkaClientOptions & ProducerOptions<K, V>,
  ): Promise<Producer<K, V>> {
    const { client: clientOptions, producer: producerOptions } = apart(options);
    const client = await KafkaClient.start(expecting(clientOptions, { role: 'producer' }));
    return Producer.#owning(client, () => client.producer(producerOptions));
  }

  /**
   * Opens a handle: this thread uses the same producer, with the same batches, memory and producer id. Futures, counters and events are
   * this thread's own. `close` detaches only this thread.
   * Fails with: TypeError for anything but a handle, IllegalStateError for a handle that cannot be attached
   */
  static async attach<K = BytesInput, V = BytesInput>(
    handle: ProducerHandle,
    options: AttachedProducerOptions<K, V> = {},
  ): Promise<Producer<K, V>> {
    checkOptions('attach', options, ['partitioner', 'serializeKey', 'serializeValue', 'hooks']);
    const client = await KafkaClient.attach(
      checkProducerHandle(handle).client as Parameters<typeof KafkaClient.attach>[0],
    );
    return Producer.#owning(client, () => client.producer(optionsFor(handle, options)));
  }

  /**
   * Makes a handle with which another thread can use the same producer by `Producer.attach`. Each thread needs its own handle, sent with
   * its `transferList`. Records of one thread keep their order. If a thread ends without `close`, the records that it had written are
   * still sent in order.
   * Throws: IllegalStateError when this producer or its client is closed
   */
  share(): ProducerHandle {
    if (this.#session.isClosing) throw new IllegalStateError('share: this producer is closed');
    return this.#handleOf();
  }

  /** The effective configuration. */
  get config(): ProducerSession['config'] {
    return this.#session.config;
  }

  /** The counters of this thread's records, read from shared memory. */
  get counters(): ProducerCounters {
    return countersOf(this.#session);
  }

  /**
   * The id under which brokers know the numbers that this producer pushes (KIP-714): 22 characters of base64url, as Kafka prints uuids. It is
   * that of all threads of the producer, and stays. Null while no broker has given one, which only brokers do that take metrics.
   */
  get clientInstanceId(): string | null {
    return this.#session.counters.instanceId;
  }

  /** The bytes of shared memory that are free now. A record takes up to 63 bytes in addition to key, value and headers. */
  get room(): number {
    return this.#session.roomBytes;
  }

  /**
   * Writes one record.
   * @returns Future of the record's place. It is always settled exactly once, within `deliveryTimeoutMs` and the wait for metadata
   * Fails with: BufferExhaustedError when there is no room (await `ready` and send again), TopicMetadataTimeoutError,
   * DeliveryTimeoutError, RecordTooLargeError, SerializationError, the broker's error. `maybeWritten` of the error says whether
   * the record may have been written in spite of the error
   * Throws: TypeError and RangeError for arguments of the wrong kind
   */
  send(topic: string, record: ProducerRecord<K, V>, options: SendRecordOptions = {}): Future<RecordMetadata> {
    checkOptions('send', options, sendOptionNames);
    checkRecord(record);
    const signal = checkSignal(options.signal);
    const { refusal } = this.#session;
    if (refusal !== null) return this.#session.newFuture<RecordMetadata>().failure(refusal);
    const future = this.#session.newFuture<RecordMetadata>();
    if (givenUp('the record', signal, future)) return future;
    const lingerMs = lingerOf(options.lingerMs);
    const partition = partitionOf(options.partition ?? record.partition);
    traced(topic, record, future, (given) => {
      this.#preparer.tellHook(topic, given, future);
      const settle = (prepared: Prepared): void => {
        if (signal?.aborted !== true) this.#routes.send(topic, prepared, lingerMs, future);
      };
      this.#preparer.inOrder(topic, given, partition, settle, (error) => fail(future, error));
    });
    giveUpWhenAborted('the record', signal, future);
    return future;
  }

  /**
   * Writes many records with one Future for all. From a list or an iterator, each record is taken when there is room for it. A callback
   * writes records with `appender.append` inside the call.
   * @returns Future of a report. A record that is too large, or whose serializer fails, is a failure in it, and the others are sent. The
   * Future fails with the error of the source, and with TypeError for a record of the wrong kind; no later record is then taken.
   * Throws: TypeError for what gives no records
   */
  sendAll(
    topic: string,
    records: RecordsSource<K, V> | ((appender: GroupAppender) => void),
    options: SendAllOptions = {},
  ): Future<DeliveryReport> {
    return this.#sendAllOf(topic, records, options, null);
  }

  /**
   * A stream of node:stream that writes its chunks to the topic: records, or bytes or text for the value of one. It slows its
   * source down when the producer has no room, and finishes when every record is in the log. The first record that fails destroys it with
   * the record's error. No more records are then taken; those that were taken are still delivered.
   */
  writable(topic: string, options: WritableOptions = {}): Writable {
    checkTopic(topic);
    checkOptions('writable', options, ['highWaterMark']);
    const how = { endsAtFailure: true, signal: null, transaction: null };
    return writableOf<K, V>((records) => this.#sendAll(topic, records, how), options);
  }

  /**
   * Writes one record of bytes without an object for it. `counters`, `on('failure')` and `flush` report the outcome.
   * @returns false when there is no room now; then await `ready`, or block in `waitSync`, and append it again
   * Throws: TypeError for arguments of the wrong kind, RecordTooLargeError, ProducerClosedError and the error of a fatal state
   */
  append(topic: string, key: BytesInput | null, value: BytesInput | null, partition?: number): boolean {
    return this.#routes.append(topic, TrackKind.NONE, 0, key, value, partition);
  }

  /**
   * Waits for room.
   * @param bytes size of key, value and headers; default: 1 KiB
   * Fails with: BufferExhaustedError after `maxBlockMs`. Throws: TypeError for what is no size
   */
  ready(bytes = 1024): Future<void> {
    return this.#session.ready(sizeOf(bytes));
  }

  /**
   * Like `ready`, but blocks this thread. It is for loops that never return to the event loop. Returns whether there is room.
   * Throws: TypeError for what is no size, IllegalArgumentError for a `timeoutMs` that is no number or below 0
   */
  waitSync(bytes: number, timeoutMs = this.config.maxBlockMs): boolean {
    return this.#session.waitSync(sizeOf(bytes), checkTimeout(timeoutMs));
  }

  /**
   * Sends everything given so far without delay, and waits until all of it has succeeded or failed.
   * @param options  a number is `timeoutMs`
   * @returns Future of a report about the records that were settled since the last report
   * Fails with: KafkaTimeoutError after `timeoutMs`, AbortError. Throws: IllegalArgumentError for a `timeoutMs` that is no number or below 0
   */
  flush(options: FlushOptions | number = {}): Future<DeliveryReport> {
    const named = typeof options === 'number' ? { timeoutMs: options } : options;
    const { timeoutMs = defaultWaitMs, signal } = checkOptions('flush', named, ['timeoutMs', 'signal']);
    checkTimeout(timeoutMs);
    const given = checkSignal(signal);
    if (this.#preparer.tail === null && given === null) return this.#session.flush(timeoutMs);
    const future = this.#session.newFuture<DeliveryReport>();
    if (givenUp('the flush', given, future)) return future;
    // A flush that was given up must not take the report of the next one.
    const begin = (): void => {
      if (!future.isDone) this.#session.flush(timeoutMs, future);
    };
    if (this.#preparer.tail === null) begin();
    else void this.#preparer.serialized().then(begin);
    giveUpWhenAborted('the flush', given, future);
    return future;
  }

  /** Like `flush`, but blocks this thread. Callbacks run inside. Throws KafkaTimeoutError after `timeoutMs`. */
  flushSync(timeoutMs = defaultWaitMs): DeliveryReport {
    return this.#session.flushSync(checkTimeout(timeoutMs));
  }

  /** Runs the callbacks of deliveries. It is for loops that never return to the event loop. Returns how many messages it read. */
  pollSync(timeoutMs = 0): number {
    return this.#session.pollSync(checkTimeout(timeoutMs));
  }

  /**
   * Begins a transaction. Needs `transactionalId`. Waits while another transaction of this producer is open.
   * Fails with: KafkaTimeoutError after `maxBlockMs`, the error of a fatal state, IllegalStateError without `transactionalId`
   */
  begin(): Future<Transaction<K, V>> {
    const future = this.#session.newFuture<Transaction<K, V>>();
    let beganBy = 0;
    const frameOf = (callId: number): Frame => {
      beganBy = callId;
      return transactionBeginFrame(callId);
    };
    this.#session.call(frameOf, (error) => {
      if (error !== null) {
        fail(future, error);
        return;
      }
      this.#preparer.transaction = beganBy;
      succeed(future, new Transaction<K, V>(this.#transactionHost, beganBy));
    });
    return future;
  }

  /**
   * Runs `work` in a transaction. Commits when `work` ends. Aborts and throws the error when `work` throws or a record fails; readers of
   * committed records then see nothing of the transaction.
   */
  async transaction<T>(work: (tx: Transaction<K, V>) => T | Promise<T>): Promise<T> {
    return runTransaction(await this.begin(), work);
  }

  /** The number of a topic's partitions, when metadata has come. A partitioner function needs this call before `append`. */
  async partitionsFor(topic: string): Promise<number> {
    checkTopic(topic);
    const known = this.#host.partitionCount(topic);
    if (known !== null) return known;
    await this.#host.learnTopic(topic);
    return this.#host.partitionCount(topic) ?? 0;
  }

  /** `failure`: records have failed; one event for each batch. `fatal`: the producer can only be closed. */
  on(event: 'fatal', listener: (error: Error) => void): this;
  on(event: 'failure', listener: (failure: RecordFailure) => void): this;
  on(event: 'fatal' | 'failure', listener: (what: never) => void): this {
    this.#events.add(event, listener);
    return this;
  }

  /**
   * Takes no more records, sends those that were given, and ends. Records that are not acknowledged after `timeoutMs` fail. An open
   * transaction of this thread is aborted.
   * @returns Future of a report about the records that were settled since the last report; each call returns the same Future, and the
   *   earliest time limit counts
   */
  close(options: { timeoutMs?: number } = {}): Future<DeliveryReport> {
    const { timeoutMs = defaultWaitMs } = checkOptions('close', options, ['timeoutMs']);
    checkTimeout(timeoutMs);
    if (this.#closing !== null) return this.#closing.again(timeoutMs);
    const serialized = this.#preparer.tail === null ? null : this.#preparer.serialized();
    this.#closing = new Closing(this.#session, serialized, this.#ownClient, timeoutMs);
    return this.#closing.future;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  static async #owning<K, V>(client: KafkaClient, open: () => Promise<Producer<K, V>>): Promise<Producer<K, V>> {
    try {
      const producer = await open();
      producer.#ownClient = client;
      return producer;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  #sendAllOf(
    topic: string,
    records: RecordsSource<K, V> | ((appender: GroupAppender) => void),
    options: SendAllOptions,
    transaction: number | null,
  ): Future<DeliveryReport> {
    checkTopic(topic);
    checkSource(records);
    const { signal } = checkOptions('sendAll', options, ['signal']);
    return this.#sendAll(topic, records, { endsAtFailure: false, signal: checkSignal(signal), transaction });
  }

  #sendAll(
    topic: string,
    records: RecordsSource<K, V> | ((appender: GroupAppender) => void),
    how: GroupOptions,
  ): Future<DeliveryReport> {
    const { signal } = how;
    const future = this.#session.newFuture<DeliveryReport>();
    const { refusal } = this.#session;
    if (refusal !== null) return future.failure(refusal);
    if (givenUp('sendAll', signal, future)) return future;
    this.#routes.sendAll(topic, records, future, how);
    giveUpWhenAborted('sendAll', signal, future);
    return future;
  }

  get #transactionHost(): TransactionHost<K, V> {
    return {
      session: this.#session,
      append: (topic, key, value, partition) => this.append(topic, key, value, partition),
      send: (topic, record, options) => this.send(topic, record, options),
      sendAll: (topic, records, options, beganBy) => this.#sendAllOf(topic, records, options, beganBy),
      takeNoMore: (error, beganBy) => this.#routes.takeNoMore(error, beganBy),
      serialized: () => this.#preparer.serialized(),
      drop: (error, beganBy) => this.#preparer.drop(error, beganBy),
    };
  }
}
