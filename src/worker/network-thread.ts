// Owns the wiring of the network thread: which part gets which other part. Network thread; whole in a unit test too,
// with a fake clock, resolver and transport. Must not hold behaviour of its own.

import type { KafkaClientConfig } from '../common/config/config.ts';
import { usesSasl } from '../common/config/sasl-config.ts';
import type { Control, ControlResult, VersionInfo } from '../common/control.ts';
import { Cancelled } from '../common/errors/errors.ts';
import { toPlainError } from '../common/errors/plain-error.ts';
import type { LogBatch } from '../common/logger.ts';
import type { AskForToken } from '../common/token-provider.ts';
import type { NetworkHandle } from '../ring/attachment.ts';
import { Doorbell } from '../ring/doorbell.ts';
import { CountersWriter, STATE_CLOSED, STATE_RUNNING } from '../state/counters.ts';
import { type BrokerVersion, matchVersion, rangesOfVersion } from './client/broker-versions.ts';
import { Connections } from './client/connections.ts';
import { Connector } from './client/connector.ts';
import { Metadata } from './client/metadata.ts';
import { NetworkClient } from './client/network-client.ts';
import type { Node } from './client/node.ts';
import { Nodes } from './client/nodes.ts';
import { Readiness } from './client/readiness.ts';
import { RequestSender } from './client/request-sender.ts';
import { Attachments } from './link/attachments.ts';
import { RequestAdapter } from './link/request-adapter.ts';
import type { Resolve } from './net/resolver.ts';
import { Selector } from './net/selector.ts';
import type { OpenTransport } from './net/transport.ts';
import { PollLoop } from './poll-loop.ts';
import { Events } from './report/events.ts';
import { Log } from './report/log.ts';
import { Metrics } from './report/metrics-recorder.ts';
import { CodecPool, type StartCodecThreads } from './requests/codec-pool.ts';
import type { ResponseHost } from './requests/request-owner.ts';
import { Authenticator } from './sasl/authenticator.ts';

/** The world outside, as far as the network thread needs it. */
export interface Surroundings {
  /** ms, monotonic, the same origin on all threads. */
  readonly clock: () => number;
  /** ms since the epoch. */
  readonly wallClock: () => number;
  /** Runs `work`, which never throws, when the callback under way has returned. */
  readonly defer: (work: () => void) => void;
  /** 0 to 1. */
  readonly random: () => number;
  readonly resolve: Resolve;
  readonly openTransport: OpenTransport;
  /** Loads what asks for tokens, for OAUTHBEARER. */
  readonly loadTokenSource: () => Promise<AskForToken>;
  /** Default: those of the codec pool. */
  readonly startCodecThreads?: StartCodecThreads;
  /** Carries log records to the application; `logTaken` says when it has them. */
  readonly postLog: (batch: LogBatch) => void;
  /** The thread cannot go on. */
  readonly onFatal: (error: unknown) => void;
}

/** Shared memory of the thread as a whole. */
export interface NetworkThreadMemory {
  readonly counters: SharedArrayBuffer;
  readonly doorbell: SharedArrayBuffer;
  /** Null: nothing is recorded. */
  readonly metrics: SharedArrayBuffer | null;
}

export class NetworkThread implements Control {
  readonly loop: PollLoop;
  readonly #config: KafkaClientConfig;
  readonly #attachments: Attachments;
  readonly #metadata: Metadata;
  readonly #readiness: Readiness;
  readonly #pool: CodecPool;
  readonly #client: NetworkClient;
  readonly #connections: Connections;
  readonly #counters: CountersWriter;
  readonly #authenticator: Authenticator | null;
  readonly #clock: () => number;
  readonly #log: Log;
  #isClosed = false;

