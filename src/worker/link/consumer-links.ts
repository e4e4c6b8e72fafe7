// Owns one consumer together with the links of the application threads that read it. The poll loop calls it as a role. Network
// thread.

import type { MessagePort } from 'node:worker_threads';
import type { MemoryPart } from '../../common/client-memory.ts';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { ConsumerConfig } from '../../common/config/consumer-config.ts';
import { Cancelled, RingCorruptError } from '../../common/errors/errors.ts';
import { toPlainError } from '../../common/errors/plain-error.ts';
import { checkOpenCount, maxThreadsOfConsumer } from '../../common/open-limits.ts';
import { type NetworkEnd, type NetworkHandle, openNetworkEnd } from '../../ring/attachment.ts';
import { BATCH_PREFIX_BYTES } from '../../ring/frames/consumer-frames.ts';
import { Lifeline } from '../../ring/lifeline.ts';
import type { ConsumerMetricsMemory } from '../../state/consumer-metrics.ts';
import { ConsumerSnapshotWriter } from '../../state/consumer-snapshot.ts';
import type { Role, RoleHost } from '../client/role.ts';
import { ConsumerRole } from '../consumer/consumer-role.ts';
import { maxPreparedBytes, type RecordDecoder } from '../consumer/dealer.ts';
import { maxKeptFetchedBytes } from '../consumer/fetched-memory.ts';
import { decodeOptions } from '../requests/decode-options.ts';
import { MetricsPush, type Pushing } from '../telemetry/metrics-push.ts';
import type { Attachment } from './attachments.ts';
import type { BlockedThreads } from './blocked-threads.ts';
import { ConsumerAdapter } from './consumer-adapter.ts';
import { ConsumerMeasures } from './consumer-measures.ts';
import { ConsumerProxy } from './consumer-proxy.ts';
import { brokenMemory, endedByFault } from './end-reasons.ts';

/** What one application thread shares with its consumer. It is plain data for structured clone. */
export interface ConsumerLinkHandle {
  readonly link: NetworkHandle;
  readonly table: SharedArrayBuffer;
  readonly lifePort: MessagePort;
}

/** The first thread's link, and the memory that all threads read. */
export interface OpeningConsumer extends ConsumerLinkHandle {
  readonly snapshot: SharedArrayBuffer;
  /** Null: no metrics are recorded. */
  readonly metrics: ConsumerMetricsMemory | null;
}

export interface ConsumerLinksParts {
  readonly client: KafkaClientConfig;
  readonly config: ConsumerConfig;
  readonly snapshot: SharedArrayBuffer;
  readonly metrics: ConsumerMetricsMemory | null;
  readonly decoder: RecordDecoder | null;
  readonly newMemberId: () => string;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', text: string) => void;
  /** The consumer has ended and must not be called any more. */
  readonly onClosed: (links: ConsumerLinks) => void;
  /** Called when the shared memory of a link holds an impossible value. The owner is null if the link's thread has no client. */
  readonly onBroken: (owner: Attachment | null, error: Error) => void;
  /** Called with what the consumer has thrown when a thread has gone. */
  readonly onFault: (error: unknown) => void;
  readonly blocked: BlockedThreads;
  readonly pushing: Pushing;
}

interface Link {
  readonly end: NetworkEnd;
  readonly proxy: ConsumerProxy;
  readonly adapter: ConsumerAdapter;
  readonly lifeline: Lifeline;
  /** The attachment of the thread that reads; null for a thread without a client. */
  readonly owner: Attachment | null;
}

export class ConsumerLinks implements Role {
  /** A role of its own. Null: it is switched off. */
  readonly push: MetricsPush | null;
  readonly #role: ConsumerRole;
  readonly #links = new Map<number, Link>();
  readonly #parts: ConsumerLinksParts;
  readonly #host: RoleHost;
  readonly #measures: ConsumerMeasures;
  #lastId = 0;
  /** The last thread has gone: the next round closes the consumer. */
  #isDeserted = false;

