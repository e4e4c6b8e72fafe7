// Owns when and how metadata is refreshed, and what a refresh asks for. Network thread. Must not choose nodes or open
// connections (network-client.ts does), nor read a clock: `now` is an argument. Source: KIP-4 (topics), KIP-526
// (partial requests), KIP-580 (backoff), reference of kafka-python's ClusterMetadata.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import {
  Cancelled,
  errorFor,
  KafkaConnectionError,
  KafkaProtocolError,
  KafkaTimeoutError,
  MetadataEmptyBrokerList,
} from '../../common/errors/errors.ts';
import { errorCodes } from '../../common/errors/generated/error-codes.ts';
import { HeapMemory, type MessageBytes } from '../../common/memory.ts';
import { FlatMessage } from '../../protocol/flat/flat-view.ts';
import { FlatWriter } from '../../protocol/flat/flat-writer.ts';
import { Metadata as MetadataApi } from '../../protocol/flat/generated/apis.ts';
import type { MetadataResponseView } from '../../protocol/flat/generated/metadata.ts';
import type { ClusterHints } from '../../protocol/flat/leader-hints.ts';
import type { WireReader } from '../../protocol/wire/wire-reader.ts';
import { decodeOptions, responseThrottleTimeMs } from '../requests/decode-options.ts';
import type { InFlightRequest, RequestName, RequestOwner } from '../requests/request-owner.ts';
import { backoffWithJitter } from './connection-states.ts';
import { LeaderEpochs } from './leader-epochs.ts';
import { metadataOfControllers, writeControllersRequest } from './metadata-source.ts';
import { MetadataWaits } from './metadata-waits.ts';
import { TopicFaults } from './topic-faults.ts';
import { TrackedTopics } from './tracked-topics.ts';

export interface Broker {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

/** The result of a refresh, as the attachments get it. */
export interface MetadataUpdate {
  /** Counts refreshes from 1. */
  readonly updateId: number;
  /** Flat. */
  readonly body: MessageBytes;
}

export interface MetadataListener {
  onMetadata(update: MetadataUpdate, brokers: readonly Broker[], now: number): void;
  /** The known brokers must not be asked any more. */
  onStartOver(reason: Error, now: number): void;
  onMetadataFailed(error: Error, now: number): void;
  /** This node belongs to another cluster than before. */
  onClusterChanged(reason: KafkaConnectionError, nodeId: number, now: number): void;
  /** A response named a partition twice. */
  onRepeatedPartition(partition: string, nodeId: number, now: number): void;
  /** There is no metadata of a tracked topic. Called once until there is. */
  onTopicFault(topic: string, error: Error): void;
}

/** First version that tells "no topics" (empty list) from "all topics" (null). */
const nullTopicsVersion = 1;
const autoCreationVersion = 4;
const maxRetryBackoffMs = 1000;
/** Far beyond any cluster: each is kept as a node. */
export const maxBrokers = 50_000;
/** Least time between responses that confirm each other: a broker that lags behind needs time to catch up. */
const minDoubtBackoffMs = 100;

export class Metadata implements RequestOwner {
  readonly isInternal = true;
  /** Refreshes that succeeded so far. */
  updateId = 0;
  isInProgress = false;
  /** Which owner asks for which topics. */
  readonly tracked = new TrackedTopics();

  readonly #config: KafkaClientConfig;
  readonly #listener: MetadataListener;
  readonly #random: () => number;
  readonly #writer = new FlatWriter();
  readonly #epochs = new LeaderEpochs();
  readonly #topicFaults = new TopicFaults();
  /** The request under way leaves topics out. It is sent only to create topics, and a complete request follows. */
  #isPartial = false;
  #needsUpdate = true;
  /** A role works with a topic that no request has named so far. */
  #hasNewTopic = false;
  #lastEndedAt = Number.NEGATIVE_INFINITY;
  #lastSucceededAt = Number.NEGATIVE_INFINITY;
  /**
   * Since when a refresh has been due without success, or the time of the last `onStartOver`; Infinity while none is
   * due.
   */
  #dueSince = Number.POSITIVE_INFINITY;
  #fruitlessRefreshes = 0;
  #backoffMs = 0;
  readonly #waits = new MetadataWaits();
  #endListeners: ((error: Error | null) => void)[] = [];
  #clusterId: string | null = null;

