// Owns what a client consists of and who tells whom, the requests and calls under way, the end. Application thread. Must not
// refer to the KafkaClient in front of it, nor let anything here do so: else one that is dropped would never be noticed.

import type { MessagePort } from 'node:worker_threads';
import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { Control, ControlResult } from '../../common/control.ts';
import { Cancelled, NetworkThreadError, NodeNotReadyError } from '../../common/errors/errors.ts';
import type { LogLevel } from '../../common/logger.ts';
import { thrownError } from '../../common/thrown.ts';
import type { Api } from '../../protocol/flat/api.ts';
import { Produce } from '../../protocol/flat/generated/apis.ts';
import { abortError, onAbort } from '../link/abort-signals.ts';
import { type CallPlace, CallPlaces } from '../link/call-place.ts';
import type { ClientHost, ClientRole } from '../link/client-host.ts';
import { Future, fail, failedFuture, onSettled, unseenText } from '../link/future.ts';
import { InFlight } from '../link/in-flight.ts';
import { NetworkProxy } from '../link/network-proxy.ts';
import { Poller, type PollTarget } from '../link/poller.ts';
import { ResponseAdapter } from '../link/response-adapter.ts';
import { checkStackRoom } from '../link/stack-room.ts';
import { ClientLog } from '../thread/client-log.ts';
import { NetworkThreadHandle } from '../thread/network-thread-handle.ts';
import { Cluster } from './cluster.ts';
import { NodeStates } from './node-states.ts';
import type { StreamSource } from './response-stream.ts';
import type { SendCall } from './send-call.ts';
import { withTopicIds } from './topic-ids.ts';
import { Topics } from './topics.ts';

/** A client that is dropped without `close` is noticed when it is collected. */
const dropped = new FinalizationRegistry<Session>((session) => session.onDropped());

/** What a thread may take to load its modules, on a busy machine, beside the time that `start` has. */
const beginGraceMs = 5000;

export class Session implements ClientHost, StreamSource {
  readonly config: KafkaClientConfig;
  readonly cluster: Cluster;
  readonly topics: Topics;
  readonly thread: NetworkThreadHandle;
  readonly nodes: NodeStates;
  readonly proxy: NetworkProxy;
  readonly inFlight = new InFlight();
  readonly #log: ClientLog;
  readonly #adapter: ResponseAdapter;
  readonly #poller: Poller;
  /** Producers and consumers: closed before the client. */
  readonly #roles = new Set<ClientRole>();
  /** Of roles that wait for something. */
  #holds = 0;
  readonly #endListeners = new Set<() => void>();
  #callsUnderWay = 0;
  #isClosed = false;
  #isDropped = false;
  #closing: Promise<void> | null = null;
  #lossError: NetworkThreadError | null = null;
  #isRestDue = false;
  readonly #topicIdOf = (name: string): string | null => this.cluster.topicId(name);
  /** Lets the process end unless something is under way again. */
  readonly #rest = (): void => {
    this.#isRestDue = false;
    this.thread.reference(this.#isBusy);
    if (this.#isDropped) this.#endIfDropped();
  };

  readonly places = new CallPlaces();
  readonly #failureUnseen = (error: Error, place: string): void => {
    if (place === '') this.places.missed();
    this.#log.write('warn', { event: 'failure-unseen', err: error, place }, unseenText(error, place));
  };

