// Owns the public client: argument checks, what may be sent now, futures, polls, the end. Application thread. It opens no
// socket and decodes no wire byte: requests go to network-proxy.ts, responses come from response-adapter.ts.

import type { KafkaClientConfig, KafkaClientOptions } from '../common/config.ts';
import { parseConfig } from '../common/config-parser.ts';
import type { ApiVersionRow, VersionInfo } from '../common/control.ts';
import { Cancelled, type NetworkThreadError, NodeNotReadyError } from '../common/errors.ts';
import type { Api } from '../protocol/flat/api.ts';
import { FlatView } from '../protocol/flat/flat-view.ts';
import { Produce } from '../protocol/flat/generated/apis.ts';
import { checkApi, checkNodeId, checkTimeoutMs, checkVersion } from './arguments.ts';
import { ClientLog } from './client-log.ts';
import type { ApiVersionRange, CheckVersionOptions, PollOptions, SendOptions } from './client-options.ts';
import { Cluster } from './cluster.ts';
import { Future, failedFuture } from './future.ts';
import { InFlight } from './in-flight.ts';
import { groupsOf, type MetricGroups, type MetricsSnapshot, readMetrics } from './metrics.ts';
import { NetworkProxy } from './network-proxy.ts';
import { NetworkThread } from './network-thread.ts';
import { NodeStates } from './node-states.ts';
import { Poller, type PollTarget } from './poller.ts';
import { ResponseAdapter } from './response-adapter.ts';
import { Topics } from './topics.ts';

/**
 * Kafka's request/response client for an application thread that may be busy: connections, timeouts and decoding live
 * in a network thread of its own. Safe to keep for the life of the process; end it with `close()` or `await using`.
 */
export class KafkaClient implements AsyncDisposable {
  readonly config: KafkaClientConfig;
  /** What is known of the cluster: brokers, topics, leaders. */
  readonly cluster: Cluster;

  readonly #log: ClientLog;
  readonly #thread: NetworkThread;
  readonly #proxy: NetworkProxy;
  readonly #adapter: ResponseAdapter;
  readonly #inFlight = new InFlight();
  readonly #nodes: NodeStates;
  readonly #poller: Poller;
  readonly #topics: Topics;
  #versions: VersionInfo | null = null;
  #callsUnderWay = 0;
  #isClosed = false;
  #closing: Promise<void> | null = null;
  #lossError: NetworkThreadError | null = null;

