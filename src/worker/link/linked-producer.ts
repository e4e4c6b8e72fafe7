// Owns one producer of the network thread, and the application threads that are attached to it: calls both in each round, and lets the
// threads leave. Network thread. Must not decide anything about records.

import type { MessagePort } from 'node:worker_threads';
import type { MemoryPart } from '../../common/client-memory.ts';
import type { ProducerConfig } from '../../common/config/producer-options.ts';
import { ProducerClosedError, RingCorruptError } from '../../common/errors/errors.ts';
import { type NetworkEnd, type NetworkHandle, openNetworkEnd } from '../../ring/attachment.ts';
import { Lifeline } from '../../ring/lifeline.ts';
import { ProducerCountersWriter } from '../../state/producer-counters.ts';
import type { ProducerMetricsMemory } from '../../state/producer-metrics.ts';
import type { Role, RoleHost } from '../client/role.ts';
import type { Compressor } from '../producer/batch-packer.ts';
import { ProducerRole } from '../producer/producer-role.ts';
import type { Log } from '../report/log.ts';
import { MetricsPush, type Pushing } from '../telemetry/metrics-push.ts';
import type { Attachment } from './attachments.ts';
import type { BlockedThreads } from './blocked-threads.ts';
import { brokenMemory, endedByFault } from './end-reasons.ts';
import { framesPerTurn, ProducerAdapter } from './producer-adapter.ts';
import { ProducerLog } from './producer-log.ts';
import { ProducerMeasures } from './producer-measures.ts';
import { ProducerProxy } from './producer-proxy.ts';
import type { Attached } from './producer-thread.ts';

/** What a new producer needs besides its configuration. */
export interface ProducerOpening {
  /** What batches may take together. */
  readonly batchMemoryBytes: number;
  /** Null: no metrics are recorded. */
  readonly metrics: ProducerMetricsMemory | null;
}

/** What an application thread passes to attach to a producer. */
export interface ProducerLink {
  readonly link: NetworkHandle;
  readonly counters: SharedArrayBuffer;
  readonly lifePort: MessagePort;
}

/** Called when the shared memory of a link holds an impossible value. `owner` is the attachment of the link's thread. */
export type OnBroken = (owner: Attachment, error: Error) => void;

/** With a longer time, the ring of a fast application would fill. */
const maxDozeMs = 2;
/**
 * A thread that gives a record to `send` notifies the network thread at the end of its turn. If it computes before that, the record is
 * found after this time. It is short for a thread that computes for long, and costs next to nothing when nothing happens.
 */
const patrolMs = 100;
/** Batches keep at least this part of their memory, however many threads share the producer. */
const leastBatchShare = 4;

export interface LinkedProducerParts {
  /** Null: the network thread compresses everything. */
  readonly compressor: Compressor | null;
  readonly log: Log;
  readonly onBroken: OnBroken;
  readonly blocked: BlockedThreads;
  readonly pushing: Pushing;
  /** ms on the monotonic clock. */
  readonly clock: () => number;
}

/** A producer with its links. The poll loop calls it as a role. */
export class LinkedProducer implements Role {
  readonly role: ProducerRole;
  /** A role of its own. Null: it is switched off. */
  readonly push: MetricsPush | null;
  readonly #host: RoleHost;
  readonly #onEnd: () => void;
  readonly #onBroken: OnBroken;
  readonly #blocked: BlockedThreads;
  readonly #deliveryTimeoutMs: number;
  readonly #measures: ProducerMeasures;
  /** The id under which brokers know its pushed metrics. Null: none has given one. */
  #instanceId: string | null = null;
  #attached: Attached[] = [];
  /** While records come, more will follow. So one round takes the records of a few ms, instead of one round for each record. */
  dozeMs = 0;
  readonly #maxDozeMs: number;
  /** The memory of batches when one thread is attached. */
  readonly #memoryBytes: number;
  /** Which thread's records are taken first in the next round. */
  #turn = 0;
  /** When the links are read next, even if nobody notifies. */
  #patrolAt = 0;
  /** The role has ended. Answers may still wait for room. */
  #isClosed = false;
  readonly #clock: () => number;

