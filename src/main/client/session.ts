// Owns the parts of a client and their wiring, the requests and calls under way, and the end of the client.
// Application thread. Neither this object nor its parts may refer to the KafkaClient in front of it: otherwise a
// dropped client would never be noticed.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import type { ConnectionChoice, ControlResult, VersionInfo } from '../../common/control.ts';
import {
  Cancelled,
  IllegalStateError,
  NetworkThreadError,
  NodeNotReadyError,
  UnknownBrokerIdError,
} from '../../common/errors/errors.ts';
import { mainLane } from '../../common/node-ids.ts';
import { checkAttachmentCount } from '../../common/open-limits.ts';
import { thrownError } from '../../common/thrown.ts';
import type { Api } from '../../protocol/flat/api.ts';
import { Produce } from '../../protocol/flat/generated/apis.ts';
import { abortError, onAbort } from '../link/abort-signals.ts';
import { type CallPlace, CallPlaces } from '../link/call-place.ts';
import { Future, fail, failedFuture, onSettled, unseenText } from '../link/future.ts';
import { InFlight } from '../link/in-flight.ts';
import { NetworkProxy } from '../link/network-proxy.ts';
import { Poller, type PollTarget } from '../link/poller.ts';
import { ResponseAdapter } from '../link/response-adapter.ts';
import { checkStackRoom } from '../link/stack-room.ts';
import { type ClientHandle, makeHandle } from '../thread/client-handle.ts';
import { ClientLog } from '../thread/client-log.ts';
import type { RemoteControl, ThreadAccess } from '../thread/thread-access.ts';
import { ClientRoles } from './client-roles.ts';
import type { Cluster } from './cluster.ts';
import { ClusterWriter } from './cluster-writer.ts';
import { NodeStates } from './node-states.ts';
import type { StreamSource } from './response-stream.ts';
import type { SendCall } from './send-call.ts';
import { withTopicIds } from './topic-ids.ts';
import { Topics } from './topics.ts';

/** It notices a client that was dropped without `close` when that client is garbage-collected. */
const dropped = new FinalizationRegistry<Session>((session) => session.onDropped());

/** Time for which a thread may wait for its modules, in addition to the time limit of `start`. */
const beginGraceMs = 5000;

export class Session implements StreamSource {
  readonly config: KafkaClientConfig;
  readonly cluster: Cluster;
  readonly #clusterWriter: ClusterWriter;
  readonly topics: Topics;
  readonly thread: ThreadAccess;
  readonly nodes: NodeStates;
  readonly proxy: NetworkProxy;
  readonly inFlight = new InFlight();
  readonly #log: ClientLog;
  readonly #adapter: ResponseAdapter;
  readonly #poller: Poller;
  /** Producers and consumers: closed before the client. */
  readonly roles: ClientRoles;
  readonly #endListeners = new Set<() => void>();
  #callsUnderWay = 0;
  #isClosed = false;
  #isDropped = false;
  #closing: Promise<void> | null = null;
  #lossError: Error | null = null;
  #isRestDue = false;
  readonly #topicIdOf = (name: string): string | null => this.cluster.topicId(name);
  /** Lets the process end, unless something is under way again. */
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

