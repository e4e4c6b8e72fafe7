// Owns the control calls of one attachment: the rare calls, which go over its control port. Network thread. Each call returns
// its result or its error as data. No call throws.

import type { MessagePort } from 'node:worker_threads';
import type { ClientMemory } from '../common/client-memory.ts';
import type { KafkaClientConfig } from '../common/config/config.ts';
import type { ConsumerConfig } from '../common/config/consumer-config.ts';
import type { ProducerConfig } from '../common/config/producer-options.ts';
import type { ConnectionChoice, Control, ControlResult, VersionInfo } from '../common/control.ts';
import { MismatchedEndpointTypeError } from '../common/errors/errors.ts';
import { onlyBrokers } from '../common/errors/only-controllers.ts';
import { toPlainError } from '../common/errors/plain-error.ts';
import { checkOpenCount, maxAdminCallsOfThread } from '../common/open-limits.ts';
import type { NetworkHandle } from '../ring/attachment.ts';
import { type BrokerVersion, matchVersion, rangesOfVersion } from './client/broker-versions.ts';
import type { Metadata } from './client/metadata.ts';
import type { Readiness } from './client/readiness.ts';
import type { Attachment } from './link/attachments.ts';
import type { ConsumerLinkHandle, OpeningConsumer } from './link/consumer-links.ts';
import type { ProducerLink, ProducerOpening } from './link/linked-producer.ts';
import type { Scopes } from './link/scopes.ts';
import type { Log } from './report/log.ts';
import type { LazyConsumers, LazyProducers } from './role-code.ts';
import type { Authenticator } from './sasl/authenticator.ts';

export interface ControlParts {
  readonly config: KafkaClientConfig;
  readonly metadata: Metadata;
  readonly readiness: Readiness;
  readonly authenticator: Authenticator | null;
  /** Runs a call of Admin. */
  readonly admin: (...call: Parameters<Control['admin']>) => Promise<unknown>;
  /** ms, monotonic. */
  readonly clock: () => number;
  /** Asks for a round of the poll loop. */
  readonly wake: () => void;
  readonly producers: LazyProducers;
  /** Throws KafkaConfigurationError when connections cannot be opened as configured. */
  readonly prepareTransport: () => void;
  readonly consumers: LazyConsumers;
  readonly memory: () => ClientMemory;
  readonly scopes: Scopes;
  readonly log: Log;
}

/** The attachment that makes these calls. */
export interface ControlledAttachment {
  /** The attachment: metadata keeps its topics under it, and producers and consumers end with it. */
  readonly owner: Attachment;
  /** Detaches the attachment. For the owner's attachment: ends the whole network thread. */
  close(): Promise<void>;
  isClosed(): boolean;
}

export class AttachmentControl implements Control {
  readonly #parts: ControlParts;
  readonly #attachment: ControlledAttachment;
  /** Those that are under way. */
  #adminCalls = 0;

  /** While a client starts: what it has to prepare before its first connection. */
  #mayConnect: Promise<unknown> | null = null;

  constructor(parts: ControlParts, attachment: ControlledAttachment) {
    this.#parts = parts;
    this.#attachment = attachment;
  }

  async start(): ReturnType<Control['start']> {
    return settle(async () => {
      const { config, authenticator, readiness, clock, prepareTransport } = this.#parts;
      prepareTransport();
      this.#mayConnect = authenticator?.ready(config.connectionSetupTimeoutMs) ?? null;
      await this.#mayConnect;
      if (config.apiVersion !== null) return infoOf(matchVersion(config.apiVersion));
      const startedAt = clock();
      const info = await readiness.start(config.apiVersionAutoTimeoutMs);
      await this.#firstMetadata(startedAt + config.apiVersionAutoTimeoutMs);
      return info;
    });
  }