  private constructor(config: KafkaClientConfig) {
    this.config = config;
    this.#log = new ClientLog(config);
    this.#topics = new Topics({
      retryBackoffMs: config.retryBackoffMs,
      dueInMs: () => this.#nodes.metadataTtlMs(),
      cluster: () => this.cluster,
      call: (run) => this.#call(run),
      drain: () => this.#adapter.drain(),
      untilProgress: async () => {
        if (this.#isClosed) throw this.#lossError ?? new Cancelled('the client is closed');
        await this.poll();
      },
      callbackThrew: this.#log.callbackThrew,
    });
    this.cluster = new Cluster(config.bootstrapServers, this.#topics, this.#log.callbackThrew);
    this.#thread = new NetworkThread(config, this.#log);
    const { end } = this.#thread;
    this.#proxy = new NetworkProxy(end);
    this.#adapter = new ResponseAdapter(end, this.#inFlight, this.cluster);
    this.#nodes = new NodeStates(
      end.counters,
      this.#inFlight,
      this.#proxy,
      this.cluster,
      config.maxInFlightRequestsPerConnection,
    );
    this.#poller = new Poller(end, this.#proxy, this.#adapter);
    this.#adapter.onProgress = () => {
      this.#updateReference();
      this.#poller.onProgress();
    };
    this.#adapter.onBroken = (error) => this.#thread.condemn(error);
    this.#thread.onLost = (error) => this.#onLost(error);
    this.#adapter.listen();
  }

  /**
   * Starts a client and its network thread. With `apiVersion` configured it waits for no server; without, it ends with
   * the version found.
   * Fails with: KafkaConfigurationError listing every problem; NoBrokersAvailable with the cause for each server.
   */
  static async start(options: KafkaClientOptions = {}): Promise<KafkaClient> {
    const client = new KafkaClient(parseConfig(options));
    try {
      client.#versions = await client.#call((control) => control.start());
      client.#adapter.drain();
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** Broker version found at the start, e.g. `[4, 3]`, or the one configured. */
  get apiVersion(): readonly number[] | null {
    return this.#versions?.apiVersion ?? this.config.apiVersion;
  }

  /** API key to the versions the server first connected to supports; with `apiVersion` configured, what such brokers do. */
  getApiVersions(): Map<number, ApiVersionRange> | null {
    return this.#versions === null ? null : rangesOf(this.#versions.apiVersions);
  }

  /**
   * Sends one request to one node.
   * @param nodeId   int32 broker id, or a negative bootstrap id
   * @param api      such as `Metadata` or `Fetch`
   * @param request  plain object of that API's request type
   * @returns Future of the response view, which owns its memory; of null for a Produce with acks 0
   * Fails with: NodeNotReadyError, RingFullError (both retriable, nothing was sent), InvalidRequestError,
   * RequestTimedOutError, KafkaConnectionError, UnsupportedVersionError, Cancelled, NetworkThreadError
   * Throws: TypeError for arguments of the wrong kind
   * Source: Kafka protocol guide, "Network"; KIP-511 for the version handshake
   */
  send<Request, Response>(
    nodeId: number,
    api: Api<Request, Response>,
    request: Request,
    options: SendOptions = {},
  ): Future<Response> {
    checkNodeId(nodeId);
    checkApi(api);
    const version = checkVersion(options.version);
    const timeoutMs = checkTimeoutMs(options.timeoutMs);
    const refusal = this.#whyNotSend(nodeId);
    if (refusal !== null) return failedFuture(refusal, this.#log.callbackThrew);
    const requestId = this.#inFlight.nextRequestId();
    try {
      const full = this.#proxy.send(requestId, nodeId, api, request, version, timeoutMs);
      if (full !== null) return failedFuture(full, this.#log.callbackThrew);
    } catch (error) {
      return failedFuture(error as Error, this.#log.callbackThrew);
    }
    const future = new Future<Response>(this.#log.callbackThrew);
    const expectsResponse = api.key !== Produce.key || (request as { acks?: number }).acks !== 0;
    this.#inFlight.add({ requestId, nodeId, api, future: future as Future<unknown>, expectsResponse });
    this.#thread.reference(true);
    return future;
  }

  /**
   * Sees earlier sends written and what has arrived delivered.
   * @param timeoutMs how long to wait for a response, ms; default `requestTimeoutMs`, 0: not at all
   * @param future    wait for this one instead of for any
   * @returns responses that completed during the call, in order of arrival, metadata refreshes included
   */
  async poll(
    timeoutMs?: number | null,
    future?: PollTarget | null,
    options: PollOptions = {},
  ): Promise<readonly unknown[]> {
    const limitMs = this.#pollLimit(timeoutMs);
    if (this.#isClosed) return [];
    // Counted, since the poll may first read the answer to the last request in flight, and only then wait.
    this.#callsUnderWay++;
    this.#thread.reference(true);
    try {
      return await this.#poller.poll(limitMs, future ?? null, options.signal ?? null);
    } finally {
      this.#callsUnderWay--;
      this.#updateReference();
    }
  }

  /** `poll` that blocks this thread: for loops that never return to the event loop. Futures complete inside the call. */
  pollSync(timeoutMs?: number | null, future?: PollTarget | null): readonly unknown[] {
    const limitMs = this.#pollLimit(timeoutMs);
    return this.#isClosed ? [] : this.#poller.pollSync(limitMs, future ?? null);
  }

  /**
   * Gives the memory of a response back to the network thread, which receives into it again. Worth calling in a loop of
   * big fetches, where it spares both threads most of their work for memory; never necessary. Reading the response, or
   * what shares its memory (views, records, `Buffer`s of keys and values), is a fault afterwards: views throw
   * IllegalStateError, `Buffer`s are empty. Small responses have no memory of their own, and stay as they are.
   * Throws: TypeError for what is no response
   */
  recycle(response: FlatView): void {
    const memory = FlatView.messageOf(response).recycle();
    if (memory !== null) this.#thread.end.responses.giveBack(memory);
  }

  /** Makes polls that are waiting return. */
  wakeup(): void {
    this.#poller.wakeup();
  }

  /** Whether the node is connected; TLS, authentication and the version exchange are over then. */
  connected(nodeId: number): boolean {
    return this.#nodes.isConnected(checkNodeId(nodeId));
  }

  /** Whether the node's last connection or attempt ended with an error and no new one has begun. */
  isDisconnected(nodeId: number): boolean {
    return this.#nodes.isDisconnected(checkNodeId(nodeId));
  }

  /** Whether any bootstrap server is connected. */
  bootstrapConnected(): boolean {
    return this.config.bootstrapServers.some((_, i) => this.#nodes.isConnected(-1 - i));
  }

  /**
   * Whether `send` to the node would be accepted: connected, below its limit, not throttled.
   * @param metadataPriority true: not while metadata is due or being refreshed either. Default false: the network thread
   * refreshes metadata by itself, and an application's requests are not in its way.
   */
  isReady(nodeId: number, metadataPriority = false): boolean {
    if (this.#isClosed || !this.#nodes.isReady(checkNodeId(nodeId))) return false;
    return !metadataPriority || this.cluster.ttl() > 0;
  }

  /** Begins a connection to the node if it needs one and is not backing off. True when one was begun. */
  maybeConnect(nodeId: number): boolean {
    checkNodeId(nodeId);
    if (this.#isClosed || !this.#nodes.canConnect(nodeId)) return false;
    return this.#proxy.connect(nodeId);
  }

  /** `isReady`, and begins a connection if there is none. */
  ready(nodeId: number, metadataPriority = false): boolean {
    this.maybeConnect(nodeId);
    return this.isReady(nodeId, metadataPriority);
  }

  /** Why the node's last connection or attempt ended; undefined when none did, or it has been connected since. */
  lastError(nodeId: number): Error | undefined {
    return this.#nodes.lastError(checkNodeId(nodeId));
  }

  /**
   * Waits until the node is connected, retrying within the time given.
   * Fails with: KafkaTimeoutError with the last cause, NodeNotReadyError for a node that is not part of the cluster
   */
  async awaitReady(nodeId: number, { timeoutMs }: { timeoutMs?: number } = {}): Promise<void> {
    checkNodeId(nodeId);
    const limitMs = checkTimeoutMs(timeoutMs) === -1 ? this.config.requestTimeoutMs : timeoutMs!;
    // An earlier close(nodeId) travels over the request link, and must not be overtaken by this call.
    if (this.#proxy.isDisconnecting(nodeId)) await this.poll(0);
    await this.#call((control) => control.awaitReady(nodeId, limitMs));
  }

  /**
   * The version of a node's broker, as far as its API versions tell, e.g. `[2, 8]`. A node that is not connected is tried
   * until the time is over.
   * @param nodeId null or left out: any node
   * Fails with: NodeNotReadyError for a node that was named, else NoBrokersAvailable; UnrecognizedBrokerVersion
   */
  async checkVersion(nodeId?: number | null, options: CheckVersionOptions = {}): Promise<readonly number[]> {
    const node = nodeId ?? null;
    if (node !== null) checkNodeId(node);
    const { timeoutMs, strict = false } = options;
    const limitMs = checkTimeoutMs(timeoutMs) === -1 ? this.config.apiVersionAutoTimeoutMs : timeoutMs!;
    if (node !== null && this.#proxy.isDisconnecting(node)) await this.poll(0);
    return (await this.#call<VersionInfo>((control) => control.checkVersion(node, limitMs, strict))).apiVersion;
  }

  /** ms until a connection to the node may be tried: 0 when it may, Infinity when it is connected. */
  connectionDelay(nodeId: number): number {
    return this.#nodes.connectionDelay(checkNodeId(nodeId));
  }

  /** Requests sent but not settled, to one node or to all. */
  inFlightRequestCount(nodeId?: number | null): number {
    return nodeId === undefined || nodeId === null ? this.#inFlight.size : this.#nodes.inFlight(checkNodeId(nodeId));
  }

  /** An idle connected node, else the one with the fewest requests that is not backing off; null when there is none. */
  leastLoadedNode(): number | null {
    return this.#nodes.leastLoaded();
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
    const { metrics, end } = this.#thread;
    return metrics === null ? null : readMetrics(metrics, end);
  }

  /**
   * Replaces the topics that metadata refreshes cover.
   * @returns Future of the cluster after a refresh begun after this call; done already when no topic is new
   * Throws: TypeError for what is no list of strings, RangeError for a name that no topic can have
   */
  setTopics(topics: Iterable<string>): Future<Cluster> {
    return this.#topics.set(topics);
  }

  /** Adds one topic to those that metadata refreshes cover; else as `setTopics`. */
  addTopic(topic: string): Future<Cluster> {
    return this.#topics.add(topic);
  }

  /** Refreshes metadata now, as far as the backoff allows. Future of the cluster after a refresh begun after this call. */
  refreshMetadata(): Future<Cluster> {
    return this.#topics.requestUpdate();
  }

  /**
   * With a node id: closes that node's connection; its requests fail with Cancelled inside this call.
   * Without: waits for requests in flight until `closeTimeoutMs`, fails the rest with Cancelled, ends the thread.
   */
  close(): Promise<void>;
  close(nodeId: number): void;
  close(nodeId?: number): Promise<void> | undefined {
    if (nodeId === undefined) {
      this.#closing ??= this.#close();
      return this.#closing;
    }
    checkNodeId(nodeId);
    if (this.#isClosed) return undefined;
    this.#proxy.disconnect(nodeId);
    this.#failAll(new Cancelled('the connection was closed by close(nodeId)', { nodeId }), nodeId);
    return undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    if (this.#lossError === null && this.#inFlight.size > 0)
      await this.#poller.untilSettled(this.#inFlight, this.config.closeTimeoutMs);
    this.#adapter.close();
    this.#failAll(new Cancelled('the client was closed'));
    this.#poller.close();
    await this.#thread.close();
  }

  #whyNotSend(nodeId: number): Error | null {
    if (this.#lossError !== null) return this.#lossError;
    if (this.#isClosed) return new NodeNotReadyError('the client is closed', { nodeId });
    const refusal = this.#nodes.refusal(nodeId);
    if (refusal !== null && this.#nodes.canConnect(nodeId)) this.#proxy.connect(nodeId);
    return refusal;
  }

  async #call<T>(run: Parameters<NetworkThread['call']>[0]): Promise<T> {
    if (this.#isClosed) throw this.#lossError ?? new Cancelled('the client is closed');
    this.#callsUnderWay++;
    this.#thread.reference(true);
    try {
      return (await this.#thread.call(run)) as T;
    } finally {
      this.#callsUnderWay--;
      this.#updateReference();
    }
  }

  #updateReference(): void {
    this.#thread.reference(this.#inFlight.size > 0 || this.#callsUnderWay > 0);
  }

  #pollLimit(timeoutMs: number | null | undefined): number {
    if (timeoutMs === undefined || timeoutMs === null) return this.config.requestTimeoutMs;
    if (typeof timeoutMs !== 'number' || Number.isNaN(timeoutMs)) {
      throw new TypeError(`poll: timeoutMs must be a number of milliseconds, not ${String(timeoutMs)}`);
    }
    return Math.max(0, timeoutMs);
  }

  #failAll(error: Error, nodeId?: number): void {
    for (const { future } of this.#inFlight.takeAll(nodeId)) future.failure(error);
    this.#updateReference();
  }

  #onLost(error: NetworkThreadError): void {
    this.#log.write('error', { event: 'network-thread-lost', err: error }, error.message);
    this.#lossError = error;
    this.#isClosed = true;
    this.#adapter.close();
    this.#failAll(error);
    this.#poller.close();
  }
}

function rangesOf(rows: readonly ApiVersionRow[]): Map<number, ApiVersionRange> {
  return new Map(rows.map(([apiKey, min, max]) => [apiKey, { min, max }]));
}
