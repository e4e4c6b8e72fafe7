// Owns the parts of a consumer in this thread: polls, calls, its end. Application thread. Must not check arguments: consumer.ts does.

import type { MessagePort } from 'node:worker_threads';
import { monotonicNowMs } from '../../common/clock.ts';
import type { ConsumerConfig, TopicPartition } from '../../common/config/consumer-config.ts';
import type {
  ConsumerAnswer,
  ConsumerCall,
  ConsumerEvent,
  ConsumerSnapshot,
  LeaveModeName,
} from '../../common/consumer-calls.ts';
import {
  IllegalStateError,
  KafkaTimeoutError,
  NetworkThreadError,
  RingFullError,
  TooManyOpenError,
} from '../../common/errors/errors.ts';
import { fromPlainError } from '../../common/errors/plain-error.ts';
import type { GroupIdentity } from '../../common/transaction-offsets.ts';
import {
  type ApplicationEnd,
  createAttachment,
  createAttachmentHandles,
  openApplicationEnd,
} from '../../ring/attachment.ts';
import { createLifeline, Lifeline } from '../../ring/lifeline.ts';
import { createBatchTable } from '../../state/batch-table.ts';
import { type ConsumerMetricsMemory, createConsumerMetrics } from '../../state/consumer-metrics.ts';
import { ConsumerSnapshotReader, createConsumerSnapshot } from '../../state/consumer-snapshot.ts';
import type { ClientHost, ClientRole, MetricsOrigin, ShownRole } from '../link/client-host.ts';
import { Future, fail, succeed } from '../link/future.ts';
import { BlockingLimit, startLimit } from '../link/late-limit.ts';
import { nextTurn, TurnBudget } from '../link/turn-budget.ts';
import type { ConsumerBatch } from './consumer-batch.ts';
import { attachedHost, type ConsumerHandle, type ConsumerHost, makeConsumerHandle } from './consumer-handle.ts';
import { ConsumerLink, closedError, type Ready } from './consumer-link.ts';

/** The network thread keeps the deadline of `close`. This time is added to it here. */
const closeGraceMs = 2000;
/** How often a full link is looked at. Most calls that make room in it are answered, which is news. */
const lookForRoomMs = 100;
/** JSON has no Infinity. */
const maxTimeoutMs = Number.MAX_SAFE_INTEGER;

/** How many batches may be in this thread's link or with this thread. */
const places = 256;
const requestRingBytes = 256 * 1024;
const responseRingBytes = 1024 * 1024;
/** Batches that are larger than this are moved instead of copied. */
const spillBytes = 64 * 1024;
const spillBudgetBytes = 256 * 1024 * 1024;
const limits = { requestRingBytes, responseRingBytes, spillBytes, spillBudgetBytes };

interface OwnLink {
  readonly end: ApplicationEnd;
  readonly table: SharedArrayBuffer;
  readonly snapshot: SharedArrayBuffer;
  readonly metrics: ConsumerMetricsMemory | null;
  readonly metricsOrigin: MetricsOrigin;
  readonly lifePort: MessagePort;
}

export class ConsumerSession implements ClientRole {
  readonly link: ConsumerLink;
  readonly #host: ConsumerHost;
  readonly #snapshot: SharedArrayBuffer;
  readonly metricsMemory: ConsumerMetricsMemory | null;
  readonly metricsOrigin: MetricsOrigin;
  readonly #reader: ConsumerSnapshotReader;
  readonly #lifeline: Lifeline;
  readonly #config: ConsumerConfig;
  readonly #turn = new TurnBudget();
  #fatal: Error | null = null;
  #closing: Promise<void> | null = null;
  #closeDeadline = Number.POSITIVE_INFINITY;

  /** Null in an attached thread. */
  readonly #origin: { readonly host: ClientHost; readonly id: number } | null;
  #isOver = false;