  constructor(config: KafkaClientConfig, listener: MetadataListener, random: () => number) {
    this.#config = config;
    this.#listener = listener;
    this.#random = random;
  }

  /** The cluster is reached by its controllers, which know no topics. */
  get isOfControllers(): boolean {
    return this.#config.bootstrapControllers !== null;
  }

  /** Of the newest response that had one. */
  get clusterId(): string | null {
    return this.#clusterId;
  }

  /** Takes over leaders that other responses named. Older metadata that arrives later does not replace them. */
  learn(hints: ClusterHints): void {
    this.#epochs.learn(hints);
  }

  /** Asks for a refresh as soon as the backoff allows. */
  requestUpdate(): void {
    this.#needsUpdate = true;
  }

  /**
   * The same, for a topic that no request has named so far. The backoff after a refresh that told all it was asked for
   * would only hold up the first record of a producer or consumer, and so there is none.
   */
  requestNewTopic(): void {
    this.#needsUpdate = true;
    this.#hasNewTopic = true;
  }

  /**
   * The same, and returns a promise of the `updateId` of a refresh whose request is sent after this call. It rejects
   * when the owner tracks only one topic, and that topic has an error that will not pass, by `giveUpWaits`, and by `endOverdueWaits`.
   */
  refresh(owner: object, now: number): Promise<number> {
    this.#needsUpdate = true;
    return this.#waits.begin(owner, now);
  }

  /** Resolves when a refresh ends: with null, or with the reason why it failed. */
  nextEnd(): Promise<Error | null> {
    return new Promise((resolve) => {
      this.#endListeners.push(resolve);
    });
  }

