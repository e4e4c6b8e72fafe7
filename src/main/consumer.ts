// Owns the public consumer: its methods and the checks of arguments. Application thread. Must not fetch and must not know groups. The
// network thread does both, and consumer/consumer-link.ts calls it.

import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type Long from 'long';
import type { KafkaClientOptions } from '../common/config/config.ts';
import type { ConsumerConfig, TopicPartition } from '../common/config/consumer-config.ts';
import { belongsToConsumer, parseConsumerConfig } from '../common/config/consumer-config-parser.ts';
import type {
  ConsumerAnswer,
  ConsumerCall,
  ConsumerSnapshot,
  LeaveModeName,
  PartitionSnapshot,
  PlainCommitReport,
  PlainFound,
} from '../common/consumer-calls.ts';
import { expecting } from '../common/expected-role.ts';
import { shownLong } from '../common/shown-long.ts';
import type { GroupIdentity } from '../common/transaction-offsets.ts';
import { lagOf } from '../state/consumer-snapshot.ts';
import {
  assignedOf,
  checkClose,
  checkRun,
  placeOf,
  placesOf,
  plainOffsets,
  signalOf,
  startOf,
  subscriptionOf,
  timesOf,
} from './consumer/consumer-arguments.ts';
import type { ConsumerBatch } from './consumer/consumer-batch.ts';
import { ConsumerEvents, type ConsumerListeners } from './consumer/consumer-events.ts';
import { type ConsumerHandle, claimConsumerHandle } from './consumer/consumer-handle.ts';
import {
  type CommitReport,
  type CommittedOffset,
  committedOf,
  longOf,
  type OffsetOfTime,
  offsetOfTimeOf,
  reportOf,
} from './consumer/consumer-offsets.ts';
import type {
  ConsumerOptions,
  ConsumerPollOptions,
  OffsetOf,
  PlaceInLog,
  TopicPartitionOffset,
} from './consumer/consumer-options.ts';
import { ConsumerSession } from './consumer/consumer-session.ts';
import { readableOf } from './consumer/readable.ts';
import { type RunOptions, runHandler } from './consumer/run.ts';
import { handedOut } from './consumer/tracing.ts';
import { KafkaClient } from './kafka-client.ts';
import type { ClientHost, MetricsOrigin } from './link/client-host.ts';
import type { Future } from './link/future.ts';
import { checkTimeout } from './link/wait-limits.ts';
import { ConsumerMetrics, type ConsumerMetricsSnapshot, consumerGroupsOf } from './metrics/consumer-metrics.ts';
import type { MetricGroups } from './metrics/definitions.ts';

const defaultCloseTimeoutMs = 30_000;

export interface CloseOptions {
  /** In ms. Default 30000. The network thread keeps this deadline even while this thread is blocked. */
  readonly timeoutMs?: number | undefined;
  /** `leave`: static members leave too. `remain`: no leave request is sent (KIP-1092). */
  readonly leave?: LeaveModeName | undefined;
}

/**
 * Reads records, alone or as a member of a group. Membership, fetching and commits run in the network thread. So an application that
 * computes for minutes stays a member, and its next batch is ready.
 */
export class Consumer implements AsyncIterable<ConsumerBatch>, AsyncDisposable {
  readonly config: ConsumerConfig;
  readonly #session: ConsumerSession;
  readonly #events: ConsumerEvents;
  readonly #metrics: ConsumerMetrics | null;
  /** The client that was started only for this consumer. */
  #ownClient: KafkaClient | null = null;
  #closing: Promise<void> | null = null;

  /** Internal: use `client.consumer`. */
  constructor(config: ConsumerConfig, session: ConsumerSession, events: ConsumerEvents) {
    this.config = config;
    this.#session = session;
    this.#events = events;
    const { metricsMemory } = session;
    this.#metrics = metricsMemory === null ? null : new ConsumerMetrics(metricsMemory);
  }

  /** Internal. */
  static async open(host: ClientHost, options: ConsumerOptions): Promise<Consumer> {
    const config = parseConsumerConfig(options);
    const events = new ConsumerEvents(host.callbackThrew);
    const session = await ConsumerSession.open(host, config, (event) => events.emit(event));
    return new Consumer(config, session, events);
  }