  constructor(host: RoleHost, parts: ConsumerLinksParts, now: number) {
    const { client, config } = parts;
    this.#parts = parts;
    this.#host = host;
    this.#measures = new ConsumerMeasures(config, parts.metrics, () => this.#role.snapshot(), now);
    const writer = new ConsumerSnapshotWriter(parts.snapshot);
    const push = { source: this.#measures, onInstanceId: (id: string) => writer.setInstanceId(id) };
    this.push = config.enableMetricsPush ? new MetricsPush(push, parts.pushing, now) : null;
    this.#role = new ConsumerRole(
      host,
      {
        config,
        requestTimeoutMs: client.requestTimeoutMs,
        retryBackoffMs: client.retryBackoffMs,
        metadataMaxAgeMs: client.metadataMaxAgeMs,
        decode: decodeOptions(client),
        decoder: parts.decoder,
        prefixBytes: BATCH_PREFIX_BYTES,
        newMemberId: parts.newMemberId,
        log: parts.log,
        report: this.#measures,
        onSnapshot: (snapshot) => writer.write(snapshot),
        onClosed: () => host.wake(),
      },
      now,
    );
  }

  /** @returns the id for `detach`. Throws Cancelled when the consumer has ended and only its last answers are on their way; TooManyOpenError. */
  attach({ link, table, lifePort }: ConsumerLinkHandle, owner: Attachment | null): number {
    if (this.#role.isClosed) {
      // The thread that opens the other end learns it by this.
      lifePort.close();
      throw new Cancelled('the consumer was closed');
    }
    try {
      const what = 'threads read this consumer, with handles that were not attached yet';
      checkOpenCount(this.#links.size, maxThreadsOfConsumer, what, 'close some, or open another consumer of the group');
    } catch (error) {
      // The thread that opens the other end is told why.
      lifePort.postMessage(toPlainError(error));
      lifePort.close();
      throw error;
    }
    const end = openNetworkEnd(link);
    const id = ++this.#lastId;
    const proxy = new ConsumerProxy(id, end, table, this.#role.config.prefetchBytes);
    // The thread has ended, or it has stopped to read.
    const lifeline = new Lifeline(lifePort, { onEnd: () => this.#gone(id) });
    const adapter = new ConsumerAdapter(this.#role, end.requests, proxy, (now) => this.push?.close(now));
    this.#links.set(id, { end, proxy, adapter, lifeline, owner });
    this.#role.add(proxy);
    this.#parts.blocked.add(owner, end.responses, () => !this.#links.has(id));
    this.#host.wake();
    return id;
  }

  /** Gives the batches that the thread has not finished to other threads. If there is no other thread, the consumer is closed. */
  detach(id: number): void {
    const link = this.#links.get(id);
    if (link === undefined) return;
    this.#links.delete(id);
    this.#role.remove(link.proxy);
    link.proxy.close();
    link.lifeline.close();
    if (this.#links.size === 0) this.#isDeserted = true;
    this.#host.wake();
  }

  #gone(id: number): void {
    try {
      this.detach(id);
    } catch (error) {
      this.#parts.onFault(error);
    }
  }

  /** How many of its threads' links belong to this client. */
  countOf(owner: Attachment): number {
    let count = 0;
    for (const link of this.#links.values()) if (link.owner === owner) count++;
    return count;
  }

  get ends(): NetworkEnd[] {
    return [...this.#links.values()].map(({ end }) => end);
  }

  get memory(): MemoryPart {
    const { partitions, dealer, config } = this.#role;
    let usedBytes = 0;
    for (const { bufferedBytes } of partitions.all) usedBytes += bufferedBytes;
    // The first batch of a partition is taken whatever its size (KIP-74).
    const fetchedBytes = config.prefetchBytes + config.maxPartitionFetchBytes;
    return { usedBytes, maxBytes: fetchedBytes + dealer.applications.length * maxPreparedBytes };
  }

  /** What is kept for records to come. */
  get kept(): MemoryPart {
    return { usedBytes: this.#role.fetchedMemory.keptBytes, maxBytes: maxKeptFetchedBytes };
  }

  get isKeeping(): boolean {
    if (this.#role.fetchedMemory.isKeeping) return true;
    for (const { end } of this.#links.values()) if (end.responses.isKeeping) return true;
    return false;
  }

  trim(): void {
    this.#role.fetchedMemory.trim();
    for (const { end } of this.#links.values()) end.responses.trim();
  }

  /** The client of that thread is closed, or its thread has ended: detaches the links that belong to it. */
  ownerGone(owner: Attachment): void {
    for (const [id, link] of [...this.#links]) if (link.owner === owner) this.detach(id);
  }

  /** Begins the subscription or assignment in the options. */
  begin(config: ConsumerConfig, now: number): void {
    if (config.subscription !== null) this.#role.subscribe(config.subscription, now);
    else if (config.assign !== null) this.#role.assign(config.assign, now);
  }

  /** Whether an application has written anything. Asked before the thread sleeps. */
  hasWork(): boolean {
    if (this.#isDeserted) return true;
    for (const [id, { proxy, adapter }] of this.#links) {
      if (this.#guard(id, () => proxy.hasWork() || adapter.hasWork(), true)) return true;
    }
    return false;
  }

  wasLate(lateMs: number, now: number): void {
    this.#role.wasLate(lateMs, now);
  }

  poll(now: number): void {
    for (const [id, { adapter }] of [...this.#links]) this.#guard(id, () => adapter.drain(now), undefined);
    if (this.#isDeserted) this.#closeDeserted(now);
    const { recorder } = this.#measures;
    if (recorder !== null) for (const { proxy } of this.#links.values()) proxy.recordPolls(recorder, now);
    this.#role.poll(now);
    let isFlushed = true;
    for (const [id, { proxy }] of [...this.#links]) {
      if (!proxy.flush()) isFlushed = false;
      if (proxy.brokenBy !== null) this.#broken(id, proxy.brokenBy);
    }
    // The consumer is removed after the last answer was written.
    if (this.#role.isClosed && isFlushed) this.#parts.onClosed(this);
  }

  nextDeadline(now: number): number {
    return this.#role.nextDeadline(now);
  }

  /** The consumer has thrown: its threads are told, and it ends without a word to its group. Nothing is asked of it but what others would miss: memory of connections, and an end of its topics. */
  fail(error: Error, now: number): void {
    const reason = endedByFault('consumer', error);
    const links = [...this.#links.values()];
    this.#links.clear();
    for (const { proxy, lifeline } of links) {
      lifeline.tell(reason);
      proxy.close();
      lifeline.close();
    }
    this.push?.fail();
    this.#host.cluster.forget(this.#role);
    try {
      this.#role.queries.forgetTopics();
      this.#role.group?.membership?.forgetTopics();
      this.#role.fetcher.close(now);
    } finally {
      this.#parts.onClosed(this);
    }
  }

  /** No thread reads the consumer any more. It commits what was done and leaves its group, as `close` does. */
  #closeDeserted(now: number): void {
    this.#isDeserted = false;
    if (this.#links.size > 0) return;
    this.push?.close(now);
    this.#role.close(this.#parts.config.defaultApiTimeoutMs, 'default', now, () => {});
  }

  /** Returns what `use` returns. If the link's shared memory holds an impossible value, ends that link alone and returns `broken`. */
  #guard<T>(id: number, use: () => T, broken: T): T {
    try {
      return use();
    } catch (error) {
      this.#broken(id, error);
      return broken;
    }
  }

  #broken(id: number, error: unknown): void {
    if (!(error instanceof RingCorruptError)) throw error;
    const link = this.#links.get(id);
    if (link === undefined) return;
    link.lifeline.tell(brokenMemory(error));
    this.detach(id);
    this.#parts.onBroken(link.owner, error);
  }
}
