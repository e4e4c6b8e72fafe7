// Owns the producers of the network thread, and the application threads that are attached to each: makes them, calls them in each
// round, closes them. Network thread. Must not decide anything about records.

import type { MessagePort } from 'node:worker_threads';
import { type MemoryPart, sumOfParts } from '../../common/client-memory.ts';
import type { ProducerConfig } from '../../common/config/producer-options.ts';
import { Cancelled, IllegalStateError, RingCorruptError } from '../../common/errors/errors.ts';
import { checkOpenCount, maxProducersOfThread } from '../../common/open-limits.ts';
import { type NetworkEnd, type NetworkHandle, openNetworkEnd } from '../../ring/attachment.ts';
import { Lifeline } from '../../ring/lifeline.ts';
import { ProducerCountersWriter } from '../../state/producer-counters.ts';
import type { ProducerMetricsMemory } from '../../state/producer-metrics.ts';
import type { Role, RoleHost } from '../client/role.ts';
import type { Compressor } from '../producer/batch-packer.ts';
import { ProducerRole } from '../producer/producer-role.ts';
import type { Log } from '../report/log.ts';
import type { Attachment } from './attachments.ts';
import type { BlockedThreads } from './blocked-threads.ts';
import { brokenMemory, endedByFault } from './end-reasons.ts';
import { maxFramesPerTurn, ProducerAdapter } from './producer-adapter.ts';
import { ProducerLog } from './producer-log.ts';
import { ProducerProxy } from './producer-proxy.ts';
import { ProducerRecorder } from './producer-recorder.ts';
import type { Scopes } from './scopes.ts';

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
type OnBroken = (owner: Attachment, error: Error) => void;

/** With a longer time, the ring of a fast application would fill. */
const maxDozeMs = 2;
/**
 * A thread that gives a record to `send` notifies the network thread at the end of its turn. If it computes before that, the record is
 * found after this time. It is short for a thread that computes for long, and costs next to nothing when nothing happens.
 */
const patrolMs = 100;
/** Batches keep at least this part of their memory, however many threads share the producer. */
const leastBatchShare = 4;

interface Attached {
  readonly owner: Attachment;
  readonly adapter: ProducerAdapter;
  readonly counters: ProducerCountersWriter;
  readonly lifeline: Lifeline;
  /** What its ring and its moved records may take. */
  readonly linkBytes: number;
  /** The application thread is closing, or it has ended; its last records are being sent. */
  isLeaving: boolean;
  /** The application thread has ended, or its memory holds impossible values: nothing is written for it any more. */
  isGone: boolean;
  /** The link is not read or written any more. */
  isOver: boolean;
  /** When the thread is gone: until then its complete records may stay in the link for want of memory. */
  goneDeadline: number;
}

/** A producer with its links. The poll loop calls it as a role. */
class LinkedProducer implements Role {
  readonly role: ProducerRole;
  readonly #host: RoleHost;
  readonly #onEnd: () => void;
  readonly #onBroken: OnBroken;
  readonly #blocked: BlockedThreads;
  readonly #deliveryTimeoutMs: number;
  readonly #recorder: ProducerRecorder | null;
  readonly #stopUpdates: () => void;
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

