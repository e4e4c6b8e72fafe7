// Owns the public client: its methods and the checks of their arguments; client/session.ts does the work. Application
// thread. Must not open sockets or decode wire bytes.

import type { ClientMemory } from '../common/client-memory.ts';
import type { KafkaClientConfig, KafkaClientOptions } from '../common/config/config.ts';
import { parseConfig } from '../common/config/config-parser.ts';
import type { VersionInfo } from '../common/control.ts';
import { expectedRole, expectsRequests } from '../common/expected-role.ts';
import type { Api } from '../protocol/flat/api.ts';
import { FlatView } from '../protocol/flat/flat-view.ts';
import { loadMessages } from '../protocol/flat/late-messages.ts';
import type { Admin } from './admin/admin.ts';
import type { AdminOptions } from './admin/admin-calls.ts';
import { apiNames } from './api-names.ts';
import {
  checkApi,
  checkAttachOptions,
  checkLane,
  checkNodeId,
  checkOptions,
  checkPollLimit,
  checkTimeoutMs,
  checkVersion,
  parted,
} from './client/arguments.ts';
import { awaitTopicOf } from './client/await-topic.ts';
import {
  type ApiVersionRange,
  type AttachOptions,
  type AwaitOptions,
  type AwaitReadyOptions,
  type CheckVersionOptions,
  optionNames,
  type PollOptions,
  type SendOptions,
  type StartOptions,
} from './client/client-options.ts';
import type { Cluster } from './client/cluster.ts';
import { ClientInspection } from './client/inspection.ts';
import { begun, opened } from './client/opened.ts';
import { ResponseIterator } from './client/response-stream.ts';
import { Session } from './client/session.ts';
import { rangesOf } from './client/version-ranges.ts';
import type { ConsumerOptions } from './consumer/consumer-options.ts';
import { Consumer } from './consumer.ts';
import { checkSignal, untilAborted } from './link/abort-signals.ts';
import { callPlace } from './link/call-place.ts';
import type { Future } from './link/future.ts';
import type { PollTarget } from './link/poller.ts';
import { groupsOf, type MetricsSnapshot, readMetrics } from './metrics/client-metrics.ts';
import type { MetricGroups } from './metrics/definitions.ts';
import { openAdmin } from './open-admin.ts';
import { openProducer } from './open-producer.ts';
import type { ProducerOptions } from './producer/producer-types.ts';
import type { BytesInput } from './producer/record-input.ts';
import type { Producer } from './producer.ts';
import { AttachedThread } from './thread/attached-thread.ts';
import { type ClientHandle, claimClientHandle } from './thread/client-handle.ts';
import type { ClientLog } from './thread/client-log.ts';
import { NetworkThreadHandle } from './thread/network-thread-handle.ts';
import type { ThreadAccess } from './thread/thread-access.ts';

const startOnly = Symbol('KafkaClient.start');

/**
 * Kafka's request/response client for an application thread that may be busy: connections, timeouts and decoding live
 * in a network thread of its own. Safe to keep for the life of the process; end it with `close()` or `await using`.
 */
export class KafkaClient implements AsyncDisposable {
  readonly config: KafkaClientConfig;
  /** What is known about the cluster: brokers, topics, leaders. */
  readonly cluster: Cluster;

  readonly #session: Session;
  #versions: VersionInfo | null = null;

  private constructor(config: KafkaClientConfig, openThread: (log: ClientLog) => ThreadAccess, caller: symbol) {
    // JavaScript knows no private constructors.
    if (caller !== startOnly)
      throw new TypeError('use `await KafkaClient.start(options)` instead of `new KafkaClient()`');
    this.config = config;
    this.#session = new Session(config, openThread);
    this.#session.watch(this);
    this.cluster = this.#session.cluster;
  }

