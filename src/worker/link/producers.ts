// Owns the producers of the network thread, and the application threads that are attached to each: makes them, calls them in each
// round, closes them. Network thread. Must not decide anything about records.

import type { ProducerConfig } from '../../common/config/producer-options.ts';
import { IllegalStateError } from '../../common/errors/errors.ts';
import { type NetworkHandle, openNetworkEnd } from '../../ring/attachment.ts';
import { ProducerCountersWriter } from '../../state/producer-counters.ts';
import type { Role, RoleHost } from '../client/role.ts';
import { ProducerRole } from '../producer/producer-role.ts';
import type { Log } from '../report/log.ts';
import { maxFramesPerTurn, ProducerAdapter } from './producer-adapter.ts';
import { ProducerLog } from './producer-log.ts';
import { ProducerProxy } from './producer-proxy.ts';

/** What an application thread passes to attach to a producer. */
export interface ProducerLink {
  readonly link: NetworkHandle;
  readonly counters: SharedArrayBuffer;
}

/** With a longer time, the ring of a fast application would fill. */
const maxDozeMs = 2;

interface Attached {
  readonly adapter: ProducerAdapter;
  readonly counters: ProducerCountersWriter;
  /** The application thread is closing; its last records are being sent. */
  isLeaving: boolean;
  /** The application thread has ended: it does not write or read any more. */
  isGone: boolean;
}

/** A producer with its links. The poll loop calls it as a role. */
class LinkedProducer implements Role {
  readonly role: ProducerRole;
  readonly #host: RoleHost;
  readonly #onEnd: () => void;
  #attached: Attached[] = [];
  /** While records come, more will follow. So one round takes the records of a few ms, instead of one round for each record. */
  dozeMs = 0;
  readonly #maxDozeMs: number;

  constructor(config: ProducerConfig, batchMemoryBytes: number, host: RoleHost, log: Log, onEnd: () => void) {
    this.#host = host;
    this.#onEnd = onEnd;
    this.#maxDozeMs = Math.min(config.lingerMs, maxDozeMs);
    this.role = new ProducerRole({
      config,
      batchMemoryBytes,
      host,
      report: new ProducerLog(log),
      onFatal: (error) => {
        for (const { adapter } of this.#attached) adapter.proxy.fatal(error);
      },
    });
  }

  attach({ link, counters: memory }: ProducerLink): void {
    const counters = new ProducerCountersWriter(memory);
    const end = openNetworkEnd(link);
    const proxy = new ProducerProxy(end, counters);
    const adapter = new ProducerAdapter(end, proxy, this.role, (requestId, timeoutMs, now) => {
      const deadline = timeoutMs < 0 ? Number.POSITIVE_INFINITY : now + timeoutMs;
      this.#detach(adapter, requestId, deadline, now);
    });
    counters.set('maxBytes', this.role.accumulator.memory.maxBytes);
    const attached: Attached = { adapter, counters, isLeaving: false, isGone: false };
    // The ports of an application thread close however it ends.
    link.bodyPort.on('close', () => {
      attached.isGone = true;
      this.#host.wake();
    });
    this.#attached.push(attached);
    this.#host.wake();
  }

  hasWork(): boolean {
    return this.#attached.some(({ adapter }) => adapter.hasWork);
  }

  poll(now: number): void {
    const wallNow = this.#host.wallClock();
    let hasMore = false;
    let count = 0;
    for (const { adapter } of this.#attached) {
      adapter.proxy.flush();
      const taken = adapter.drain(now, wallNow);
      count += taken;
      if (taken === maxFramesPerTurn) hasMore = true;
    }
    for (const attached of this.#attached) if (attached.isGone) this.#bury(attached, now);
    this.dozeMs = count > 0 ? this.#maxDozeMs : 0;
    this.role.poll(now);
    for (const { adapter, counters } of this.#attached) {
      counters.set('usedBytes', this.role.usedBytes);
      counters.set('retried', this.role.accumulator.stats.retries);
      adapter.proxy.notify();
    }
    if (hasMore) this.#host.wake();
  }

  nextDeadline(): number {
    return this.role.nextDeadline();
  }

  /** The thread has ended. The records that it had posted are sent like any others. Nobody is told their outcomes. */
  #bury(attached: Attached, now: number): void {
    const { adapter } = attached;
    if (attached.isLeaving || adapter.hasFrames) return;
    adapter.proxy.close();
    this.#detach(adapter, 0, Number.POSITIVE_INFINITY, now);
  }

  /** Detaches an application thread. The producer ends with the last one. */
  #detach(adapter: ProducerAdapter, requestId: number, deadline: number, now: number): void {
    const attached = this.#attached.find((each) => each.adapter === adapter);
    if (attached === undefined || attached.isLeaving) return;
    attached.isLeaving = true;
    const leave = (): void => {
      adapter.proxy.closed(requestId);
      adapter.proxy.notify();
      this.#attached = this.#attached.filter((each) => each.adapter !== adapter);
      // The application closes the ports when it has read the answer.
    };
    if (this.#attached.some((each) => !each.isLeaving)) {
      this.role.flush(leave, now);
      return;
    }
    this.role.close(deadline, () => {
      leave();
      this.#onEnd();
    });
  }
}

export class Producers {
  readonly #host: RoleHost;
  readonly #log: Log;
  readonly #roles: { add(role: Role): void; delete(role: Role): void };
  readonly #all = new Map<number, LinkedProducer>();
  #lastId = 0;

  constructor(host: RoleHost, log: Log, roles: { add(role: Role): void; delete(role: Role): void }) {
    this.#host = host;
    this.#log = log;
    this.#roles = roles;
  }

  /** Makes a producer with one application thread attached. Returns its id. */
  open(config: ProducerConfig, batchMemoryBytes: number, link: ProducerLink): number {
    this.#lastId++;
    const id = this.#lastId;
    const producer = new LinkedProducer(config, batchMemoryBytes, this.#host, this.#log, () => {
      this.#all.delete(id);
      this.#roles.delete(producer);
    });
    producer.attach(link);
    this.#all.set(id, producer);
    this.#roles.add(producer);
    return id;
  }

  /** Attaches one more application thread. Throws IllegalStateError when the producer has ended. */
  attach(producerId: number, link: ProducerLink): void {
    const producer = this.#all.get(producerId);
    if (producer === undefined)
      throw new IllegalStateError(`producer ${producerId} is closed, or it belongs to another client`);
    producer.attach(link);
  }
}