  constructor(
    config: ProducerConfig,
    opening: ProducerOpening,
    host: RoleHost,
    { log, compressor, onBroken, blocked, clock }: ProducersParts,
    onEnd: () => void,
  ) {
    this.#host = host;
    this.#onEnd = onEnd;
    this.#onBroken = onBroken;
    this.#blocked = blocked;
    this.#deliveryTimeoutMs = config.deliveryTimeoutMs;
    this.#maxDozeMs = Math.min(config.lingerMs, maxDozeMs);
    const { metrics } = opening;
    this.#recorder = metrics === null ? null : new ProducerRecorder(metrics, clock());
    this.#stopUpdates = host.cluster.onUpdate((now) => this.#recorder?.metadataCame(now));
    this.role = new ProducerRole({
      config,
      batchMemoryBytes: opening.batchMemoryBytes,
      host,
      compressor,
      report: new ProducerLog(log, this.#recorder),
      onFatal: (error) => {
        for (const { adapter } of this.#attached) adapter.proxy.fatal(error);
      },
    });
    this.#memoryBytes = this.role.accumulator.memory.maxBytes;
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
    };
    this.#attached.push(attached);
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
      if (attached.isOver) return false;
      try {
        return attached.adapter.hasWork;
      } catch (error) {
        this.#broken(attached, error);
        return true;
      }
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
    this.#turn = length === 0 ? 0 : (this.#turn + 1) % length;
    for (let i = 0; i < length; i++) {
      const taken = this.#take(all[(this.#turn + i) % length]!, now, wallNow);
      count += taken;
      if (taken === maxFramesPerTurn) hasMore = true;
    }
    for (const attached of this.#attached) if (attached.isGone) this.#bury(attached, now);
    this.dozeMs = count > 0 ? this.#maxDozeMs : 0;
    this.role.poll(now);
    this.#recordRound(now);
    for (const { adapter, counters } of this.#attached) {
      counters.set('usedBytes', this.role.usedBytes);
      counters.set('retried', this.role.accumulator.stats.retries);
      adapter.proxy.notify();
    }
    if (hasMore) this.#host.wake();
  }

  /** The producer has thrown: its threads are told, and records that are open have no outcome but that. */
  fail(error: Error): void {
    const reason = endedByFault('producer', error);
    for (const { adapter, lifeline } of this.#attached) {
      lifeline.tell(reason);
      adapter.proxy.close();
      adapter.end.close();
      lifeline.close();
    }
    this.#attached = [];
    this.#stopUpdates();
    this.#host.cluster.forget(this.role);
    this.#onEnd();
  }

  nextDeadline(): number {
    let deadline = Math.min(this.role.nextDeadline(), this.#patrolAt);
    for (const { isLeaving, goneDeadline } of this.#attached)
      if (!isLeaving && goneDeadline < deadline) deadline = goneDeadline;
    return deadline;
  }

  #recordRound(now: number): void {
    const { usedBytes, accumulator } = this.role;
    const waitingThreads = this.#attached.filter(({ isOver, adapter }) => !isOver && adapter.isWriterWaiting).length;
    this.#recorder?.roundEnded({ usedBytes, maxBytes: accumulator.memory.maxBytes, waitingThreads }, now);
  }

  #take(attached: Attached, now: number, wallNow: number): number {
    if (attached.isOver) return 0;
    const { adapter } = attached;
    try {
      adapter.proxy.flush();
      return adapter.drain(now, wallNow);
    } catch (error) {
      this.#broken(attached, error);
      return 0;
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
    if (!attached.isOver && adapter.hasFrames && now < attached.goneDeadline) return;
    attached.isOver = true;
    adapter.proxy.close();
    this.#detach(adapter, 0, attached.goneDeadline, now);
  }

  /** Detaches an application thread. The producer ends with the last one. */
  #detach(adapter: ProducerAdapter, callId: number, deadline: number, now: number): void {
    const attached = this.#attached.find((each) => each.adapter === adapter);
    if (attached === undefined || attached.isLeaving) return;
    attached.isLeaving = true;
    const leave = (): void => {
      adapter.proxy.closed(callId);
      adapter.proxy.notify();
      this.#attached = this.#attached.filter((each) => each.adapter !== adapter);
      this.#shareMemory();
      // A thread that goes on closes the ports itself, when it has read the answer.
      if (!attached.isGone) return;
      adapter.end.close();
      attached.lifeline.close();
    };
    if (this.#attached.some((each) => !each.isLeaving)) {
      this.role.flush(leave, now);
      return;
    }
    this.role.close(deadline, () => {
      this.#stopUpdates();
      leave();
      this.#onEnd();
    });
  }
}

export interface ProducersParts {
  /** Which connections an attachment's producers use. */
  readonly scopes: Pick<Scopes, 'hostOf'>;
  /** Null: the network thread compresses everything. */
  readonly compressor: Compressor | null;
  readonly log: Log;
  readonly roles: { add(role: Role): void; delete(role: Role): void };
  readonly onBroken: OnBroken;
  readonly blocked: BlockedThreads;
  /** ms on the monotonic clock. */
  readonly clock: () => number;
}

export class Producers {
  readonly #parts: ProducersParts;
  readonly #all = new Map<number, LinkedProducer>();
  #lastId = 0;

  constructor(parts: ProducersParts) {
    this.#parts = parts;
  }

  /** Makes a producer with one application thread attached. Returns its id. Throws TooManyOpenError when that thread has too many. */
  open(config: ProducerConfig, opening: ProducerOpening, link: ProducerLink, owner: Attachment): number {
    this.#checkOwner(owner);
    const { roles, scopes } = this.#parts;
    this.#lastId++;
    const id = this.#lastId;
    const { host, release } = scopes.hostOf(owner);
    const producer = new LinkedProducer(config, opening, host, this.#parts, () => {
      this.#all.delete(id);
      roles.delete(producer);
      release();
    });
    producer.attach(link, owner);
    this.#all.set(id, producer);
    roles.add(producer);
    return id;
  }

  /** Attaches one more application thread. Throws IllegalStateError when the producer has ended; TooManyOpenError. */
  attach(producerId: number, link: ProducerLink, owner: Attachment): void {
    this.#checkOwner(owner);
    const producer = this.#all.get(producerId);
    if (producer === undefined)
      throw new IllegalStateError(`producer ${producerId} is closed, or it belongs to another client`);
    producer.attach(link, owner);
  }

  #checkOwner(owner: Attachment): void {
    if (owner.isClosed) throw new Cancelled('the client was closed');
    let count = 0;
    for (const producer of this.#all.values()) count += producer.countOf(owner);
    const what = 'producers of this client are open in this thread';
    checkOpenCount(count, maxProducersOfThread, what, 'close some; one producer can write to any number of topics');
  }

  /** The links of all of them. */
  get ends(): NetworkEnd[] {
    return [...this.#all.values()].flatMap(({ ends }) => ends);
  }

  /** Batches of all of them. */
  get memory(): MemoryPart {
    return sumOfParts([...this.#all.values()].map(({ memory }) => memory));
  }

  /** The client of that thread is closed, or its thread has ended. Its complete records are sent; producers without another thread end. */
  ownerGone(owner: Attachment): void {
    for (const producer of this.#all.values()) producer.ownerGone(owner);
  }
}