  constructor(config: KafkaClientConfig, memory: NetworkThreadMemory, surroundings: Surroundings) {
    const { clock, random } = surroundings;
    const metrics = new Metrics(memory.metrics, clock());
    this.#log = new Log(config.logLevel, surroundings.postLog);
    const events = new Events(metrics, this.#log);
    const wake = (): void => this.loop.wake();
    this.#config = config;
    this.#clock = clock;
    this.#counters = new CountersWriter(memory.counters);
    this.#pool = new CodecPool(config.codecPoolThreads, wake, surroundings.startCodecThreads);
    this.#attachments = new Attachments(config, this.#pool, this.#newResponseHost(), metrics);
    const nodes = new Nodes(config, { counters: this.#counters, metrics }, random);
    const selector = new Selector(surroundings.openTransport, wake);
    const connector = new Connector(selector, surroundings.resolve, wake, config.receiveMessageMaxBytes);
    this.#metadata = new Metadata(
      config,
      {
        onMetadata: (update, brokers, now) => {
          events.metadataRefreshed();
          this.#connections.updateNodes(brokers, now);
          this.#attachments.onMetadata(update);
        },
        onMetadataFailed: (error, now) => events.metadataFailed(error, now),
        onRepeatedPartition: (...what) => events.partitionRepeated(...what),
        onClusterChanged: (...change) => this.#connections.clusterChanged(...change),
        onStartOver: (reason, now) => this.#connections.startOver(reason, now),
      },
      random,
    );
    this.#readiness = new Readiness(nodes, (nodeId, now) => this.#client.connect(nodeId, now), clock, wake);
    const metadata = this.#metadata;
    this.#connections = new Connections({ config, nodes, connector, metadata, events, listener: this.#readiness });
    const sender = new RequestSender(config, this.#pool, metrics);
    this.#authenticator = this.#newAuthenticator(sender, surroundings);
    this.#client = new NetworkClient({
      config,
      nodes,
      selector,
      connector,
      metadata,
      connections: this.#connections,
      events,
      sender,
      authenticator: this.#authenticator,
    });
    this.loop = new PollLoop({
      attachments: this.#attachments,
      requests: new RequestAdapter(this.#attachments, this.#client, this.#connections, metrics),
      client: this.#client,
      connections: this.#connections,
      readiness: this.#readiness,
      pool: this.#pool,
      doorbell: new Doorbell(memory.doorbell),
      counters: this.#counters,
      metrics,
      log: this.#log,
      clock,
      wallClock: surroundings.wallClock,
      defer: surroundings.defer,
      onFatal: surroundings.onFatal,
    });
    this.#counters.setState(STATE_RUNNING);
  }

  #newResponseHost(): ResponseHost {
    return {
      onClusterHints: (...args) => this.#client.onClusterHints(...args),
      onPooledThrottle: (...args) => this.#client.onPooledThrottle(...args),
      onPooledFailure: (...args) => this.#client.onPooledFailure(...args),
    };
  }

  /** The application has the log records of the last batch. */
  logTaken(): void {
    this.#log.taken();
  }

  attach(handle: NetworkHandle): void {
    this.#attachments.add(handle);
    this.loop.wake();
  }

  /** @param prepareTransport throws KafkaConfigurationError when connections cannot be opened as configured */
  async start(prepareTransport: () => void = () => {}): ReturnType<Control['start']> {
    return settle(async () => {
      prepareTransport();
      const { apiVersion, connectionSetupTimeoutMs } = this.#config;
      await this.#authenticator?.ready(connectionSetupTimeoutMs);
      if (apiVersion !== null) return infoOf(matchVersion(apiVersion));
      const startedAt = this.#clock();
      const { apiVersionAutoTimeoutMs } = this.#config;
      const info = await this.#readiness.start(apiVersionAutoTimeoutMs);
      await this.#firstMetadata(startedAt + apiVersionAutoTimeoutMs);
      return info;
    });
  }

  async awaitReady(nodeId: number, timeoutMs: number): ReturnType<Control['awaitReady']> {
    return settle(() => this.#readiness.awaitReady(nodeId, timeoutMs));
  }

  async checkVersion(nodeId: number | null, timeoutMs: number, isStrict: boolean): ReturnType<Control['checkVersion']> {
    return settle(() => this.#readiness.checkVersion(nodeId, timeoutMs, isStrict));
  }

  async trackTopics(topics: readonly string[], needsAllTopics: boolean): ReturnType<Control['trackTopics']> {
    return settle(() => {
      this.#metadata.setTopics(topics, needsAllTopics);
      return null;
    });
  }

  async addTopics(topics: readonly string[], needsAllTopics: boolean): ReturnType<Control['addTopics']> {
    return settle(() => {
      this.#metadata.addTopics(topics, needsAllTopics);
      const updated = this.#metadata.refresh();
      this.loop.wake();
      return updated;
    });
  }

  async refreshMetadata(
    topics: readonly string[] | null,
    needsAllTopics: boolean,
  ): ReturnType<Control['refreshMetadata']> {
    return settle(() => {
      if (topics !== null) this.#metadata.setTopics(topics, needsAllTopics);
      const updated = this.#metadata.refresh();
      this.loop.wake();
      return updated;
    });
  }

  async close(): ReturnType<Control['close']> {
    return settle(async () => {
      if (this.#isClosed) return null;
      this.#isClosed = true;
      const error = new Cancelled('the client was closed');
      const now = this.#clock();
      this.loop.close();
      this.#readiness.close(error);
      this.#client.close(error, now);
      const poolClosed = this.#pool.close(error, now);
      this.#attachments.flush(now);
      this.#attachments.notify();
      this.#log.close();
      this.#counters.setState(STATE_CLOSED);
      await poolClosed;
      return null;
    });
  }

  #newAuthenticator(sender: RequestSender, { loadTokenSource, random }: Surroundings): Authenticator | null {
    const config = this.#config;
    if (!usesSasl(config)) return null;
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

  /** A client that has started knows the cluster; one that cannot learn it in time starts all the same and goes on trying. */
  async #firstMetadata(deadline: number): Promise<void> {
    while (this.#metadata.updateId === 0 && !this.#isClosed && this.#clock() < deadline) {
      const ended = this.#metadata.nextEnd();
      let timer: NodeJS.Timeout | undefined;
      const timeLeft = deadline - this.#clock();
      await Promise.race([ended, new Promise<void>((resolve) => (timer = setTimeout(resolve, timeLeft)))]);
      clearTimeout(timer);
    }
  }
}

function infoOf(version: BrokerVersion): VersionInfo {
  const ranges = rangesOfVersion(version);
  return { apiVersion: version, apiVersions: [...ranges].map(([apiKey, { min, max }]) => [apiKey, min, max] as const) };
}

async function settle<T>(work: () => T | Promise<T>): Promise<ControlResult<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: toPlainError(error) };
  }
}
