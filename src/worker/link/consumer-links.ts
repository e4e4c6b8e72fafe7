// Owns one consumer together with the links of the application threads that read it. The poll loop calls it as a role. Network
// thread.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { ConsumerConfig } from '../../common/config/consumer-config.ts';
import type { NetworkHandle } from '../../ring/attachment.ts';
import { openNetworkEnd } from '../../ring/attachment.ts';
import { BATCH_PREFIX_BYTES } from '../../ring/frames.ts';
import { ConsumerSnapshotWriter } from '../../state/consumer-snapshot.ts';
import type { Role, RoleHost } from '../client/role.ts';
import { ConsumerRole } from '../consumer/consumer-role.ts';
import { decodeOptions } from '../requests/decode-options.ts';
import { ConsumerAdapter } from './consumer-adapter.ts';
import { ConsumerProxy } from './consumer-proxy.ts';

/** What one application thread shares with its consumer. It is plain data for structured clone. */
export interface ConsumerLinkHandle {
  readonly link: NetworkHandle;
  readonly table: SharedArrayBuffer;
}

/** The first thread's link, and the memory that all threads read. */
export interface OpeningConsumer extends ConsumerLinkHandle {
  readonly snapshot: SharedArrayBuffer;
}

export interface ConsumerLinksParts {
  readonly client: KafkaClientConfig;
  readonly config: ConsumerConfig;
  readonly snapshot: SharedArrayBuffer;
  readonly newMemberId: () => string;
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', text: string) => void;
  /** The consumer has ended and must not be called any more. */
  readonly onClosed: (links: ConsumerLinks) => void;
}

interface Link {
  readonly proxy: ConsumerProxy;
  readonly adapter: ConsumerAdapter;
}

export class ConsumerLinks implements Role {
  readonly #role: ConsumerRole;
  readonly #links = new Map<number, Link>();
  readonly #onClosed: (links: ConsumerLinks) => void;
  #lastId = 0;

  constructor(host: RoleHost, parts: ConsumerLinksParts, now: number) {
    const { client, config } = parts;
    this.#onClosed = parts.onClosed;
    const writer = new ConsumerSnapshotWriter(parts.snapshot);
    this.#role = new ConsumerRole(
      host,
      {
        config,
        requestTimeoutMs: client.requestTimeoutMs,
        retryBackoffMs: client.retryBackoffMs,
        metadataMaxAgeMs: client.metadataMaxAgeMs,
        decode: decodeOptions(client),
        prefixBytes: BATCH_PREFIX_BYTES,
        newMemberId: parts.newMemberId,
        log: parts.log,
        onSnapshot: (snapshot) => writer.write(snapshot),
        onClosed: () => host.wake(),
      },
      now,
    );
  }

  /** @returns the id for `detach` */
  attach({ link, table }: ConsumerLinkHandle): number {
    const end = openNetworkEnd(link);
    const id = ++this.#lastId;
    const proxy = new ConsumerProxy(id, end, table);
    this.#links.set(id, { proxy, adapter: new ConsumerAdapter(this.#role, end.requests, proxy) });
    this.#role.add(proxy);
    // The thread has ended, or it has stopped to read.
    link.bodyPort.once('close', () => this.detach(id));
    return id;
  }

  /** Gives the batches that the thread has not finished to other threads. */
  detach(id: number): void {
    const link = this.#links.get(id);
    if (link === undefined) return;
    this.#links.delete(id);
    this.#role.remove(link.proxy);
    link.proxy.close();
  }

  /** Begins the subscription or assignment in the options. */
  begin(config: ConsumerConfig, now: number): void {
    if (config.subscription !== null) this.#role.subscribe(config.subscription, now);
    else if (config.assign !== null) this.#role.assign(config.assign, now);
  }

  /** Whether an application has written anything. Asked before the thread sleeps. */
  hasWork(): boolean {
    for (const { proxy, adapter } of this.#links.values()) if (proxy.hasWork() || adapter.hasWork()) return true;
    return false;
  }

  poll(now: number): void {
    for (const { adapter } of this.#links.values()) adapter.drain(now);
    this.#role.poll(now);
    let isFlushed = true;
    for (const { proxy } of this.#links.values()) if (!proxy.flush()) isFlushed = false;
    // The consumer is removed after the last answer was written.
    if (this.#role.isClosed && isFlushed) this.#onClosed(this);
  }

  nextDeadline(now: number): number {
    return this.#role.nextDeadline(now);
  }
}
