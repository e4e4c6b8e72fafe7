// Owns the wiring of the network thread: which part gets which other part. Network thread. A unit test runs the same wiring
// with a fake clock, resolver and transport. Must not hold behaviour of its own.

import type { ClientMemory } from '../common/client-memory.ts';
import type { KafkaClientConfig } from '../common/config/config.ts';
import { usesSasl } from '../common/config/sasl-config.ts';
import type { Control } from '../common/control.ts';
import { Cancelled } from '../common/errors/errors.ts';
import type { LogBatch } from '../common/logger.ts';
import type { AskForToken } from '../common/token-provider.ts';
import type { NetworkHandle } from '../ring/attachment.ts';
import { Doorbell } from '../ring/doorbell.ts';
import type { ClientMetricsMemory } from '../state/api-metrics.ts';
import { CountersWriter, STATE_CLOSED, STATE_RUNNING } from '../state/counters.ts';
import { ApplicationRequests, type Codecs } from './client/application-requests.ts';
import { Connections } from './client/connections.ts';
import { Connector } from './client/connector.ts';
import { FinalizedFeatures } from './client/finalized-features.ts';
import { Metadata } from './client/metadata.ts';
import { MetadataView } from './client/metadata-view.ts';
import { NetworkClient } from './client/network-client.ts';
import type { Node } from './client/node.ts';
import { NodeRequests } from './client/node-requests.ts';
import { Nodes } from './client/nodes.ts';
import { Readiness } from './client/readiness.ts';
import type { RequestMemory } from './client/request-memory.ts';
import { RequestSender } from './client/request-sender.ts';
import type { RoleHost } from './client/role.ts';
import { AttachmentControl, type ControlParts } from './control.ts';
import { IdleMemory } from './idle-memory.ts';
import { LazyAdmin } from './lazy-admin.ts';
import { type Attachment, Attachments } from './link/attachments.ts';
import { BlockedThreads } from './link/blocked-threads.ts';
import { RequestAdapter } from './link/request-adapter.ts';
import { Scopes } from './link/scopes.ts';
import { memoryReport } from './memory-report.ts';
import { FrameMemory } from './net/frame-memory.ts';
import type { Resolve } from './net/resolver.ts';
import { Selector } from './net/selector.ts';
import type { OpenTransport } from './net/transport.ts';
import { PollLoop } from './poll-loop.ts';
import type { Compressor } from './producer/batch-packer.ts';
import { Events } from './report/events.ts';
import { Log } from './report/log.ts';
import { Metrics } from './report/metrics-recorder.ts';
import { CodecPool } from './requests/codec-pool.ts';
import type { StartCodecThreads } from './requests/codec-threads.ts';
import type { ResponseHost } from './requests/request-owner.ts';
import { LazyConsumers, LazyProducers, LazyTelemetry, type RoleCode } from './role-code.ts';
import { Roles } from './roles.ts';
import type { Authenticator } from './sasl/authenticator.ts';

/** Everything that the network thread needs from outside. */
export interface Surroundings {
  /** ms, monotonic, the same origin on all threads. */
  readonly clock: () => number;
  /** ms since the epoch. */
  readonly wallClock: () => number;
  /** Runs `work` when the current callback has returned. `work` never throws. */
  readonly defer: (work: () => void) => void;
  /** Returns a number from 0 up to, but not including, 1. */
  readonly random: () => number;
  readonly resolve: Resolve;
  readonly openTransport: OpenTransport;
  /** Throws KafkaConfigurationError when connections cannot be opened as configured; default: they can. */
  readonly prepareTransport?: () => void;
  /** Code that not every client needs. */
  readonly code: RoleCode;
  /** Default: the codecs of this thread. */
  readonly codecs?: Codecs;
  /** Loads the code that gets tokens for OAUTHBEARER. */
  readonly loadTokenSource: () => Promise<AskForToken>;
  /** Makes the id of a new group member. */
  readonly newMemberId: () => string;
  /** Default: starts the threads of the codec pool. */
  readonly startCodecThreads?: StartCodecThreads;
  /** Sends log records to the application. `logTaken` is called when the application has them. */
  readonly postLog: (batch: LogBatch) => void;
  /** Called with an error after which the thread cannot go on. */
  readonly onFatal: (error: unknown) => void;
}