  /** ms until the next refresh is due; 0 when it is; Infinity while one is under way. */
  ttl(now: number): number {
    if (this.isInProgress) return Number.POSITIVE_INFINITY;
    const isDue = this.#needsUpdate || this.#waits.areOpen;
    if (this.#hasNewTopic && this.#fruitlessRefreshes === 0) return 0;
    const expiry = isDue ? 0 : this.#lastSucceededAt + this.#config.metadataMaxAgeMs - now;
    return Math.max(expiry, this.#lastEndedAt + this.#backoffMs - now, 0);
  }

  /**
   * Whether a refresh has been due for so long that the known brokers must be useless (KIP-1102); counted from the
   * first call.
   */
  isOverdue(now: number): boolean {
    if (this.#dueSince === Number.POSITIVE_INFINITY) this.#dueSince = now;
    if (now < this.overdueAt) return false;
    this.#dueSince = now;
    this.#epochs.clear();
    return true;
  }

  /** Nobody could be asked for so many ms. */
  wasLate(lateMs: number): void {
    this.#dueSince += lateMs;
    this.#waits.extend(lateMs);
  }

  get overdueAt(): number {
    return this.#dueSince + this.#config.metadataRecoveryRebootstrapTriggerMs;
  }

  overdueError(): Error {
    const { metadataRecoveryRebootstrapTriggerMs: limitMs } = this.#config;
    return new KafkaTimeoutError(
      `no broker gave metadata for ${limitMs} ms (metadataRecoveryRebootstrapTriggerMs); the bootstrap servers are asked again`,
    );
  }

  /**
   * Call it when the request is about to be sent; all present waits end with its response. Returns the request's
   * fields.
   */
  begin(version: number, isBootstrap: boolean): FlatMessage {
    this.isInProgress = true;
    this.#needsUpdate = false;
    this.#hasNewTopic = false;
    this.#waits.serve((owner) => this.tracked.onlyTopicOf(owner));
    const memory = new HeapMemory();
    if (this.isOfControllers) {
      writeControllersRequest(this.#writer.reset(memory));
      return new FlatMessage({ ...memory, byteLength: this.#writer.finish() });
    }
    const plan = this.tracked.plan(version >= autoCreationVersion, this.#waits.areServed);
    const isFiltered = this.tracked.size === 0 && isBootstrap;
    const names = isFiltered ? this.#config.bootstrapTopicsFilter : plan.names;
    const all = version >= nullTopicsVersion ? null : [];
    this.#isPartial = plan.isPartial;
    MetadataApi.writeRequest(this.#writer.reset(memory), {
      topics: plan.isForAll ? all : names.map((name) => ({ name })),
      allowAutoTopicCreation: version < autoCreationVersion || plan.mayCreate,
    });
    return new FlatMessage({ ...memory, byteLength: this.#writer.finish() });
  }

  /** The request that is due cannot be sent: for all waits that is a failed refresh. */
  cannotBegin(error: Error, now: number): void {
    this.#waits.serve((owner) => this.tracked.onlyTopicOf(owner));
    this.#failed(error, now);
  }

  /** Whether somebody waits for a refresh whose request is not sent yet. */
  get hasWaits(): boolean {
    return this.#waits.areOpen;
  }

  /** Nobody could be asked: the waits that began before `at` fail. The refresh itself stays due. */
  giveUpWaits(at: number, error: () => Error): void {
    this.#waits.giveUp(at, error);
  }

  /** When `endOverdueWaits` is due; Infinity while nobody waits for a request that is not sent yet. */
  get waitsOverdueAt(): number {
    return this.#waits.oldestSince + this.#waitLimitMs;
  }

  /** No request was sent in time, for example because all brokers throttle: the waits fail. The refresh itself stays due. */
  endOverdueWaits(now: number, cause: Error | null): void {
    const why = cause === null ? '' : `: ${cause.message}`;
    const text = `no broker could be asked for metadata within ${this.#waitLimitMs} ms (twice requestTimeoutMs)${why}; the client goes on trying`;
    this.#waits.expire(now - this.#waitLimitMs, new KafkaTimeoutError(text, cause === null ? {} : { cause }));
  }

  /** A refresh that is under way may take its whole time before the next one can begin. */
  get #waitLimitMs(): number {
    return 2 * this.#config.requestTimeoutMs;
  }

  onResponse(request: InFlightRequest, reader: WireReader, now: number): number {
    const memory = new HeapMemory(4096);
    this.#writer.reset(memory);
    request.codec.decodeResponse(reader, this.#writer, request.version, decodeOptions(this.#config));
    const byteLength = this.#writer.finish();
    const message = new FlatMessage({ ...memory, byteLength });
    if (this.isOfControllers) {
      const made = new HeapMemory();
      this.#apply(request, metadataOfControllers(message, this.#writer.reset(made), made), made, now);
    } else this.#apply(request, message, memory, now);
    return responseThrottleTimeMs(request.codec.apiKey, message);
  }

  onFailure(_request: RequestName, error: Error, now: number): void {
    // The response itself may end its connection: it may say that the node that sent it has moved.
    if (this.isInProgress) this.#failed(error, now);
  }

  onSentWithoutResponse(): void {
    throw new Error('Metadata always has a response');
  }

  /** No further refresh will come: all waits fail. */
  close(error: Error): void {
    this.#waits.close(error);
    this.#tellEnd();
  }

  /** @param memory where the writer has written the message */
  #apply(request: InFlightRequest, message: FlatMessage, memory: HeapMemory, now: number): void {
    const response = MetadataApi.readResponse(message);
    const failure = errorFor(response.errorCode);
    if (failure !== null) {
      failure.nodeId = request.nodeId;
      this.#failed(failure, now);
      if (response.errorCode === errorCodes.REBOOTSTRAP_REQUIRED) {
        this.#epochs.clear();
        this.#listener.onStartOver(failure, now);
      }
      return;
    }
    const brokers: Broker[] = [];
    for (const broker of response.brokers) brokers.push({ id: broker.nodeId, host: broker.host, port: broker.port });
    if (brokers.length === 0) {
      const text = 'the metadata response lists no brokers; the cluster may be starting';
      this.#failed(new MetadataEmptyBrokerList(text, { nodeId: request.nodeId }), now);
      return;
    }
    if (brokers.length > maxBrokers) {
      const text = `the metadata response lists ${brokers.length} brokers; this client takes no more than ${maxBrokers}`;
      this.#failed(new KafkaProtocolError(text, { nodeId: request.nodeId }), now);
      return;
    }
    this.#noteClusterId(response.clusterId, request.nodeId, now);
    this.isInProgress = false;
    this.#lastEndedAt = now;
    if (this.#isPartial) {
      this.#needsUpdate = true;
      this.#backoffMs = this.#config.retryBackoffMs;
      this.#tellEnd();
      return;
    }
    this.#lastSucceededAt = now;
    this.#dueSince = Number.POSITIVE_INFINITY;
    // In frames it is a uint32. 0 is before the first one.
    this.updateId = this.updateId === 0xffffffff ? 1 : this.updateId + 1;
    this.#topicFaults.note(response, this.tracked, (...fault) => this.#listener.onTopicFault(...fault));
    this.#forgetInvalidTopics(response);
    this.tracked.described(response);
    const bytes = this.#corrected(response, memory);
    const { repeated } = this.#epochs;
    if (repeated !== null) this.#listener.onRepeatedPartition(repeated, request.nodeId, now);
    const { isInDoubt } = this.#epochs;
    if (isInDoubt || this.#lacksTrackedTopic(response, brokers)) this.#retryLater();
    else this.#fruitlessRefreshes = 0;
    if (this.#fruitlessRefreshes === 0) this.#backoffMs = this.#config.retryBackoffMs;
    if (isInDoubt) this.#backoffMs = Math.max(this.#backoffMs, minDoubtBackoffMs);
    const served = this.#waits.takeServed();
    const { updateId } = this;
    this.#listener.onMetadata({ updateId, body: bytes }, brokers, now);
    served.answer(response, updateId);
    this.#tellEnd();
  }

  #noteClusterId(clusterId: string | null, nodeId: number, now: number): void {
    const before = this.#clusterId;
    if (clusterId === null || clusterId === before) return;
    this.#clusterId = clusterId;
    if (before === null) return;
    const text = `the cluster id was '${before}' and is now '${clusterId}': these servers belong to another cluster than before`;
    this.#listener.onClusterChanged(new KafkaConnectionError(text, { nodeId }), nodeId, now);
  }

  /** Applications get the response with every older part replaced by what is known. */
  #corrected(response: MetadataResponseView, memory: HeapMemory): MessageBytes {
    const writer = this.#writer;
    this.#epochs.update(response)?.apply(writer);
    return { ...memory, byteLength: writer.finish() };
  }

  /** Such topics would be refused again each time, for ever. */
  #forgetInvalidTopics(response: MetadataResponseView): void {
    for (const { errorCode, name } of response.topics) {
      if (errorCode === errorCodes.INVALID_TOPIC_EXCEPTION && name !== null && this.tracked.has(name))
        this.tracked.drop(name);
    }
  }

  /** Whether a tracked topic, or the leader of one of its partitions, is missing that a later response may have. */
  #lacksTrackedTopic(response: MetadataResponseView, brokers: readonly Broker[]): boolean {
    if (this.tracked.size === 0) return false;
    const ids = new Set(brokers.map(({ id }) => id));
    for (const { name, errorCode, partitions } of response.topics) {
      if (name === null || !this.tracked.has(name)) continue;
      if (errorCode !== 0) {
        if (errorFor(errorCode)?.retriable) return true;
        continue;
      }
      for (const partition of partitions) {
        if (!ids.has(partition.leaderId)) return true;
        if (partition.errorCode !== errorCodes.REPLICA_NOT_AVAILABLE && errorFor(partition.errorCode)?.retriable)
          return true;
      }
    }
    return false;
  }

  #failed(error: Error, now: number): void {
    // A connection that was closed on purpose is not reported as a failure.
    if (!(error instanceof Cancelled)) this.#listener.onMetadataFailed(error, now);
    this.isInProgress = false;
    this.#lastEndedAt = now;
    this.#retryLater();
    this.#waits.takeServed().fail(error);
    this.#tellEnd(error);
  }

  #tellEnd(error: Error | null = null): void {
    const listeners = this.#endListeners;
    this.#endListeners = [];
    for (const listener of listeners) listener(error);
  }

  /** Asks again, with a wait that grows with each failure in a row (KIP-580). */
  #retryLater(): void {
    this.#needsUpdate = true;
    this.#fruitlessRefreshes++;
    const { retryBackoffMs } = this.#config;
    const max = Math.max(maxRetryBackoffMs, retryBackoffMs);
    this.#backoffMs = backoffWithJitter(retryBackoffMs, max, this.#fruitlessRefreshes, this.#random);
  }
}