  async awaitReady(nodeId: number, timeoutMs: number, lane?: string): ReturnType<Control['awaitReady']> {
    return settle(() => this.#parts.readiness.awaitReady(nodeId, timeoutMs, lane, this.#attachment.owner.scope));
  }

  async checkVersion(nodeId: number | null, timeoutMs: number, isStrict: boolean): ReturnType<Control['checkVersion']> {
    return settle(() => this.#parts.readiness.checkVersion(nodeId, timeoutMs, isStrict, this.#attachment.owner.scope));
  }

  async trackTopics(topics: readonly string[], needsAllTopics: boolean): ReturnType<Control['trackTopics']> {
    return settle(() => {
      this.#track(topics, needsAllTopics);
      return null;
    });
  }

  async addTopics(topics: readonly string[], needsAllTopics: boolean): ReturnType<Control['addTopics']> {
    return settle(() => {
      if (!this.#attachment.isClosed())
        this.#parts.metadata.tracked.merge(this.#attachment.owner, topics, needsAllTopics);
      return this.#refreshed();
    });
  }

  async refreshMetadata(
    topics: readonly string[] | null,
    needsAllTopics: boolean,
  ): ReturnType<Control['refreshMetadata']> {
    return settle(() => {
      if (topics !== null) this.#track(topics, needsAllTopics);
      return this.#refreshed();
    });
  }

  async admin(...call: Parameters<Control['admin']>): ReturnType<Control['admin']> {
    return settle(async () => {
      const what = 'administration calls of this client are under way';
      checkOpenCount(this.#adminCalls, maxAdminCallsOfThread, what, 'await some of them first');
      this.#adminCalls++;
      try {
        return await this.#parts.admin(...call);
      } finally {
        this.#adminCalls--;
      }
    });
  }

  async openProducer(config: ProducerConfig, opening: object, link: object): ReturnType<Control['openProducer']> {
    const { producers } = this.#parts;
    return opened(link as ProducerLink, (given) => {
      this.#needBrokers('producers');
      return producers.open(config, opening as ProducerOpening, given, this.#attachment.owner);
    });
  }

  async attachProducer(producerId: number, link: object): ReturnType<Control['attachProducer']> {
    return opened(link as ProducerLink, async (given) => {
      await this.#parts.producers.attach(producerId, given, this.#attachment.owner);
      return null;
    });
  }

  async openConsumer(config: ConsumerConfig, handle: object): ReturnType<Control['openConsumer']> {
    const { consumers } = this.#parts;
    return opened(handle as OpeningConsumer, async (given) => {
      this.#needBrokers('consumers');
      // It may be opened while its client starts.
      await this.#mayConnect;
      return consumers.open(config, given, this.#attachment.owner);
    });
  }

  #needBrokers(what: string): void {
    if (this.#parts.config.bootstrapControllers !== null) throw onlyBrokers(what);
  }

  async attachConsumer(consumerId: number, handle: object): ReturnType<Control['attachConsumer']> {
    return opened(handle as ConsumerLinkHandle, async (given) => {
      await this.#parts.consumers.attach(consumerId, given);
      return null;
    });
  }

  async memory(): ReturnType<Control['memory']> {
    return settle(() => this.#parts.memory());
  }

  async hello(connections: ConnectionChoice, threadId = 0): ReturnType<Control['hello']> {
    return settle(() => {
      const { owner } = this.#attachment;
      owner.threadId = threadId;
      if (connections === 'own') this.#parts.scopes.giveOwn(owner);
      return owner.scope;
    });
  }

  async observe(isObserved: boolean): ReturnType<Control['observe']> {
    return settle(() => {
      this.#parts.log.observe(isObserved);
      return null;
    });
  }

  async close(): ReturnType<Control['close']> {
    return settle(async () => {
      await this.#attachment.close();
      return null;
    });
  }

  #refreshed(): Promise<number> {
    const updated = this.#parts.metadata.refresh(this.#attachment.owner, this.#parts.clock());
    this.#parts.wake();
    return updated;
  }

  #track(topics: readonly string[], needsAllTopics: boolean): void {
    if (!this.#attachment.isClosed()) this.#parts.metadata.tracked.set(this.#attachment.owner, topics, needsAllTopics);
  }

  /** Waits for the first metadata. If none comes before the deadline, the client starts without it, and the network thread goes on trying. */
  async #firstMetadata(deadline: number): Promise<void> {
    const { metadata, clock } = this.#parts;
    while (metadata.updateId === 0 && !this.#attachment.isClosed() && clock() < deadline) {
      const ended = metadata.nextEnd();
      let timer: NodeJS.Timeout | undefined;
      const timeLeft = deadline - clock();
      const late = new Promise<null>((resolve) => (timer = setTimeout(resolve, timeLeft, null)));
      const error = await Promise.race([ended, late]);
      clearTimeout(timer);
      // Brokers that were given as controllers stay brokers.
      if (error instanceof MismatchedEndpointTypeError) throw error;
    }
  }
}

function infoOf(version: BrokerVersion): VersionInfo {
  const ranges = rangesOfVersion(version);
  return { apiVersion: version, apiVersions: [...ranges].map(([apiKey, { min, max }]) => [apiKey, min, max] as const) };
}

/** The same for what a link is for. If it is refused, the ports of the link are closed, and so the thread's own ends. */
function opened<Link extends { readonly link: NetworkHandle; readonly lifePort: MessagePort }, T>(
  given: Link,
  open: (given: Link) => T | Promise<T>,
): Promise<ControlResult<T>> {
  return settle(async () => {
    try {
      return await open(given);
    } catch (error) {
      for (const port of [given.link.bodyPort, given.link.sparePort, given.lifePort]) port.close();
      throw error;
    }
  });
}

async function settle<T>(work: () => T | Promise<T>): Promise<ControlResult<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: toPlainError(error) };
  }
}