  constructor(config: KafkaClientConfig) {
    this.config = config;
    this.#log = new ClientLog(config);
    this.topics = new Topics({
      retryBackoffMs: config.retryBackoffMs,
      dueInMs: () => this.nodes.metadataTtlMs(),
      cluster: () => this.cluster,
      call: (run) => this.call(run),
      drain: () => this.drain(),
      untilProgress: async () => {
        if (this.#isClosed) throw this.#endError();
        await this.poll(config.requestTimeoutMs, null, null);
      },
      callbackThrew: this.#log.callbackThrew,
      failureUnseen: this.#failureUnseen,
    });
    this.cluster = new Cluster(config.bootstrapServers, this.topics, this.#log.callbackThrew);
    this.thread = new NetworkThreadHandle(config, this.#log);
    const { end } = this.thread;
    this.proxy = new NetworkProxy(end);
    this.#adapter = new ResponseAdapter(end, this.inFlight, this.cluster);
    this.nodes = new NodeStates(
      end.counters,
      this.inFlight,
      this.proxy,
      this.cluster,
      config.maxInFlightRequestsPerConnection,
    );
    this.#poller = new Poller(end, this.proxy, this.#adapter);
    this.#adapter.onProgress = () => {
      this.#updateReference();
      this.#poller.onProgress();
    };
    this.#poller.onLook = () => this.thread.look();
    this.#adapter.onBroken = (cause) => {
      const text = 'the network thread was ended: what it sent cannot be read';
      this.thread.condemn(new NetworkThreadError(text, { cause }));
    };
    this.thread.onLost = (error) => this.#onLost(error);
    this.#adapter.listen();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Ends itself some time after `client` has been collected. */
  watch(client: object): void {
    this.cluster.keepListenersWith(client);
    dropped.register(client, this, this);
  }

  send<Request, Response>(
    nodeId: number,
    api: Api<Request, Response>,
    request: Request,
    { version, timeoutMs, signal, place }: SendCall,
  ): Future<Response> {
    checkStackRoom();
    if (signal?.aborted) return this.#failed(abortError('the request', signal, nodeId), place);
    const refusal = this.#whyNotSend(nodeId);
    if (refusal !== null) return this.#failed(refusal, place);
    const requestId = this.inFlight.nextRequestId();
    let expectsResponse: boolean;
    try {
      expectsResponse = api.key !== Produce.key || (request as { acks?: number }).acks !== 0;
      const named = withTopicIds(api.key, request, this.#topicIdOf);
      const full = this.proxy.send(requestId, nodeId, api, named, version, timeoutMs);
      if (full !== null) return this.#failed(full, place);
    } catch (error) {
      return this.#failed(thrownError(error), place);
    }
    const future = new Future<Response>(this.#log.callbackThrew, this.#failureUnseen, place);
    this.inFlight.add({ requestId, nodeId, api, future: future as Future<unknown>, expectsResponse });
    this.thread.reference(true);
    if (signal !== null) this.#giveUpWhenAborted(requestId, nodeId, future, signal);
    return future;
  }

  async poll(limitMs: number, future: PollTarget | null, signal: AbortSignal | null): Promise<readonly unknown[]> {
    if (this.#isClosed) return [];
    // Counted, since the poll may first read the answer to the last request in flight, and only then wait.
    return this.#counted(() => this.#poller.poll(limitMs, future, signal));
  }

  pollSync(limitMs: number, future: PollTarget | null): readonly unknown[] {
    if (this.#isClosed) return [];
    this.topics.flush();
    return this.#poller.pollSync(limitMs, future);
  }

  // --- StreamSource

  listenForResponses(listener: (response: unknown) => void): () => void {
    return this.#adapter.listenForResponses(listener);
  }

  keepAlive(): () => void {
    this.#callsUnderWay++;
    this.thread.reference(true);
    return () => {
      this.#callsUnderWay--;
      this.#updateReference();
    };
  }

  /** What close() still waits for is not lost. */
  get isAtEnd(): boolean {
    return this.#isClosed && this.inFlight.size === 0;
  }

  onEnd(listener: () => void): () => void {
    this.#endListeners.add(listener);
    return () => void this.#endListeners.delete(listener);
  }

  /** Ends polls that wait. */
  wakeup(): void {
    this.#poller.wakeup();
  }

  /** Takes what has arrived. */
  drain(): void {
    this.#adapter.drain();
  }

  /** Gives the memory of a moved body back. */
  giveBack(memory: ArrayBuffer): void {
    this.thread.end.responses.giveBack(memory);
  }

  connect(nodeId: number): boolean {
    if (this.#isClosed || !this.nodes.canConnect(nodeId)) return false;
    return this.proxy.connect(nodeId);
  }

  /** Closes a node's connection; its requests fail inside this call. */
  disconnect(nodeId: number): void {
    if (this.#isClosed) return;
    checkStackRoom();
    this.proxy.disconnect(nodeId);
    this.#failAll(new Cancelled('the connection was closed by close(nodeId)', { nodeId }), nodeId);
  }

  /** A control call about a node or, with null, any. */
  async callAbout<T>(nodeId: number | null, run: Parameters<NetworkThreadHandle['call']>[0]): Promise<T> {
    // An earlier close(nodeId) travels over the request link, and must not be overtaken by this call.
    if (nodeId !== null && this.proxy.isDisconnecting(nodeId)) await this.poll(0, null, null);
    return this.call(run);
  }

  /** The first call, which has to wait until there is somebody to answer it. */
  async start<T>(run: Parameters<NetworkThreadHandle['call']>[0]): Promise<T> {
    const giveUp = this.thread.limitBegin(this.config.apiVersionAutoTimeoutMs + beginGraceMs);
    try {
      return await this.call(run);
    } finally {
      giveUp();
    }
  }

  async call<T>(run: Parameters<NetworkThreadHandle['call']>[0]): Promise<T> {
    if (this.#isClosed) throw this.#endError();
    return this.#counted(() => this.thread.call(run) as Promise<T>);
  }

  // --- ClientHost

  get networkDoorbell(): SharedArrayBuffer {
    return this.thread.end.networkDoorbell.buffer;
  }

  get countersMemory(): SharedArrayBuffer {
    return this.thread.countersMemory;
  }

  get callbackThrew(): (error: unknown) => void {
    return this.#log.callbackThrew;
  }

  callWith<Argument, T>(
    run: (control: Control, argument: Argument) => Promise<ControlResult<T>>,
    argument: Argument,
    ports: readonly MessagePort[],
  ): Promise<T> {
    return this.call<T>((control) => run(control as unknown as Control, this.thread.withPorts(argument, ports)));
  }

  hold(): void {
    this.#holds++;
    this.thread.reference(true);
  }

  release(): void {
    this.#holds--;
    this.#updateReference();
  }

  partitionCount(topic: string): number | null {
    return this.cluster.partitionsForTopic(topic)?.size ?? null;
  }

  async learnTopic(topic: string): Promise<void> {
    await this.topics.add(topic);
  }

  addRole(role: ClientRole): void {
    this.#roles.add(role);
  }

  removeRole(role: ClientRole): void {
    this.#roles.delete(role);
  }

  log(level: LogLevel, event: string, message: string, error?: Error): void {
    this.#log.write(level, { event, ...(error !== undefined && { err: error }) }, message);
  }

  // --- the end

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  onDropped(): void {
    this.#isDropped = true;
    this.#endIfDropped();
  }

  async #close(): Promise<void> {
    dropped.unregister(this);
    const { closeTimeoutMs } = this.config;
    // Without any the client counts as closed when this is called, not a little later.
    if (this.#roles.size > 0) await Promise.all([...this.#roles].map((role) => role.closeWithClient(closeTimeoutMs)));
    this.#isClosed = true;
    if (this.#lossError === null && this.inFlight.size > 0)
      await this.#poller.untilSettled(this.inFlight, this.config.closeTimeoutMs);
    this.#adapter.close();
    this.#failAll(new Cancelled('the client was closed', { retriable: false }));
    this.#poller.close();
    this.#tellEnd();
    await this.thread.close();
  }

  /** What is under way belongs to somebody, even if the client does not any more. */
  #endIfDropped(): void {
    if (!this.#isDropped || this.#isClosed || this.#isBusy) return;
    this.#log.write(
      'warn',
      { event: 'client-dropped' },
      'a KafkaClient was dropped without close(): its network thread is ended; close every client, or keep it',
    );
    void this.close();
  }

  #whyNotSend(nodeId: number): Error | null {
    if (this.#lossError !== null) return this.#lossError;
    if (this.#isClosed) return new NodeNotReadyError('the client is closed', { nodeId, retriable: false });
    const refusal = this.nodes.refusal(nodeId);
    if (refusal !== null && this.nodes.canConnect(nodeId)) this.proxy.connect(nodeId);
    return refusal;
  }

  #endError(): Error {
    return this.#lossError ?? new Cancelled('the client is closed', { retriable: false });
  }

  async #counted<T>(run: () => Promise<T>): Promise<T> {
    const release = this.keepAlive();
    try {
      return await run();
    } finally {
      release();
    }
  }

  #failed<T>(error: Error, place: CallPlace | null): Future<T> {
    return failedFuture(error, this.#log.callbackThrew, this.#failureUnseen, place);
  }

  /** Its answer still comes, and takes its place on the connection until then. */
  #giveUpWhenAborted<T>(requestId: number, nodeId: number, future: Future<T>, signal: AbortSignal): void {
    const stop = onAbort(signal, () => {
      stop();
      this.inFlight.giveUp(requestId);
      fail(future, abortError('the request', signal, nodeId));
      // Whoever waits for nothing to be in flight.
      this.#poller.onProgress();
      this.#updateReference();
    });
    onSettled(future as Future<unknown>, stop);
  }

  #tellEnd(): void {
    for (const listener of [...this.#endListeners]) listener();
  }

  get #isBusy(): boolean {
    return this.inFlight.size > 0 || this.#callsUnderWay > 0 || this.#holds > 0;
  }

  #updateReference(): void {
    if (this.#isBusy || this.#isRestDue) return;
    // Not before whoever got the last response had the chance to send again, which would take it back.
    this.#isRestDue = true;
    process.nextTick(this.#rest);
  }

  #failAll(error: Error, nodeId?: number): void {
    for (const { future } of this.inFlight.takeAll(nodeId)) fail(future, error);
    this.#updateReference();
  }

  #onLost(error: NetworkThreadError): void {
    this.#log.write('error', { event: 'network-thread-lost', err: error }, error.message);
    this.#lossError = error;
    this.#isClosed = true;
    this.#adapter.close();
    this.#failAll(error);
    this.#poller.close();
    for (const role of [...this.#roles]) role.onThreadLost(error);
    this.#tellEnd();
  }
}
