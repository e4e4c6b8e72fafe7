// Owns the consumers of the network thread, by their ids: makes them and attaches further threads to them. Network thread.

import type { MemoryPart } from '../../common/client-memory.ts';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { ConsumerConfig } from '../../common/config/consumer-config.ts';
import { Cancelled } from '../../common/errors/errors.ts';
import { checkOpenCount, maxConsumersOfThread } from '../../common/open-limits.ts';
import type { NetworkEnd } from '../../ring/attachment.ts';
import { BATCH_PREFIX_BYTES } from '../../ring/frames/consumer-frames.ts';
import type { RecordDecoder } from '../consumer/dealer.ts';
import type { Log } from '../report/log.ts';
import type { CodecPool } from '../requests/codec-pool.ts';
import { decodeOptions } from '../requests/decode-options.ts';
import type { Pushing } from '../telemetry/metrics-push.ts';
import type { Attachment } from './attachments.ts';
import type { BlockedThreads } from './blocked-threads.ts';
import { type ConsumerLinkHandle, ConsumerLinks, type OpeningConsumer } from './consumer-links.ts';
import { isAnyKeeping, memoryOf, type RoleList, useEach } from './role-guard.ts';
import type { ScopedHost, Scopes } from './scopes.ts';

export interface ConsumersParts {
  readonly config: KafkaClientConfig;
  /** Which connections an attachment's consumers use. */
  readonly scopes: Pick<Scopes, 'hostOfConsumer'>;
  readonly roles: RoleList;
  readonly log: Log;
  readonly clock: () => number;
  readonly pool: CodecPool;
  readonly newMemberId: () => string;
  readonly onBroken: (owner: Attachment | null, error: Error) => void;
  readonly blocked: BlockedThreads;
  readonly pushing: Pushing;
}

export class Consumers {
  readonly #parts: ConsumersParts;
  readonly #byId = new Map<number, ConsumerLinks>();
  #lastId = 0;

  constructor(parts: ConsumersParts) {
    this.#parts = parts;
  }

  /**
   * Begins a consumer. Throws when its options cannot be used; the consumer is then removed. Throws TooManyOpenError. @returns its id
   * @param owner the attachment of the thread that reads it
   */
  open(config: ConsumerConfig, opening: OpeningConsumer, owner: Attachment): number {
    if (owner.isClosed) throw new Cancelled('the client was closed');
    let count = 0;
    for (const other of this.#byId.values()) count += other.countOf(owner);
    const what = 'consumers of this client are open';
    checkOpenCount(count, maxConsumersOfThread, what, 'close some; one consumer can read any number of topics');
    const { roles, scopes, clock } = this.#parts;
    const scoped = scopes.hostOfConsumer(owner);
    const id = ++this.#lastId;
    try {
      const links = this.#newLinks(id, config, opening, scoped);
      const first = links.attach(opening, owner);
      try {
        links.begin(config, clock());
      } catch (error) {
        links.detach(first);
        throw error;
      }
      this.#byId.set(id, links);
      for (const role of [links, links.push]) if (role !== null) roles.add(role);
    } catch (error) {
      scoped.release();
      throw error;
    }
    scoped.host.wake();
    return id;
  }

  #newLinks(
    id: number,
    config: ConsumerConfig,
    { snapshot, metrics }: OpeningConsumer,
    { host, whenFaulty, release }: ScopedHost,
  ): ConsumerLinks {
    const { config: client, roles, log, clock, newMemberId, onBroken, blocked, pool, pushing } = this.#parts;
    const onFault = (error: unknown): void => roles.failed(links, error);
    const links = new ConsumerLinks(
      host,
      {
        client,
        config,
        snapshot,
        metrics,
        decoder: decoderOf(pool, client),
        newMemberId,
        onBroken,
        onFault,
        blocked,
        pushing,
        log: (level, text) => log.write(level, 'consumer', text),
        onClosed: () => {
          for (const role of [links, links.push]) if (role !== null) roles.delete(role);
          this.#byId.delete(id);
          release();
        },
      },
      clock(),
    );
    whenFaulty(onFault);
    return links;
  }

  /** The links of all of them. */
  get ends(): NetworkEnd[] {
    return [...this.#byId.values()].flatMap(({ ends }) => ends);
  }

  /** Records of all of them that were fetched and not handed out. */
  get memory(): MemoryPart {
    return memoryOf(this.#parts.roles, this.#byId.values(), ({ memory }) => memory);
  }

  /** What they keep for records to come. */
  get kept(): MemoryPart {
    return memoryOf(this.#parts.roles, this.#byId.values(), ({ kept }) => kept);
  }

  get isKeeping(): boolean {
    return isAnyKeeping(this.#parts.roles, this.#byId.values());
  }

  trim(): void {
    useEach(this.#parts.roles, this.#byId.values(), (links) => links.trim(), undefined);
  }

  /** The client of that thread is closed, or its thread has ended: the links that belong to it are detached. */
  ownerGone(owner: Attachment): void {
    useEach(this.#parts.roles, this.#byId.values(), (links) => links.ownerGone(owner), undefined);
  }

  /** Attaches one more application thread, which needs no client. Throws Cancelled when the consumer has ended. */
  attach(id: number, handle: ConsumerLinkHandle): void {
    const links = this.#byId.get(id);
    if (links === undefined) {
      // The thread that opens the other end learns it by this.
      handle.lifePort.close();
      throw new Cancelled('the consumer was closed');
    }
    links.attach(handle, null);
  }
}

/** Decodes big compressed fetches in the codec pool. Null: there is no pool. */
function decoderOf(pool: CodecPool, config: KafkaClientConfig): RecordDecoder | null {
  if (!pool.isEnabled) return null;
  const [options, prefixBytes] = [decodeOptions(config), BATCH_PREFIX_BYTES];
  return {
    takes: (byteCount) => byteCount > config.codecPoolThresholdBytes && pool.hasRoom(byteCount),
    decode: (bytes, done) => pool.records({ kind: 'records', bytes, prefixBytes, options }, done),
  };
}