  private constructor(
    host: ConsumerHost,
    origin: { readonly host: ClientHost; readonly id: number } | null,
    config: ConsumerConfig,
    link: OwnLink,
    onEvent: (event: ConsumerEvent) => void,
  ) {
    this.#host = host;
    this.#origin = origin;
    this.#config = config;
    this.#snapshot = link.snapshot;
    this.metricsMemory = link.metrics;
    this.metricsOrigin = link.metricsOrigin;
    this.#reader = new ConsumerSnapshotReader(link.snapshot);
    this.link = new ConsumerLink({
      end: link.end,
      table: link.table,
      onEvent: (event) => {
        if (event.type === 'closed') this.#onOver();
        if (event.type === 'error' && event.isFatal) this.#fatal = fromPlainError(event.error);
        onEvent(event);
      },
      groupIdentity: () => this.groupIdentity(),
      callbackThrew: host.callbackThrew,
      onClosed: () => this.#lifeline.close(),
    });
    // Its close tells the network thread that this thread has ended or that the consumer was closed.
    this.#lifeline = new Lifeline(link.lifePort, {
      onTold: (reason) => this.link.close(fromPlainError(reason)),
      onEnd: () => this.#onLifelineEnd(),
    });
    host.addRole(this);
    this.link.listen();
  }

  /** Fails with the network thread's error about the options. */
  static async open(
    host: ClientHost,
    config: ConsumerConfig,
    onEvent: (event: ConsumerEvent) => void,
  ): Promise<ConsumerSession> {
    const { application, handle, transferList } = createAttachment(limits, host.networkDoorbell, host.countersMemory);
    const table = createBatchTable(places);
    const snapshot = createConsumerSnapshot();
    const { metricsOrigin } = host;
    const metrics = metricsOrigin.metrics ? createConsumerMetrics() : null;
    const lifePorts = createLifeline();
    try {
      const opening = { link: handle, table, snapshot, metrics, lifePort: lifePorts.network };
      const id = await host.callWith((control, argument) => control.openConsumer(config, argument), opening, [
        ...transferList,
        lifePorts.network,
      ]);
      const link = { end: application, table, snapshot, metrics, metricsOrigin, lifePort: lifePorts.application };
      return new ConsumerSession(host, { host, id }, config, link, onEvent);
    } catch (error) {
      lifePorts.application.close();
      application.close();
      throw error;
    }
  }

  /** Opens this thread's end of a consumer that another thread has made. Fails with IllegalStateError when the consumer has ended. */
  static async attach(handle: ConsumerHandle, onEvent: (event: ConsumerEvent) => void): Promise<ConsumerSession> {
    const { application, table, snapshot, lifePort, config, metrics, metricsOrigin } = handle;
    const end = openApplicationEnd(application);
    const host = attachedHost(() => {
      if (session.link.isNetworkThreadOver) session.link.close(new NetworkThreadError('the network thread has ended'));
    });
    const link = { end, table, snapshot, metrics, metricsOrigin, lifePort };
    const session = new ConsumerSession(host, null, config, link, onEvent);
    try {
      await session.callThen({ op: 'hello' }, () => null);
      return session;
    } catch (cause) {
      session.link.close(closedError());
      if (cause instanceof TooManyOpenError) throw cause;
      const text = 'this handle cannot be attached: its consumer was closed, or the network thread has ended';
      throw new IllegalStateError(text, { cause });
    }
  }

  share(config: ConsumerConfig): ConsumerHandle {
    if (this.isClosed) throw new IllegalStateError('share: this consumer is closed');
    if (this.#origin === null)
      throw new IllegalStateError('a consumer can only be shared in the thread in which it was made');
    const { host, id } = this.#origin;
    const { application, network } = createAttachmentHandles(limits, host.networkDoorbell, host.countersMemory);
    const table = createBatchTable(places);
    const lifePorts = createLifeline();
    const ports = [network.bodyPort, network.sparePort, lifePorts.network];
    const opening = { link: network, table, lifePort: lifePorts.network };
    host
      .callWith((control, argument) => control.attachConsumer(id, argument), opening, ports)
      // The thread that opens the handle then sees that the consumer is closed. Of a refusal it is told.
      .catch((error: unknown) => {
        if (!(error instanceof TooManyOpenError)) lifePorts.application.close();
      });
    const lifePort = lifePorts.application;
    const { metricsMemory: metrics, metricsOrigin } = this;
    return makeConsumerHandle({
      config,
      application,
      table,
      snapshot: this.#snapshot,
      metrics,
      metricsOrigin,
      lifePort,
    });
  }

  get shown(): ShownRole {
    return { kind: 'consumer', name: this.#config.groupId ?? '', end: this.link.end };
  }

  closeWithClient(timeoutMs: number): Promise<void> {
    return this.close(timeoutMs, 'default');
  }

  onThreadLost(error: Error): void {
    this.link.close(error);
  }

  /** The network thread reads no more calls. */
  #onOver(): void {
    this.#isOver = true;
    // A session with a client waits for the answer to its `close`, which comes after this event.
    if (this.#origin === null) queueMicrotask(() => this.link.close(closedError()));
  }

  /** A consumer with a client is told of the end by its client. */
  #onLifelineEnd(): void {
    if (this.#origin !== null) return;
    this.link.drain();
    this.link.close(this.#isOver ? closedError() : new NetworkThreadError('the network thread has ended'));
  }

  get snapshot(): ConsumerSnapshot {
    return this.#reader.read();
  }

  get clientInstanceId(): string | null {
    return this.#reader.instanceId;
  }

  /** Throws: IllegalStateError without a group. */
  groupIdentity(): GroupIdentity {
    const { groupId, groupInstanceId } = this.#config;
    if (groupId === null) throw new IllegalStateError('a consumer without a groupId has no group');
    const { memberId, epoch } = this.snapshot;
    return { groupId, memberId, generationIdOrMemberEpoch: epoch, groupInstanceId };
  }

  get groupId(): string | null {
    return this.#config.groupId;
  }

  get isClosed(): boolean {
    return this.#closing !== null || this.#isOver || this.link.closeError !== null;
  }

  async poll(
    timeoutMs: number,
    signal: AbortSignal | null,
    isWanted?: (batch: ConsumerBatch) => boolean,
  ): Promise<ConsumerBatch | null> {
    if (this.#turn.isSpent(monotonicNowMs())) {
      // Not after something was taken: it could be lost meanwhile.
      await nextTurn();
      this.#turn.begin(monotonicNowMs());
    }
    this.link.drain();
    this.link.asks();
    try {
      const batch = this.#take(isWanted);
      if (batch !== null || timeoutMs === 0 || this.isClosed || signal?.aborted) return batch;
      return await this.#keepAlive(() => this.#wait(timeoutMs, signal, isWanted));
    } finally {
      this.link.stopsAsking();
    }
  }

  pollSync(timeoutMs: number): ConsumerBatch | null {
    const deadline = monotonicNowMs() + timeoutMs;
    this.link.drain();
    this.link.asks();
    try {
      for (;;) {
        const batch = this.#take();
        const leftMs = deadline - monotonicNowMs();
        if (batch !== null || leftMs <= 0 || this.isClosed || this.link.isNetworkThreadOver) return batch;
        this.link.blockForNews(leftMs);
      }
    } finally {
      this.link.stopsAsking();
    }
  }

  /** Makes a call and converts its answer. */
  callThen<T>(call: ConsumerCall, make: (answer: ConsumerAnswer) => T): Future<T> {
    const made = new Future<T>(this.#host.callbackThrew);
    const asked = this.link.call<ConsumerAnswer>(call);
    asked.addCallback((answer) => succeed(made, make(answer)));
    asked.addErrback((error) => fail(made, error));
    if (!made.isDone) void this.#keepAlive(() => settled(made));
    return made;
  }

  /** Makes a call and blocks this thread. Throws the call's error. */
  callSync(call: ConsumerCall, timeoutMs: number): ConsumerAnswer {
    const asked = this.link.call<ConsumerAnswer>(call);
    // The error is thrown below.
    asked.addErrback(() => {});
    const limit = new BlockingLimit(timeoutMs + closeGraceMs);
    for (let leftMs = limit.leftMs(); !asked.isDone; leftMs = limit.leftMs()) {
      if (leftMs <= 0 || this.link.isNetworkThreadOver) throw new KafkaTimeoutError(`no answer to ${call.op} in time`);
      this.link.blockForNews(leftMs);
    }
    if (asked.exception !== null) throw asked.exception;
    return asked.value as ConsumerAnswer;
  }

  /** Gives the waiting batches back. They are handed out again later. */
  returnReady(partitions: readonly TopicPartition[] | null): void {
    const keys = new Set(partitions?.map(({ topic, partition }) => `${topic}-${partition}`));
    this.link.returnReady(({ topic, partition }) => partitions === null || keys.has(`${topic}-${partition}`));
  }

  /** Each call returns the same promise. The earliest time limit counts. */
  close(timeoutMs: number, leave: LeaveModeName): Promise<void> {
    const deadline = monotonicNowMs() + timeoutMs;
    if (this.#closing === null) this.#closing = this.#close(timeoutMs, leave);
    else if (deadline < this.#closeDeadline) void this.#closeWithin(timeoutMs, leave);
    this.#closeDeadline = Math.min(this.#closeDeadline, deadline);
    return this.#closing;
  }

  /** Keeps the process alive until `run` has ended. */
  async #keepAlive<T>(run: () => Promise<T>): Promise<T> {
    this.#host.hold();
    try {
      return await run();
    } finally {
      this.#host.release();
    }
  }

  async #close(timeoutMs: number, leave: LeaveModeName): Promise<void> {
    try {
      // An attached thread only gives its batches back. The consumer goes on in the other threads.
      if (this.link.closeError !== null || this.#origin === null || this.#isOver) return;
      await this.#keepAlive(() => this.#closeWithin(timeoutMs, leave));
    } finally {
      this.link.close(closedError());
      this.#host.removeRole(this);
    }
  }

  /** The link is closed a little after the limit, whether there is an answer or not. What has come by then is taken. */
  async #closeWithin(timeoutMs: number, leave: LeaveModeName): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const isLate = new Promise<void>((resolve) => {
      timer = startLimit(resolve, timeoutMs + closeGraceMs, () => this.#origin!.host.catchUp());
    });
    await Promise.race([this.#askToClose(timeoutMs, leave), isLate]);
    clearTimeout(timer);
    this.link.drain();
    this.link.close(closedError());
  }

  /** Calls of this thread may fill the link: without this call the consumer would be closed as one that nobody reads any more. */
  async #askToClose(timeoutMs: number, leave: LeaveModeName): Promise<void> {
    const deadline = monotonicNowMs() + timeoutMs;
    for (let leftMs = timeoutMs; ; leftMs = Math.max(0, deadline - monotonicNowMs())) {
      const closed = this.link.call<null>({ op: 'close', timeoutMs: Math.min(leftMs, maxTimeoutMs), leave });
      await settled(closed);
      if (leftMs === 0 || !(closed.exception instanceof RingFullError)) return;
      await this.link.untilNews(Math.min(leftMs, lookForRoomMs), null);
    }
  }

  async #wait(
    timeoutMs: number,
    signal: AbortSignal | null,
    isWanted?: (batch: ConsumerBatch) => boolean,
  ): Promise<ConsumerBatch | null> {
    const deadline = monotonicNowMs() + timeoutMs;
    for (;;) {
      const leftMs = deadline - monotonicNowMs();
      if (leftMs <= 0 || signal?.aborted) return null;
      await this.link.untilNews(leftMs, signal);
      this.#turn.begin(monotonicNowMs());
      const batch = this.#take(isWanted);
      if (batch !== null || this.#closing !== null || this.#isOver) return batch;
      if (this.link.closeError !== null) throw this.link.closeError;
    }
  }

  #take(isWanted?: (batch: ConsumerBatch) => boolean): ConsumerBatch | null {
    if (this.#closing !== null || this.#isOver) return null;
    const ready: Ready | undefined = this.link.take(isWanted);
    if (ready instanceof Error) throw ready;
    if (ready === undefined && this.#fatal !== null) throw this.#fatal;
    if (ready === undefined && this.link.closeError !== null) throw this.link.closeError;
    return ready ?? null;
  }
}

function settled<T>(future: Future<T>): Promise<void> {
  return new Promise((resolve) => {
    future.addCallback(() => resolve());
    future.addErrback(() => resolve());
  });
}