  /**
   * Starts a client and its network thread. Without `apiVersion`, `start` ends when the version of a broker is known.
   * @param options configuration, and `signal`
   * Fails with: KafkaConfigurationError listing every problem; NoBrokersAvailable with the cause for each server; AbortError
   */
  static async start(options: KafkaClientOptions & StartOptions = {}): Promise<KafkaClient> {
    const { configuration, signal } = parted(options);
    const config = parseConfig(configuration);
    const expected = { expects: expectedRole(options), sendsRequests: expectsRequests(options) };
    const client = new KafkaClient(config, (log) => new NetworkThreadHandle(config, log, expected), startOnly);
    return opened(client, client.#session, async () => {
      client.#versions = await begun(client.#session, signal, options);
    });
  }

  /**
   * A consumer on this client: its connections and its network thread. It is closed with the client, or before.
   * Fails with: KafkaConfigurationError listing every problem; Cancelled, NetworkThreadError
   */
  async consumer(options: ConsumerOptions): Promise<Consumer> {
    return Consumer.open(this.#session.roles, options);
  }

  /**
   * A client of this thread on the network thread of one that another thread has started (docs/threads.md).
   * @param handle what `share` returned; each can be attached once
   * Fails with: TypeError, IllegalStateError for what cannot be attached; TooManyOpenError, Cancelled, NetworkThreadError when the other has ended
   */
  static async attach(handle: ClientHandle, options?: AttachOptions): Promise<KafkaClient> {
    const { logger, connections } = checkAttachOptions(options);
    const { config: shared, versions } = await claimClientHandle(handle);
    const client = new KafkaClient({ ...shared, logger }, () => new AttachedThread(handle), startOnly);
    client.#versions = versions;
    return opened(client, client.#session, () => client.#session.attach(connections).then(loadMessages));
  }

  /** A handle for `KafkaClient.attach` in one other thread, sent with its `transferList`. Throws: IllegalStateError when closed, TooManyOpenError */
  share(): ClientHandle {
    return this.#session.share(this.#versions);
  }

  /** Broker version found at the start, e.g. `[4, 4]`, or the one configured. */
  get apiVersion(): readonly number[] | null {
    return this.#versions?.apiVersion ?? this.config.apiVersion;
  }

  /** API key to the versions that the first connected server supports, or brokers of the configured `apiVersion`. */
  getApiVersions(): Map<number, ApiVersionRange> | null {
    return this.#versions === null ? null : rangesOf(this.#versions.apiVersions);
  }

  /**
   * Sends one request to one node.
   * @param nodeId   int32 broker id, or a negative bootstrap id
   * @param api      such as `Metadata` or `Fetch`
   * @param request  plain object of that API's request type
   * @returns Future of the response view, which owns its memory; Future of null for a Produce with acks 0
   * Fails with: NodeNotReadyError, RingFullError (both retriable, nothing was sent), InvalidRequestError, RequestTimedOutError,
   * KafkaConnectionError, UnsupportedVersionError, Cancelled, AbortError, NetworkThreadError
   * Throws: TypeError for arguments of the wrong kind and for unknown options
   * Source: Kafka protocol guide, "Network"; KIP-511 for the version handshake
   */
  send<Request, Response>(
    nodeId: number,
    api: Api<Request, Response>,
    request: Request,
    options?: SendOptions,
  ): Future<Response> {
    checkNodeId(nodeId);
    checkApi(api);
    const { version, timeoutMs, lane, signal } = checkOptions('send', options, optionNames.send);
    return this.#session.send(nodeId, api, request, {
      version: checkVersion(version),
      timeoutMs: checkTimeoutMs(timeoutMs),
      lane: checkLane(lane),
      signal: checkSignal(signal),
      place: this.#session.places.of(this.send),
    });
  }

  /**
   * The node id of a broker's connection in a lane, for every method that takes a node id: `connected`, `isReady`, `lastError`,
   * `inFlightRequestCount`, `close`. Null until somebody has asked for that lane, by `send` or `awaitReady`.
   */
  laneNodeId(nodeId: number, lane: string): number | null {
    return this.#session.nodes.laneNodeId(checkNodeId(nodeId), checkLane(lane));
  }

  /**
   * Waits for responses. Earlier sends are written, and what has arrived is delivered.
   * @param timeoutMs how long to wait for a response, ms; default `requestTimeoutMs`; 0: no wait
   * @param future    wait for this Future instead of for any response
   * @returns the responses that completed during the call, in order of arrival, with those of metadata refreshes
   */
  async poll(
    timeoutMs?: number | null,
    future?: PollTarget | null,
    options?: PollOptions,
  ): Promise<readonly unknown[]> {
    const { signal } = checkOptions('poll', options, optionNames.poll);
    return this.#session.poll(checkPollLimit(timeoutMs, this.config), future ?? null, checkSignal(signal));
  }

  /**
   * The same, but it blocks this thread; for loops that never return to the event loop. Futures complete inside the
   * call.
   */
  pollSync(timeoutMs?: number | null, future?: PollTarget | null): readonly unknown[] {
    return this.#session.pollSync(checkPollLimit(timeoutMs, this.config), future ?? null);
  }

  /**
   * Every response from the first step on, in the order of arrival, as `poll` lists them: `for await (const response
   * of client.responses())`. None is lost while the loop is busy with another. It ends when the client or its thread
   * ends, after the responses that `close()` waits for. When `signal` is aborted, it ends after the responses that
   * have arrived. It keeps the process alive meanwhile. Those that are not taken are kept as long as the iterator is:
   * leave the loop, or call `return()`, when no more are wanted.
   */
  responses(options?: PollOptions): AsyncGenerator<unknown, void, void> {
    const { signal } = checkOptions('responses', options, optionNames.responses);
    return new ResponseIterator(this, this.#session, checkSignal(signal));
  }

  /**
   * Gives the memory of a response back to the network thread, which receives into it again. It is never necessary,
   * but in a loop of big fetches it saves both threads most of their work for memory. Afterwards the response, and
   * everything that shares its memory (views, records, `Buffer`s of keys and values), must not be read: views throw
   * IllegalStateError, `Buffer`s are empty. Small responses have no memory of their own, and do not change. Throws:
   * TypeError for a value that is no response
   */
  recycle(response: FlatView): void {
    const memory = FlatView.messageOf(response).recycle();
    if (memory !== null) this.#session.giveBack(memory);
  }

  /** Makes waiting polls return. */
  wakeup(): void {
    this.#session.wakeup();
  }

  /** Whether the node is connected: TLS, authentication and the version exchange are done. */
  connected(nodeId: number): boolean {
    return this.#session.nodes.isConnected(checkNodeId(nodeId));
  }

  /** Whether the node's last connection or attempt ended with an error, and no new attempt has begun. */
  isDisconnected(nodeId: number): boolean {
    return this.#session.nodes.isDisconnected(checkNodeId(nodeId));
  }

  /** Whether any bootstrap server is connected. */
  bootstrapConnected(): boolean {
    return this.config.bootstrapServers.some((_, i) => this.#session.nodes.isConnected(-1 - i));
  }

  /**
   * Whether `send` to the node would be accepted: connected, below its limit, not throttled.
   * @param metadataPriority true: the answer is false while metadata is due or being refreshed. Default false: the
   *   network thread refreshes metadata by itself, and an application's requests do not delay it.
   */
  isReady(nodeId: number, metadataPriority = false): boolean {
    if (!this.#session.nodes.isReady(checkNodeId(nodeId)) || this.#session.isClosed) return false;
    return !metadataPriority || this.cluster.ttl() > 0;
  }

  /** Begins a connection to the node if it has none and is not backing off. Returns whether one was begun. */
  maybeConnect(nodeId: number): boolean {
    return this.#session.connect(checkNodeId(nodeId));
  }

  /** The same as `isReady`; it also begins a connection if there is none. */
  ready(nodeId: number, metadataPriority = false): boolean {
    this.maybeConnect(nodeId);
    return this.isReady(nodeId, metadataPriority);
  }

  /** Why the node's last connection or attempt ended; undefined if none ended, or if it has been connected since. */
  lastError(nodeId: number): Error | undefined {
    return this.#session.nodes.lastError(checkNodeId(nodeId));
  }

  /**
   * Waits until the node is connected, and tries again within the time limit. It does not wait until the node has
   * room for another request, nor until the node is no longer throttled: in these cases `isReady` stays false for a
   * while. Fails with: KafkaTimeoutError with the last cause, NodeNotReadyError for a node that is not part of the
   * cluster, AbortError
   */
  async awaitReady(nodeId: number, options?: AwaitReadyOptions): Promise<void> {
    checkNodeId(nodeId);
    const { timeoutMs, lane, signal } = checkOptions('awaitReady', options, optionNames.awaitReady);
    const laneName = checkLane(lane);
    const limitMs = checkTimeoutMs(timeoutMs) === -1 ? this.config.requestTimeoutMs : timeoutMs!;
    const ready = (): Promise<unknown> =>
      this.#session.callAbout(nodeId, (control) => control.awaitReady(nodeId, limitMs, laneName));
    await untilAborted(`the wait for node ${nodeId}`, checkSignal(signal), ready);
  }

  /**
   * The version of a node's broker, derived from its API versions, e.g. `[2, 8]`. If the node is not connected, the
   * client tries to connect until the time is over.
   * @param nodeId null or left out: any node
   * Fails with: NodeNotReadyError for a node that was named, else NoBrokersAvailable; UnrecognizedBrokerVersion
   */
  async checkVersion(nodeId?: number | null, options?: CheckVersionOptions): Promise<readonly number[]> {
    const node = nodeId ?? null;
    if (node !== null) checkNodeId(node);
    const { timeoutMs, strict = false } = checkOptions('checkVersion', options, optionNames.checkVersion);
    const limitMs = checkTimeoutMs(timeoutMs) === -1 ? this.config.apiVersionAutoTimeoutMs : timeoutMs!;
    const check = this.#session.callAbout<VersionInfo>(node, (control) => control.checkVersion(node, limitMs, strict));
    return (await check).apiVersion;
  }

  /** ms until a connection to the node may be tried: 0 when it may, Infinity when it is connected. */
  connectionDelay(nodeId: number): number {
    return this.#session.nodes.connectionDelay(checkNodeId(nodeId));
  }

  /** Requests sent but not settled, to one node or to all. */
  inFlightRequestCount(nodeId?: number | null): number {
    const { inFlight, nodes } = this.#session;
    return nodeId === undefined || nodeId === null ? inFlight.size : nodes.inFlight(checkNodeId(nodeId));
  }

  /** An idle connected node, else the node with the fewest requests that is not backing off; null if there is none. */
  leastLoadedNode(): number | null {
    return this.#session.nodes.leastLoaded();
  }

  /**
   * What was recorded, read from shared memory: `{ group: { name: number } }`; groups `metrics` and `node-metrics.node-1`,
   * `...node-bootstrap-0`, `...node-coordinator-1`, behind `metricGroupPrefix`. Rates and averages are those of the last 30
   * to 60 s; units are part of the definitions in docs/metrics.md. Empty unless `metrics` is configured.
   */
  metrics(): MetricGroups {
    const snapshot = this.metricsSnapshot();
    return snapshot === null ? {} : groupsOf(snapshot, this.config.metricGroupPrefix);
  }

  /** The same by node, for adapters to other systems; null unless `metrics` is configured. */
  metricsSnapshot(): MetricsSnapshot | null {
    const { metrics, end } = this.#session.thread;
    return metrics === null ? null : readMetrics(metrics, end, apiNames);
  }

  /** Connections, requests, links and last errors at this moment: data, which `console.log` and `String` show as tables. */
  inspect(): ClientInspection {
    return new ClientInspection(this.#session);
  }

  /** What the client holds outside of V8's heaps, and may hold, in all and by part. Fails with: NetworkThreadError, Cancelled */
  memory(): Promise<ClientMemory> {
    return this.#session.call((control) => control.memory());
  }

  /**
   * Replaces the topics that metadata refreshes cover.
   * @returns Future of the cluster, after a refresh that began after this call; it is complete already if no topic is new.
   *   Fails as `refreshMetadata`. Throws: TypeError for anything but strings, RangeError for a name that no topic can have
   */
  setTopics(topics: Iterable<string>): Future<Cluster> {
    return this.#session.topics.set(topics, callPlace(this.setTopics));
  }

  /** Adds one topic to the topics that metadata refreshes cover; otherwise the same as `setTopics`. */
  addTopic(topic: string): Future<Cluster> {
    return this.#session.topics.add(topic, callPlace(this.addTopic));
  }

  /**
   * Adds the topic as `addTopic` does, and waits until there is metadata of it. Fails with: the broker's error for the topic
   * (UnknownTopicOrPartitionError at the end of the time); KafkaTimeoutError; NoBrokersAvailable as `refreshMetadata`; AbortError
   */
  async awaitTopic(topic: string, options?: AwaitOptions): Promise<Cluster> {
    const { timeoutMs, signal } = checkOptions('awaitTopic', options, optionNames.awaitTopic);
    const limitMs = checkTimeoutMs(timeoutMs) === -1 ? this.config.requestTimeoutMs : timeoutMs!;
    return awaitTopicOf(this.#session, topic, limitMs, checkSignal(signal));
  }

  /**
   * Refreshes metadata as soon as the backoff allows; Future of the cluster after a refresh that began after this call.
   * Fails with: NoBrokersAvailable when all servers have refused login or certificate since; KafkaTimeoutError when none could be asked
   *   for twice `requestTimeoutMs`, after which the client goes on trying; the request's own error; TooManyOpenError
   */
  refreshMetadata(): Future<Cluster> {
    return this.#session.topics.requestUpdate(callPlace(this.refreshMetadata));
  }

  /** Administration of the cluster over this client's connections. There may be any number; none needs to be closed. */
  admin(options: AdminOptions = {}): Admin {
    return openAdmin(this.#session, options);
  }

  /** Opens a producer: any number, each with its own options and memory. Fails with: KafkaConfigurationError */
  producer<K = BytesInput, V = BytesInput>(options: ProducerOptions<K, V> = {}): Promise<Producer<K, V>> {
    return openProducer(this.#session.roles, options);
  }

  /**
   * With a node id: closes that node's connection; its requests fail with Cancelled inside this call. Without a node
   * id: waits for requests in flight until `closeTimeoutMs`, then fails the rest with Cancelled and ends the thread.
   */
  close(): Promise<void>;
  close(nodeId: number): void;
  close(nodeId?: number): Promise<void> | undefined {
    if (nodeId === undefined) return this.#session.close();
    this.#session.disconnect(checkNodeId(nodeId));
    return undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