  constructor(
    config: ProducerConfig,
    opening: ProducerOpening,
    host: RoleHost,
    { log, compressor, onBroken, blocked, pushing, clock }: LinkedProducerParts,
    onEnd: () => void,
  ) {
    this.#host = host;
    this.#onEnd = onEnd;
    this.#onBroken = onBroken;
    this.#blocked = blocked;
    this.#clock = clock;
    this.#deliveryTimeoutMs = config.deliveryTimeoutMs;
    this.#maxDozeMs = Math.min(config.lingerMs, maxDozeMs);
    this.#measures = new ProducerMeasures(config, opening.metrics, clock());
    const push = { source: this.#measures, onInstanceId: (id: string) => this.#named(id) };
    this.push = config.enableMetricsPush ? new MetricsPush(push, pushing, clock()) : null;
    this.role = new ProducerRole({
      config,
      batchMemoryBytes: opening.batchMemoryBytes,
      host,
      compressor,
      report: new ProducerLog(log, this.#measures),
      onFatal: (error) => {
        for (const { adapter } of this.#attached) adapter.proxy.fatal(error);
      },
    });
    this.#memoryBytes = this.role.accumulator.memory.maxBytes;
  }

  /** Whether it ends, or has ended: its last thread has closed it. Its last answers may wait for room. */
  get isClosing(): boolean {
    return this.role.isClosing;
  }

  attach({ link, counters: memory, lifePort }: ProducerLink, owner: Attachment): void {
    const counters = new ProducerCountersWriter(memory);
    const end = openNetworkEnd(link);
    const proxy = new ProducerProxy(end, counters);
    const adapter = new ProducerAdapter(end, proxy, this.role, ({ callId, timeoutMs }, now) => {
      const deadline = timeoutMs < 0 ? Number.POSITIVE_INFINITY : now + timeoutMs;
      this.#detach(adapter, callId, deadline, now);
    });
    const lifeline = new Lifeline(lifePort, {
      onEnd: () => {
        attached.isGone = true;
        this.#host.wake();
      },
      onCloseWithin: (timeoutMs) => {
        attached.closeDeadline = Math.min(attached.closeDeadline, this.#clock() + timeoutMs);
        this.#host.wake();
      },
    });
    const attached: Attached = {
      owner,
      adapter,
      counters,
      lifeline,
      linkBytes: link.requestRing.byteLength + link.spillBudgetBytes,
      isLeaving: false,
      isGone: false,
      isOver: false,
      goneDeadline: Number.NaN,
      closeDeadline: Number.POSITIVE_INFINITY,
      isLate: false,
      hasLeft: false,
      leave: null,
    };
    this.#attached.push(attached);
    if (this.#instanceId !== null) counters.setInstanceId(this.#instanceId);
    const { fatalError } = this.role;
    if (fatalError !== null) proxy.fatal(fatalError);
    this.#blocked.add(owner, end.responses, () => attached.isLeaving || attached.isGone);
    this.#shareMemory();
    this.#host.wake();
  }

  /** The limit is for all threads together: the links of further threads leave less for batches, but not less than a part. */
  #shareMemory(): void {
    const { memory } = this.role.accumulator;
    let othersBytes = 0;
    for (const { linkBytes } of this.#attached.slice(1)) othersBytes += linkBytes;
    memory.holders = this.#attached.length;
    memory.limitTo(Math.max(this.#memoryBytes - othersBytes, this.#memoryBytes / leastBatchShare));
    for (const { counters } of this.#attached) counters.set('maxBytes', memory.maxBytes);
  }

  get ends(): NetworkEnd[] {
    return this.#attached.map(({ adapter }) => adapter.end);
  }

  get memory(): MemoryPart {
    return { usedBytes: this.role.usedBytes, maxBytes: this.role.accumulator.memory.maxBytes };
  }

  /** What is kept for batches to come. It is a part of the limit of records. */
  get kept(): MemoryPart {
    const { keptBytes, usedBytes, maxBytes } = this.role.accumulator.memory;
    return { usedBytes: keptBytes, maxBytes: Math.max(keptBytes, maxBytes - usedBytes) };
  }

  get isKeeping(): boolean {
    const { memory } = this.role.accumulator;
    return memory.isKeeping || this.#attached.some(({ adapter }) => adapter.end.responses.isKeeping);
  }

  trim(): void {
    this.role.accumulator.memory.trim();
    for (const { adapter } of this.#attached) adapter.end.responses.trim();
  }

  /** The client of that thread is closed, or its thread has ended. */
  ownerGone(owner: Attachment): void {
    for (const attached of this.#attached) if (attached.owner === owner) attached.isGone = true;
    this.#host.wake();
  }

  /** How many of its threads' links belong to this client. */
  countOf(owner: Attachment): number {
    return this.#attached.filter((attached) => attached.owner === owner).length;
  }

  hasWork(): boolean {
    return this.#attached.some((attached) => {
      const { adapter, isOver, hasLeft } = attached;
      return !isOver && this.#guard(attached, () => (hasLeft ? adapter.mayAnswer : adapter.hasWork), true);
    });
  }

  poll(now: number): void {
    const wallNow = this.#host.wallClock();
    this.#patrolAt = now + patrolMs;
    let hasMore = false;
    let count = 0;
    // A thread that closes in here leaves the list.
    const all = this.#attached;
    const { length } = all;
    const maxFrames = framesPerTurn(this.role.accumulator.listed.length, length);
    for (const attached of all) if (now >= attached.closeDeadline) this.#giveUp(attached, now);
    this.#turn = length === 0 ? 0 : (this.#turn + 1) % length;
    for (let i = 0; i < length; i++) {
      const taken = this.#take(all[(this.#turn + i) % length]!, now, wallNow, maxFrames);
      count += taken;
      if (taken === maxFrames) hasMore = true;
    }
    for (const attached of this.#attached) {
      const { brokenBy } = attached.adapter.proxy;
      if (brokenBy !== null && !attached.isOver) this.#broken(attached, brokenBy);
      if (attached.isGone) this.#bury(attached, now);
    }
    this.dozeMs = count > 0 ? this.#maxDozeMs : 0;
    if (!this.#isClosed) this.role.poll(now);
    this.#recordRound(now);
    for (const { adapter, counters } of this.#attached) {
      counters.set('usedBytes', this.role.usedBytes);
      counters.set('retried', this.role.accumulator.stats.retries);
      adapter.proxy.notify();
    }
    this.#dropLeft();
    if (hasMore) this.#host.wake();
  }

  /** The producer has thrown: its threads are told, and records that are open have no outcome but that. */
  fail(error: Error): void {
    const reason = endedByFault('producer', error);
    for (const attached of this.#attached) {
      attached.isGone = true;
      attached.lifeline.tell(reason);
      attached.adapter.proxy.close();
      attached.adapter.end.close();
      attached.lifeline.close();
    }
    this.#attached = [];
    try {
      this.push?.fail();
      this.role.abandon();
    } finally {
      this.#onEnd();
    }
  }

  nextDeadline(): number {
    let deadline = Math.min(this.#isClosed ? Number.POSITIVE_INFINITY : this.role.nextDeadline(), this.#patrolAt);
    for (const { isLeaving, goneDeadline, closeDeadline } of this.#attached) {
      if (!isLeaving && goneDeadline < deadline) deadline = goneDeadline;
      if (closeDeadline < deadline) deadline = closeDeadline;
    }
    return deadline;
  }

  #named(instanceId: string): void {
    this.#instanceId = instanceId;
    for (const { counters } of this.#attached) counters.setInstanceId(instanceId);
  }

  #recordRound(now: number): void {
    this.#measures.metadataIs(this.#host.cluster.updateId, now);
    const { recorder } = this.#measures;
    if (recorder === null) return;
    const { usedBytes, accumulator } = this.role;
    const waitingThreads = this.#attached.filter(({ isOver, adapter }) => !isOver && adapter.isWriterWaiting).length;
    recorder.roundEnded({ usedBytes, maxBytes: accumulator.memory.maxBytes, waitingThreads }, now);
  }

  #take(attached: Attached, now: number, wallNow: number, maxFrames: number): number {
    const { adapter, isOver, hasLeft } = attached;
    const take = (): number => {
      adapter.proxy.flush();
      return hasLeft ? 0 : adapter.drain(now, wallNow, maxFrames);
    };
    return isOver ? 0 : this.#guard(attached, take, 0);
  }

  /** Returns what `use` returns. If the link's shared memory holds an impossible value, ends that link alone and returns `broken`. */
  #guard<T>(attached: Attached, use: () => T, broken: T): T {
    try {
      return use();
    } catch (error) {
      this.#broken(attached, error);
      return broken;
    }
  }

  /** The link is not read or written any more. The records that were read before are sent. */
  #broken(attached: Attached, error: unknown): void {
    if (!(error instanceof RingCorruptError)) throw error;
    attached.isOver = true;
    attached.isGone = true;
    attached.adapter.proxy.close();
    attached.lifeline.tell(brokenMemory(error));
    this.#onBroken(attached.owner, error);
    this.#host.wake();
  }

  /** The thread has ended. The records that it had posted are sent like any others. Nobody is told their outcomes. */
  #bury(attached: Attached, now: number): void {
    const { adapter } = attached;
    if (attached.isLeaving) return;
    if (Number.isNaN(attached.goneDeadline)) {
      attached.goneDeadline = now + this.#deliveryTimeoutMs;
      // Nobody reads what waits here. It must not keep the thread's last records from being taken.
      adapter.proxy.close();
    }
    const isRead = attached.isOver || now >= attached.goneDeadline;
    if (!isRead && this.#guard(attached, () => adapter.hasFrames, false)) return;
    attached.isOver = true;
    adapter.proxy.close();
    this.#detach(adapter, 0, attached.goneDeadline, now);
  }

  /** Its time to close is over: what is still in its link fails, and it waits for nothing any more. */
  #giveUp(attached: Attached, now: number): void {
    attached.isLate = true;
    attached.closeDeadline = Number.POSITIVE_INFINITY;
    const text = 'the producer was closed before there was memory for the record';
    attached.adapter.refuse(new ProducerClosedError(text, { maybeWritten: false }));
    attached.leave?.(now);
  }

  /** Detaches an application thread. The producer ends with the last one. */
  #detach(adapter: ProducerAdapter, callId: number, deadline: number, now: number): void {
    const attached = this.#attached.find((each) => each.adapter === adapter);
    if (attached === undefined || attached.isLeaving) return;
    attached.isLeaving = true;
    const leave = (): void => {
      if (attached.hasLeft) return;
      attached.hasLeft = true;
      attached.leave = null;
      adapter.proxy.closed(callId);
      adapter.proxy.notify();
      this.#host.wake();
    };
    if (this.#attached.some((each) => !each.isLeaving)) {
      attached.leave = leave;
      this.role.threadLeft(adapter.proxy, () => this.role.flush(leave, now), now);
      // The others go on, and so do its records: it only does not wait for them.
      if (attached.isLate) leave();
      return;
    }
    attached.leave = (at) => this.role.closeBy(at);
    this.role.close(attached.isLate ? now : Math.min(deadline, attached.closeDeadline), (at) => {
      this.#isClosed = true;
      this.push?.close(at);
      leave();
      // Also those that wait for the end of their transaction.
      for (const each of this.#attached) each.leave?.(at);
    });
  }

  /** Threads that have their last answer leave the list. An answer that waits for room keeps its thread in it, until it reads or has ended. */
  #dropLeft(): void {
    const left = this.#attached.filter(
      ({ hasLeft, isGone, adapter }) => hasLeft && (isGone || !adapter.proxy.isBehind),
    );
    if (left.length === 0) return;
    this.#attached = this.#attached.filter((each) => !left.includes(each));
    this.#shareMemory();
    for (const { adapter, lifeline, isGone } of left) {
      // Its records may still be under way, and nobody reads what becomes of them.
      adapter.proxy.close();
      // A thread that goes on closes the ports itself, when it has read the answer.
      if (!isGone) continue;
      adapter.end.close();
      lifeline.close();
    }
    if (this.#isClosed && this.#attached.length === 0) this.#onEnd();
  }
}