  constructor(config: KafkaClientConfig, openThread: (log: ClientLog) => ThreadAccess) {
    this.config = config;
    this.#log = new ClientLog(config);
    this.topics = new Topics({
      retryBackoffMs: config.retryBackoffMs,
      dueInMs: () => this.nodes.metadataTtlMs(),
      clusterWriter: () => this.#clusterWriter,
      call: (run) => this.call(run),
      drain: () => this.drain(),
      untilProgress: async () => {
        if (this.#isClosed) throw this.#endError();
        await this.poll(config.requestTimeoutMs, null, null);
      },
      callbackThrew: this.#log.callbackThrew,
      failureUnseen: this.#failureUnseen,
    });
    this.#clusterWriter = new ClusterWriter(config.bootstrapServers, this.topics, this.#log.callbackThrew);
    this.cluster = this.#clusterWriter.cluster;
    this.thread = openThread(this.#log);
    const { end } = this.thread;
    this.proxy = new NetworkProxy(end);
    this.#adapter = new ResponseAdapter(end, this.inFlight, this.#clusterWriter);
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
    this.roles = new ClientRoles(this, this.#log);
    this.#adapter.listen();
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Ends the session some time after `client` has been garbage-collected. */
  watch(client: object): void {
    this.#clusterWriter.keepListenersWith(client);
    dropped.register(client, this, this);
  }

  send<Request, Response>(
    nodeId: number,
    api: Api<Request, Response>,
    request: Request,
    call: SendCall,
  ): Future<Response> {
    const { lane, place } = call;
    const laneNode = lane === mainLane ? nodeId : this.nodes.laneNodeId(nodeId, lane);
    return laneNode === null
      ? this.#failed(this.#openLane(nodeId, lane), place)
      : this.#sendTo(laneNode, api, request, call);
  }

  #sendTo<Request, Response>(
    nodeId: number,
    api: Api<Request, Response>,
    request: Request,
    { version, timeoutMs, signal, place }: SendCall,
  ): Future<Response> {
    checkStackRoom();
    this.thread.noticeObservers();
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
    // Counted as under way, since the poll may first read the answer to the last request in flight, and only then
    // wait.
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
    this.#failAll(new Cancelled('the connection was closed by close(nodeId)', { nodeId, retriable: true }), nodeId);
  }

  /** A control call about a node, or about any node (null). */
  async callAbout<T>(nodeId: number | null, run: (control: RemoteControl) => Promise<ControlResult<T>>): Promise<T> {
    // An earlier close(nodeId) travels over the request link, and this call must not overtake it.
    if (nodeId !== null && this.proxy.isDisconnecting(nodeId)) await this.poll(0, null, null);
    return this.call(run);
  }

  /** The first call: it has to wait until the network thread runs. */
  async start<T>(run: (control: RemoteControl) => Promise<ControlResult<T>>): Promise<T> {
    const giveUp = this.thread.limitBegin(this.config.apiVersionAutoTimeoutMs + beginGraceMs);
    try {
      return await this.call(run);
    } finally {
      giveUp();
    }
  }

  /** The first call of an attached client. */
  async attach(connections: ConnectionChoice): Promise<void> {
    this.thread.end.counters.useScope(await this.start((control) => control.hello(connections, this.thread.threadId)));
  }

  async call<T>(run: (control: RemoteControl) => Promise<ControlResult<T>>): Promise<T> {
    if (this.#isClosed) throw this.#endError();
    return this.#counted(() => this.thread.call(run));
  }

  /** A handle for another thread. @throws IllegalStateError when this client is closed; TooManyOpenError when there are too many clients */
  share(versions: VersionInfo | null): ClientHandle {
    if (this.#isClosed) throw new IllegalStateError('share: this client is closed');
    checkAttachmentCount(this.thread.end.counters.attachments());
    return makeHandle(this.thread, this.config, versions);
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
    const rolesClose = this.roles.close(closeTimeoutMs);
    // Without any the client counts as closed when this is called, not a little later.
    if (rolesClose !== null) await rolesClose;
    this.#isClosed = true;
    if (this.#lossError === null && this.inFlight.size > 0)
      await this.#poller.untilSettled(this.inFlight, this.config.closeTimeoutMs);
    this.#adapter.close();
    this.#failAll(new Cancelled('the client was closed'));
    this.#poller.close();
    this.#tellEnd();
    await this.thread.close();
  }

  /** Somebody still waits for what is under way, even if nobody holds the client any more. */
  #endIfDropped(): void {
    if (!this.#isDropped || this.#isClosed || this.#isBusy) return;
    this.#log.write(
      'warn',
      { event: 'client-dropped' },
      'a KafkaClient was dropped without close(): its network thread, or its part in one, is ended; close every client, or keep it',
    );
    void this.close();
  }

  /** Asks for a lane that nobody has asked for yet. Returns why nothing can be sent there now. */
  #openLane(nodeId: number, lane: string): Error {
    const ended = this.#whyEnded(nodeId);
    if (ended !== null) return ended;
    const refusal = this.nodes.laneRefusal(nodeId, lane);
    if (refusal instanceof NodeNotReadyError && !(refusal instanceof UnknownBrokerIdError))
      this.proxy.connectLane(nodeId, lane);
    return refusal;
  }

  #whyEnded(nodeId: number): Error | null {
    if (this.#lossError !== null) return this.#lossError;
    return this.#isClosed ? new NodeNotReadyError('the client is closed', { nodeId, retriable: false }) : null;
  }

  #whyNotSend(nodeId: number): Error | null {
    const ended = this.#whyEnded(nodeId);
    if (ended !== null) return ended;
    const refusal = this.nodes.refusal(nodeId);
    if (refusal !== null && this.nodes.canConnect(nodeId)) this.proxy.connect(nodeId);
    return refusal;
  }

  #endError(): Error {
    return this.#lossError ?? new Cancelled('the client is closed');
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
    return this.inFlight.size > 0 || this.#callsUnderWay > 0;
  }

  #updateReference(): void {
    if (this.#isBusy || this.#isRestDue) return;
    // Not before the code that got the last response could send again, because then the process has to stay alive.
    this.#isRestDue = true;
    process.nextTick(this.#rest);
  }

  #failAll(error: Error, nodeId?: number): void {
    for (const { future } of this.inFlight.takeAll(nodeId)) fail(future, error);
    this.#updateReference();
  }

  #onLost(error: Error): void {
    // Closed in order by another thread: what it had for this one is in the link.
    if (error instanceof Cancelled) this.#adapter.drain();
    else this.#log.write('error', { event: 'network-thread-lost', err: error }, error.message);
    this.#lossError = error;
    this.#isClosed = true;
    this.#adapter.close();
    this.#failAll(error);
    this.#poller.close();
    this.roles.onThreadLost(error);
    this.#tellEnd();
  }
}