/** Shared memory of the thread as a whole. */
export interface NetworkThreadMemory {
  readonly counters: SharedArrayBuffer;
  readonly doorbell: SharedArrayBuffer;
  /** Null: no metrics are recorded. */
  readonly metrics: ClientMetricsMemory | null;
  /** Whether somebody listens on the diagnostics channels; default: nobody. */
  readonly isObserved?: boolean;
  /** Node's number of the thread that started this one; default: the main thread. */
  readonly threadId?: number;
}

export class NetworkThread {
  readonly loop: PollLoop;
  /** Producers, consumers and the administration calls. The poll loop calls them in every round. */
  readonly roles: Roles;
  readonly roleHost: RoleHost;
  readonly #producers: LazyProducers;
  readonly #consumers: LazyConsumers;
  readonly #scopes: Scopes;
  /** Called when an attachment was detached because its shared memory holds an impossible value. */
  onBroken: (attachment: Attachment, error: Error) => void = () => {};
  readonly #config: KafkaClientConfig;
  readonly #surroundings: Surroundings;
  readonly #attachments: Attachments;
  readonly #metadata: Metadata;
  readonly #cluster: MetadataView;
  readonly #readiness: Readiness;
  readonly #pool: CodecPool;
  readonly #client: NetworkClient;
  readonly #requests: ApplicationRequests;
  readonly #connections: Connections;
  readonly #counters: CountersWriter;
  readonly #authenticator: Authenticator | null;
  readonly #log: Log;
  readonly #blocked: BlockedThreads;
  readonly #threadId: number;
  readonly #responseHost: ResponseHost = {
    onClusterHints: (hints) => {
      this.#client.onClusterHints(hints);
      this.#cluster.take(hints);
    },
    onPooledThrottle: (...args) => this.#client.onPooledThrottle(...args),
    onPooledFailure: (...args) => this.#client.onPooledFailure(...args),
  };
  readonly #admin: LazyAdmin;
  readonly #memoryReport: () => ClientMemory;
  #isClosed = false;

  constructor(config: KafkaClientConfig, memory: NetworkThreadMemory, surroundings: Surroundings) {
    const { clock, random, newMemberId, code, codecs } = surroundings;
    const metrics = new Metrics(memory.metrics, clock());
    this.#threadId = memory.threadId ?? 0;
    this.#log = new Log(config.logLevel, surroundings.postLog);
    this.#log.observe(memory.isObserved ?? false);
    const events = new Events(metrics, this.#log);
    const wake = (): void => this.loop.wake();
    const wakeClient = (): void => this.loop.wakeClient();
    this.#config = config;
    this.#surroundings = surroundings;
    this.#counters = new CountersWriter(memory.counters);
    this.#pool = new CodecPool(config.codecPoolThreads, wake, surroundings.startCodecThreads, (cause) =>
      events.codecPoolUnusable(cause),
    );
    this.#blocked = new BlockedThreads(config.blockedThreadWarnMs, events);
    this.#attachments = new Attachments(config, this.#pool, this.#responseHost, metrics, this.#blocked);
    this.#attachments.onBroken = (attachment, error) => {
      events.attachmentBroken(error);
      // Null: only the link of a producer or consumer was broken, and that link has ended.
      if (attachment === null) return;
      this.detach(attachment);
      this.onBroken(attachment, error);
    };
    const nodes = new Nodes(config, { counters: this.#counters, metrics }, random);
    const frames = new FrameMemory(undefined, config.receiveBudgetBytes);
    this.#pool.onFrameMemory = (memory) => frames.keep(memory);
    const maxSendBytes = config.requestRingBytes + config.spillBudgetBytes;
    const selector = new Selector(surroundings.openTransport, wakeClient, frames, maxSendBytes);
    const connector = new Connector(selector, surroundings.resolve, wakeClient, config.receiveMessageMaxBytes, events);
    const features = new FinalizedFeatures();
    this.#metadata = this.#newMetadata(events, features);
    const metadata = this.#metadata;
    this.#cluster = new MetadataView(metadata, wakeClient);
    this.#readiness = new Readiness(nodes, (node, now) => this.#client.connectNode(node, now), clock, wake);
    this.#connections = new Connections({ config, nodes, connector, metadata, events, listener: this.#readiness });
    const connections = this.#connections;
    const sender = new RequestSender(config, this.#pool, events.requests, selector.sends);
    this.#authenticator = this.#newAuthenticator(sender);
    const authenticator = this.#authenticator;
    const common = { config, nodes, connections, sender, features };
    this.#client = new NetworkClient({ ...common, selector, connector, metadata, events, authenticator });
    const connect = (node: Node | undefined, now: number): void => this.#client.connectNode(node, now);
    this.#requests = new ApplicationRequests({ ...common, connect, wake, codecs });
    const requests = new NodeRequests({ ...common, hints: this.#responseHost, connect, wake });
    this.roles = new Roles(requests, (error) => events.roleFailed(error));
    this.roleHost = { requests, cluster: this.#cluster, wake, random, wallClock: surroundings.wallClock };
    const { roleHost: host, roles } = this;
    const open = (): number => nodes.openScope();
    this.#scopes = new Scopes({ host, requests, open, close: (scope) => connections.closeScope(scope, clock()) });
    const { linkBroken: onBroken } = this.#attachments;
    const pushing = this.#newPushing(metrics, nodes);
    const shared = { scopes: this.#scopes, roles, log: this.#log, blocked: this.#blocked, onBroken, pushing };
    const compressor = compressorOf(this.#pool, config);
    this.#producers = new LazyProducers(code.producers, { ...shared, clock, compressor });
    this.#consumers = new LazyConsumers(code.consumers, { ...shared, config, clock, pool: this.#pool, newMemberId });
    this.#admin = new LazyAdmin({ config, host, roles, clock });
    this.#memoryReport = () => this.#reportMemory(config, selector, sender.memory);
    const reused = [frames, sender.memory, this.#attachments, this.#producers, this.#consumers];
    this.loop = this.#newLoop(new Doorbell(memory.doorbell), metrics, new IdleMemory(reused));
    this.#counters.setState(STATE_RUNNING);
  }

  /** Must be called when the application has the log records of the last batch. */
  logTaken(): void {
    this.#log.taken();
  }

  /**
   * Adds an attachment. The first one belongs to the thread that started the client.
   * @throws Cancelled when the network thread is closed; TooManyOpenError when there are too many
   */
  attach(handle: NetworkHandle): Attachment {
    if (this.#isClosed) throw new Cancelled('the client was closed');
    const attachment = this.#attachments.add(handle, this.#threadId);
    this.#counters.setAttachments(this.#attachments.all.length);
    this.loop.wake();
    return attachment;
  }

  /** Called when the attachment's thread has ended or has closed its client. Frees everything that the attachment owned; late responses are discarded. */
  detach(attachment: Attachment): void {
    if (attachment.isClosed) return;
    this.#attachments.remove(attachment);
    this.#counters.setAttachments(this.#attachments.all.length);
    this.#requests.forget(attachment.responses, new Cancelled('the thread has ended'), this.#surroundings.clock());
    this.#metadata.tracked.forget(attachment);
    this.#producers.ownerGone(attachment);
    this.#consumers.ownerGone(attachment);
    this.#scopes.attachmentGone(attachment);
    this.loop.wake();
  }

  /** The control calls of an attachment. */
  controlOf(attachment: Attachment): Control {
    return new AttachmentControl(this.#controlParts, {
      owner: attachment,
      close: async () => (attachment.isOwner ? this.close() : this.detach(attachment)),
      isClosed: () => this.#isClosed || attachment.isClosed,
    });
  }

  /** Ends everything. Requests and waits fail with Cancelled. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const error = new Cancelled('the client was closed');
    const now = this.#surroundings.clock();
    this.loop.close();
    this.#admin.close();
    this.#producers.close();
    this.#consumers.close();
    this.#readiness.close(error);
    this.#client.close(error, now);
    const poolClosed = this.#pool.close(error, now);
    this.#attachments.flush(now);
    this.#attachments.notify();
    this.#log.close();
    this.#counters.setState(STATE_CLOSED);
    await poolClosed;
  }

  get #controlParts(): ControlParts {
    return {
      config: this.#config,
      metadata: this.#metadata,
      readiness: this.#readiness,
      authenticator: this.#authenticator,
      admin: (...call) => this.#admin.run(...call),
      clock: this.#surroundings.clock,
      wake: () => this.loop.wake(),
      producers: this.#producers,
      consumers: this.#consumers,
      memory: () => this.#memoryReport(),
      scopes: this.#scopes,
      log: this.#log,
      prepareTransport: this.#surroundings.prepareTransport ?? (() => {}),
    };
  }

  #reportMemory(config: KafkaClientConfig, selector: Selector, requestMemory: RequestMemory): ClientMemory {
    const own = { attachments: this.#attachments, producers: this.#producers, consumers: this.#consumers };
    return memoryReport({ ...own, config, selector, pool: this.#pool, requestMemory });
  }

  #newLoop(doorbell: Doorbell, metrics: Metrics, idleMemory: IdleMemory): PollLoop {
    const { clock, wallClock, defer, onFatal } = this.#surroundings;
    return new PollLoop({
      attachments: this.#attachments,
      blocked: this.#blocked,
      requests: this.#requests,
      adapter: new RequestAdapter(this.#attachments, this.#requests, this.#client, this.#connections, metrics),
      client: this.#client,
      connections: this.#connections,
      readiness: this.#readiness,
      roles: this.roles,
      pool: this.#pool,
      idleMemory,
      doorbell,
      counters: this.#counters,
      metrics,
      log: this.#log,
      clock,
      wallClock,
      defer,
      onFatal,
    });
  }

  #newPushing(metrics: Metrics, nodes: Nodes): LazyTelemetry {
    return new LazyTelemetry(this.#surroundings.code.telemetry, {
      host: this.roleHost,
      metrics,
      nodes: () => nodes.all(),
      nodeCapacity: this.#counters.nodeCapacity,
      log: this.#log,
      requestTimeoutMs: this.#config.requestTimeoutMs,
    });
  }

  #newMetadata(events: Events, features: FinalizedFeatures): Metadata {
    return new Metadata(
      this.#config,
      {
        onMetadata: (update, brokers, now) => {
          events.metadataRefreshed();
          this.#connections.updateNodes(brokers, now);
          this.#attachments.onMetadata(update);
          this.#cluster.update(update, now);
        },
        onMetadataFailed: (error, now) => events.metadataFailed(error, now),
        onRepeatedPartition: (...what) => events.partitionRepeated(...what),
        onTopicFault: (...fault) => events.topicFault(...fault),
        onClusterChanged: (...change) => {
          features.clear();
          this.#connections.clusterChanged(...change);
        },
        onStartOver: (reason, now) => this.#connections.startOver(reason, now),
      },
      this.#surroundings.random,
    );
  }

  #newAuthenticator(sender: RequestSender): Authenticator | null {
    const config = this.#config;
    if (!usesSasl(config)) return null;
    const { code, loadTokenSource, random } = this.#surroundings;
    const { Authenticator } = code;
    if (Authenticator === null)
      throw new Error('the code of logins was not loaded, although the configuration needs it');
    const wake = (): void => this.loop.wake();
    const onLoggedIn = (node: Node, now: number): void => this.#client.onLoggedIn(node, now);
    return new Authenticator({
      config,
      loadTokenSource,
      connections: this.#connections,
      onLoggedIn,
      sender,
      wake,
      random,
    });
  }
}

/** Compresses big batches in the codec pool. Null: there is no pool. */
function compressorOf(pool: CodecPool, { codecPoolThresholdBytes }: KafkaClientConfig): Compressor | null {
  if (!pool.isEnabled) return null;
  return {
    takes: (byteCount) => byteCount > codecPoolThresholdBytes,
    compress: ({ codec, level }, bytes, done) =>
      pool.compress({ kind: 'compress', codec, level, bytes }, (outcome, now) =>
        done(outcome instanceof Error ? outcome : new Uint8Array(outcome.buffer), now),
      ),
  };
}