  /**
   * Starts a consumer with a client of its own, which is closed with it.
   * Fails with the errors of `KafkaClient.start` and `client.consumer`.
   */
  static async start(options: KafkaClientOptions & ConsumerOptions): Promise<Consumer> {
    const own: Record<string, unknown> = {};
    const others: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(options)) (belongsToConsumer(key) ? own : others)[key] = value;
    // The options are checked before a thread is started.
    parseConsumerConfig(own);
    let consumer: Consumer | null = null;
    const open = async (host: ClientHost): Promise<void> => {
      consumer = await Consumer.open(host, own as ConsumerOptions);
    };
    const client = await KafkaClient.start(expecting(others, { role: 'consumer', open }));
    consumer!.#ownClient = client;
    return consumer!;
  }

  /**
   * Makes a handle with which another thread can use the same consumer by `Consumer.attach`. Each thread needs its own handle, sent with
   * its `transferList`. All threads are one member of the group. Partitions are divided among the threads; a partition has one thread at
   * a time. If a thread ends, other threads get its unfinished records, before newer records of the same partition.
   * Throws: IllegalStateError when this consumer is closed, and in a thread that has attached to it
   */
  share(): ConsumerHandle {
    return this.#session.share(this.config);
  }

  /**
   * Opens a handle: this thread uses the same consumer. `close` detaches only this thread.
   * Fails with: TypeError for anything but a handle, IllegalStateError for a handle that cannot be attached
   */
  static async attach(handle: ConsumerHandle): Promise<Consumer> {
    const { config } = await claimConsumerHandle(handle);
    const events = new ConsumerEvents((error) => process.emitWarning(error instanceof Error ? error : String(error)));
    const session = await ConsumerSession.attach(handle, (event) => events.emit(event));
    return new Consumer(config, session, events);
  }

  // --- records

  /**
   * Returns batches as they come. To ask for the next batch marks the last one as done, unless it was marked partly or `commit` is
   * `manual`. A loop that ends by `break` or an error gives its batch back, and the batch comes again in the next loop.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<ConsumerBatch, void, void> {
    // Without a group, there are no commits.
    const settles = this.config.commit !== 'manual' || this.config.groupId === null;
    let batch: ConsumerBatch | null = null;
    try {
      for (;;) {
        batch = await this.poll(Number.POSITIVE_INFINITY);
        if (batch === null) return;
        yield batch;
        if (settles && !batch.isPartlyDone) batch.done();
      }
    } finally {
      // The batch is only unfinished here if the caller has left the loop.
      if (batch !== null && !batch.isDone) batch.giveBack();
    }
  }

  /**
   * Returns the next batch. Null when none was ready in time, or when the consumer was closed: in a process that was stopped, the next call
   * may have one at once. Call `done` of the batch when it is processed.
   * @param timeoutMs default 1000; Infinity: no limit
   * Fails with: an error of a partition such as CorruptBatchError, GroupFatalError, NetworkThreadError
   */
  async poll(timeoutMs = 1000, options: ConsumerPollOptions = {}): Promise<ConsumerBatch | null> {
    return this.#handedOut(await this.#session.poll(checkTimeout(timeoutMs), signalOf('poll', options)));
  }

  /** Like `poll`, but blocks this thread. It is for loops that never return to the event loop. */
  pollSync(timeoutMs = 1000): ConsumerBatch | null {
    return this.#handedOut(this.#session.pollSync(checkTimeout(timeoutMs)));
  }

  /**
   * Calls `handler` with each batch. Up to `concurrency` handlers run at once, but never two for the same partition. A batch is done when
   * its handler has returned. `run` ends when the consumer is closed or `signal` is aborted. If a handler fails, `run` waits for the
   * others and rejects with that error; the failed batch comes again.
   */
  async run(handler: (batch: ConsumerBatch) => Promise<void> | void, options: RunOptions = {}): Promise<void> {
    await runHandler(this.#session, handler, checkRun(handler, options));
  }

  /**
   * A stream of batches in object mode. Call `done` of each batch when it is dealt with: a pipeline takes chunks ahead, so the
   * stream cannot know. A stream that is destroyed gives back the batches that are not done. It ends when the consumer is closed.
   * It fails with: as `poll`.
   */
  readable(): Readable {
    return readableOf(this);
  }

  /** The same as a web stream. */
  readableWeb(): ReadableStream<ConsumerBatch> {
    return Readable.toWeb(this.readable()) as ReadableStream<ConsumerBatch>;
  }

  // --- topics and partitions

  /** Subscribes to names, a RegExp, or `{ brokerPattern }` in RE2's syntax. Replaces the former subscription. */
  subscribe(topics: NonNullable<ConsumerOptions['topics']>): Future<null> {
    return this.#call({ op: 'subscribe', subscription: subscriptionOf(topics) });
  }

  /** Releases all partitions and leaves the group. With `whenRevoked: 'wait'` it waits for batches that are not done, at most `defaultApiTimeoutMs`. */
  unsubscribe(): Future<null> {
    return this.#call({ op: 'unsubscribe' });
  }

  /** Reads only these partitions, without a group. */
  assign(partitions: readonly TopicPartitionOffset[]): Future<null> {
    return this.#call({ op: 'assign', partitions: assignedOf(partitions) });
  }

  /** Continues at another place. Handed-out records that are not done are lost. */
  seek(partition: TopicPartition, to: PlaceInLog): Future<null> {
    const start = startOf(to);
    const place = placeOf('seek', 'partition', partition);
    this.#session.returnReady([place]);
    return this.#call({ op: 'seek', ...place, start });
  }

  /** Stops handing out records of these partitions, or of all. Batches that the application has are not affected. */
  pause(partitions?: readonly TopicPartition[]): Future<null> {
    const places = partitions === undefined ? null : placesOf('pause', partitions);
    this.#session.returnReady(places);
    return this.#call({ op: 'pause', partitions: places });
  }

  resume(partitions?: readonly TopicPartition[]): Future<null> {
    return this.#call({ op: 'resume', partitions: partitions === undefined ? null : placesOf('resume', partitions) });
  }

  // --- offsets

  /** Commits what is done, or the given offsets. Each is the offset of the next record to read. */
  commit(offsets?: readonly OffsetOf[]): Future<CommitReport> {
    const timeoutMs = this.config.defaultApiTimeoutMs;
    const call: ConsumerCall = {
      op: 'commit',
      offsets: offsets === undefined ? null : plainOffsets(offsets),
      timeoutMs,
    };
    return this.#session.callThen(call, (answer) => reportOf(answer as PlainCommitReport));
  }

  /** Like `commit`, but blocks this thread. Throws the commit's error. */
  commitSync(timeoutMs = this.config.defaultApiTimeoutMs, offsets?: readonly OffsetOf[]): CommitReport {
    checkTimeout(timeoutMs);
    const call: ConsumerCall = {
      op: 'commit',
      offsets: offsets === undefined ? null : plainOffsets(offsets),
      // JSON has no Infinity.
      timeoutMs: Math.min(timeoutMs, Number.MAX_SAFE_INTEGER),
    };
    return reportOf(this.#session.callSync(call, timeoutMs) as PlainCommitReport);
  }

  /** The committed offsets of the group. Null for a partition without one. */
  committed(partitions: readonly TopicPartition[]): Future<(CommittedOffset | null)[]> {
    const places = placesOf('committed', partitions);
    const call: ConsumerCall = { op: 'committed', partitions: places, timeoutMs: this.config.defaultApiTimeoutMs };
    return this.#session.callThen(call, (answer) => (answer as readonly PlainFound[]).map(committedOf));
  }

  /** The first record with this timestamp or a later one. Null if there is none. */
  offsetsForTimes(
    times: readonly (TopicPartition & { readonly timestampMs: number })[],
  ): Future<(OffsetOfTime | null)[]> {
    return this.#offsets(timesOf('offsetsForTimes', times), offsetOfTimeOf);
  }

  /** Offsets of the first records that are there. */
  beginningOffsets(partitions: readonly TopicPartition[]): Future<Long[]> {
    return this.#offsets(
      placesOf('beginningOffsets', partitions).map((place) => ({ ...place, timestampMs: -2 })),
      ({ offset }) => shownLong(offset ?? '0'),
    );
  }

  /** The offset after the last record. With `read_committed`, the first offset that may not be read yet. */
  endOffsets(partitions: readonly TopicPartition[]): Future<Long[]> {
    return this.#offsets(
      placesOf('endOffsets', partitions).map((place) => ({ ...place, timestampMs: -1 })),
      ({ offset }) => shownLong(offset ?? '0'),
    );
  }

  // --- state, from shared memory

  get assignment(): readonly TopicPartition[] {
    return this.#session.snapshot.partitions.map(({ topic, partition }) => ({ topic, partition }));
  }

  /** The next offset to hand out. Null while it is not known, and for a partition that is not assigned. */
  position(partition: TopicPartition): Long | null {
    const position = this.#find(partition)?.position ?? null;
    return position === null ? null : longOf(position);
  }

  /** How many records are between what is done and the end, of one partition or of all, as far as it is known. */
  lag(partition?: TopicPartition): number {
    const rows = partition === undefined ? this.#session.snapshot.partitions : [this.#find(partition)];
    return rows.reduce((lag, row) => lag + (row === undefined ? 0 : lagOf(row)), 0);
  }

  /** The state, member id, epoch and last error of the membership. */
  get group(): Omit<ConsumerSnapshot, 'partitions'> {
    const { partitions: _, ...group } = this.#session.snapshot;
    return group;
  }

  /**
   * What was recorded of all threads of this consumer, read from shared memory: groups `consumer-metrics`,
   * `consumer-topic-metrics.TOPIC` and `consumer-partition-metrics.TOPIC-PARTITION`, see docs/metrics.md. Empty unless the client's
   * `metrics` is configured.
   */
  metrics(): MetricGroups {
    const snapshot = this.metricsSnapshot();
    return snapshot === null ? {} : consumerGroupsOf(snapshot);
  }

  /** The same by topic and partition, for adapters to other systems. Null unless the client's `metrics` is configured. */
  metricsSnapshot(): ConsumerMetricsSnapshot | null {
    return this.#metrics?.read(this.#session.snapshot) ?? null;
  }

  /** The client's id, and whether it records metrics: for adapters to other systems. */
  get metricsOrigin(): MetricsOrigin {
    return this.#session.metricsOrigin;
  }

  /** The id under which brokers know the numbers that it pushes (KIP-714). Null while none has given one, as brokers do that take metrics. */
  get clientInstanceId(): string | null {
    return this.#session.clientInstanceId;
  }

  /** What a transaction's `sendOffsets` takes beside offsets: the group can then refuse those of a member that it has moved on from. */
  groupMetadata(): GroupIdentity {
    return this.#session.groupIdentity();
  }

  on<E extends keyof ConsumerListeners>(event: E, listener: ConsumerListeners[E]): this {
    this.#events.on(event, listener);
    return this;
  }

  off<E extends keyof ConsumerListeners>(event: E, listener: ConsumerListeners[E]): this {
    this.#events.off(event, listener);
    return this;
  }

  // --- end

  /** Commits what is done, releases all partitions and leaves the group, in this order. Loops and polls end. A later call may name an earlier limit. */
  close(options: CloseOptions = {}): Promise<void> {
    const { timeoutMs, leave } = checkClose(options);
    if (this.#closing !== null && timeoutMs !== undefined) void this.#session.close(timeoutMs, leave ?? 'default');
    this.#closing ??= this.#close(timeoutMs, leave);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(timeoutMs = defaultCloseTimeoutMs, leave: LeaveModeName = 'default'): Promise<void> {
    await this.#session.close(timeoutMs, leave).finally(() => this.#ownClient?.close());
  }

  #handedOut(batch: ConsumerBatch | null): ConsumerBatch | null {
    return batch === null ? null : handedOut(batch, this.config.groupId, () => batch);
  }

  #call(call: ConsumerCall): Future<null> {
    return this.#session.callThen(call, (_: ConsumerAnswer) => null);
  }

  #offsets<T>(
    questions: readonly (TopicPartition & { readonly timestampMs: number })[],
    read: (found: PlainFound) => T,
  ): Future<T[]> {
    const call: ConsumerCall = { op: 'offsets', questions, timeoutMs: this.config.defaultApiTimeoutMs };
    return this.#session.callThen(call, (answer) => (answer as readonly PlainFound[]).map(read));
  }

  #find({ topic, partition }: TopicPartition): PartitionSnapshot | undefined {
    return this.#session.snapshot.partitions.find((row) => row.topic === topic && row.partition === partition);
  }
}
