// Owns the policy of the network thread: which node gets a connection, which version a request uses, which response
// belongs to which request, and what a lost connection means. Network thread. Must not touch sockets (selector.ts),
// shared memory (response-proxy.ts) or a clock: `now` is ms on the monotonic clock.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { CorrelationIdError } from '../../common/errors/errors.ts';
import type { FlatMessage } from '../../protocol/flat/flat-view.ts';
import type { ClusterHints } from '../../protocol/flat/leader-hints.ts';
import type { WireCodec } from '../../protocol/wire/codecs.ts';
import { decodeResponseHeader } from '../../protocol/wire/header.ts';
import { WireReader } from '../../protocol/wire/wire-reader.ts';
import { type Channel, ChannelState } from '../net/channel.ts';
import type { Selector } from '../net/selector.ts';
import type { Events } from '../report/events.ts';
import type { Metrics } from '../report/metrics-recorder.ts';
import { type InFlightRequest, notDelivered, type RequestOwner, type ResponseHost } from '../requests/request-owner.ts';
import { isThrottledByClient } from './api-versions.ts';
import type { Connections } from './connections.ts';
import type { Connector } from './connector.ts';
import type { FinalizedFeatures } from './finalized-features.ts';
import { Handshake, type HandshakeHost, type HandshakeOptions, handshakeOptions } from './handshake.ts';
import type { Metadata } from './metadata.ts';
import { metadataCodec, metadataVersion } from './metadata-source.ts';
import type { Node } from './node.ts';
import { whyNotSend } from './node-refusal.ts';
import type { Nodes } from './nodes.ts';
import { probeGraceMs } from './probe-grace.ts';
import { refusedEverywhere } from './refused-everywhere.ts';
import type { RequestSender } from './request-sender.ts';
import { isAnsweredByZero, unrecognized, whoIsThere, withNode } from './unexpected-answers.ts';

/** Logs connections in, between the version exchange and the ready state. */
export interface ConnectionAuthenticator {
  begin(node: Node): void;
  /** Handles the answers of mechanisms. Returns how many there were. */
  poll(now: number): number;
}

export interface NetworkClientParts {
  readonly config: KafkaClientConfig;
  readonly nodes: Nodes;
  readonly selector: Selector;
  readonly connector: Connector;
  readonly metadata: Metadata;
  readonly connections: Connections;
  readonly events: Events;
  readonly sender: RequestSender;
  readonly features: FinalizedFeatures;
  /** Null if connections need no login. */
  readonly authenticator: ConnectionAuthenticator | null;
}

export class NetworkClient implements HandshakeHost, ResponseHost {
  readonly #config: KafkaClientConfig;
  readonly #nodes: Nodes;
  readonly #selector: Selector;
  readonly #connector: Connector;
  readonly #metadata: Metadata;
  readonly #connections: Connections;
  readonly #features: FinalizedFeatures;
  readonly #handshakeOptions: HandshakeOptions;
  readonly #events: Events;
  readonly #authenticator: ConnectionAuthenticator | null;
  readonly #reader = new WireReader();
  readonly #sender: RequestSender;

  constructor(parts: NetworkClientParts) {
    this.#nodes = parts.nodes;
    this.#selector = parts.selector;
    this.#connector = parts.connector;
    this.#metadata = parts.metadata;
    this.#connections = parts.connections;
    this.#events = parts.events;
    this.#sender = parts.sender;
    this.#features = parts.features;
    this.#config = parts.config;
    this.#handshakeOptions = handshakeOptions(parts.config, () => parts.metadata.clusterId);
    this.#authenticator = parts.authenticator;
  }

  /** One round: refresh metadata, write, then handle what the sockets have read. Returns how much there was to do. */
  poll(now: number): number {
    let work = this.#refreshMetadata(now);
    work += this.#connector.poll(now, (node, error) => this.#connections.attemptFailed(node, error, now, 'other'));
    work += this.#authenticator?.poll(now) ?? 0;
    work += this.#selector.poll(now);
    this.#handleConnections(now);
    this.#handleReceives(now);
    this.#handleEnds(now);
    return work;
  }

  /**
   * Fails what is overdue and closes idle connections. Call it after `poll`, and after the applications were woken
   * for their responses.
   * @param readUpTo not after `now`: everything that had arrived at that time was read; what was due later is judged later
   */
  housekeep(now: number, readUpTo = now): void {
    if (readUpTo >= this.#metadata.waitsOverdueAt) this.#metadata.endOverdueWaits(readUpTo, this.#whyNotAsked(now));
    this.#connections.expire(now, readUpTo);
    this.#connections.closeLeft(now);
    this.#connections.closeIdle(now);
  }

  /** Records how many connections there are. */
  measure(metrics: Metrics): void {
    metrics.set('connectionCount', this.#selector.channels.size);
    metrics.set('mutedConnections', this.#selector.muted.size);
  }

  /** Begins a connection to the node, unless it has one, is backing off, or is unknown. */
  connect(nodeId: number, scope: number, now: number): void {
    this.connectNode(this.#nodes.get(nodeId, scope), now);
  }

  /** The same for a broker's connection in a lane; it becomes a node if it was none. */
  connectLane(brokerId: number, lane: string, scope: number, now: number): void {
    this.connectNode(this.#nodes.inLane(brokerId, lane, scope), now);
  }

  connectNode(node: Node | undefined, now: number): void {
    if (node?.canConnect(now)) this.#connector.start(node, now);
  }

  /** Every request fails with `error`, every connection is closed, waiting refreshes fail. */
  close(error: Error, now: number): void {
    for (const node of this.#nodes.connected()) {
      node.connection.closedOnPurpose();
      this.#connections.end(node, error, undefined, now);
    }
    this.#metadata.close(error);
  }

  /** Lets muted channels deliver again. Called when there is room for responses again. */
  unmuteAll(now: number): void {
    for (const channel of [...this.#selector.muted]) {
      const mutedMs = this.#selector.unmute(channel, now);
      this.#readAgain(this.#connector.nodeOf(channel), channel, mutedMs, probeGraceMs(mutedMs), now);
    }
  }

  /** This thread read no socket for so many ms, and wrote to none. It may have been longer; but peers may have given connections up. */
  wasLate(lateMs: number, now: number): void {
    const graceMs = Math.min(lateMs, this.#config.requestTimeoutMs);
    for (const node of this.#nodes.connected()) {
      node.connection.setupDeadline += lateMs;
      const { channel } = node;
      if (channel === null) continue;
      channel.oneWay.extendDeadlines(lateMs);
      // One that was not read before counts that time itself.
      if (!channel.isUnread) this.#readAgain(node, channel, lateMs, graceMs, now);
    }
    this.#metadata.wasLate(lateMs);
  }

  /** While a channel is not read, a response may wait in the kernel, so the broker may not be late. */
  #readAgain(node: Node | undefined, channel: Channel, unreadMs: number, graceMs: number, now: number): void {
    node?.inFlight.extendDeadlines(unreadMs + graceMs);
    node?.waiting.extendDeadlines(unreadMs + graceMs);
    channel.authentication?.onReadAgain(now + graceMs);
  }

  // --- ResponseHost

  onClusterHints(hints: ClusterHints): void {
    this.#metadata.learn(hints);
    // Before the first metadata, one broker that a response names must not look like the whole cluster.
    if (this.#metadata.updateId > 0) this.#nodes.learn(hints.brokers);
  }

  onPooledThrottle(request: InFlightRequest, throttleTimeMs: number, now: number): void {
    const node = this.#nodes.find(request.nodeKey);
    if (node === undefined) return;
    this.#throttle(node, request.codec.apiKey, request.version, throttleTimeMs, now);
    node.publish(now);
  }

  onPooledFailure(request: InFlightRequest, error: Error, now: number): void {
    const node = this.#nodes.find(request.nodeKey);
    // A body that cannot be decoded ends its connection, unless that connection has ended already.
    if (node?.channel === request.channel) this.#connections.lost(node, withNode(error, node.id), request, now);
  }

  // --- HandshakeHost

  onFinalizedFeatures(epoch: bigint, levels: ReadonlyMap<string, number>): void {
    this.#features.learn(epoch, levels);
  }

  transmit(
    node: Node,
    owner: RequestOwner,
    codec: WireCodec,
    version: number,
    message: FlatMessage,
    now: number,
  ): void {
    this.#sender.send(node, { owner, requestId: 0, codec, version, timeoutMs: -1, message }, now);
  }

  onHandshakeDone(node: Node, hasAnswered: boolean, now: number): void {
    const isLoggedIn = this.#authenticator === null || node.channel!.authentication !== null;
    if (isLoggedIn) this.#connections.ready(node, now, hasAnswered);
    else this.#authenticator!.begin(node);
  }

  onHandshakeFailed(node: Node, error: Error, now: number): void {
    this.#connections.attemptFailed(node, error, now, 'other');
  }

  onMisrouted(node: Node, error: Error, now: number): void {
    this.#connections.misrouted(node, error, now);
  }

  /** The login is over. */
  onLoggedIn(node: Node, now: number): void {
    if (!node.handshake!.confirmPeer(now)) this.#connections.ready(node, now, true);
  }

  // --- steps of poll

  #refreshMetadata(now: number): number {
    if (this.#metadata.ttl(now) > 0) return 0;
    if (this.#metadata.isOverdue(now)) this.#connections.startOver(this.#metadata.overdueError(), now);
    const node = this.#nodes.leastLoaded(now) ?? this.#tryForMetadata(now);
    if (node === null) {
      const refusal = this.#metadata.hasWaits ? refusedEverywhere(this.#nodes.candidates()) : null;
      if (refusal !== null) this.#metadata.giveUpWaits(refusal.at, refusal.error);
      return 0;
    }
    try {
      const { isOfControllers } = this.#metadata;
      const codec = metadataCodec(isOfControllers);
      const version = metadataVersion(node.apiVersions!, isOfControllers);
      this.transmit(node, this.#metadata, codec, version, this.#metadata.begin(version, node.isBootstrap), now);
      return 1;
    } catch (error) {
      // The node supports no Metadata version that this client knows, for example because it is a controller; it may
      // serve other requests.
      this.#metadata.cannotBegin(withNode(error, node.id), now);
      return 0;
    }
  }

  /** What keeps the first of those who may be asked from being asked. */
  #whyNotAsked(now: number): Error | null {
    const [node] = this.#nodes.candidates();
    return node === undefined ? null : whyNotSend(node, node.id, this.#config.maxInFlightRequestsPerConnection, now);
  }

  /** No ready node has room for the request: another one is tried, or the place kept for it is used. */
  #tryForMetadata(now: number): Node | null {
    const kept = this.#nodes.keptPlace(now);
    if (kept !== undefined && kept.at <= now) return kept.node;
    const next = this.#nodes.nextAttempt(now);
    if (next !== undefined && next.at <= now) this.#connector.start(next.node, now);
    return null;
  }

  #handleConnections(now: number): void {
    for (const channel of this.#selector.connected) {
      const node = this.#connector.nodeOf(channel);
      if (node === undefined) continue;
      channel.state = ChannelState.API_VERSIONS;
      try {
        node.handshake = new Handshake(this, node, this.#handshakeOptions);
        node.handshake.start(now);
      } catch (error) {
        this.#connections.attemptFailed(node, withNode(error, node.id), now, 'other');
      }
    }
  }

  #handleReceives(now: number): void {
    for (const channel of this.#selector.receivable) {
      const node = this.#connector.nodeOf(channel);
      node?.publishHeldBack();
      if (node === undefined || channel.isMuted) continue;
      let culprit: InFlightRequest | undefined;
      try {
        while (!channel.isMuted && node.channel === channel) {
          // Responses come in order, so a bad length belongs to the oldest request too.
          culprit = node.inFlight.oldest;
          if (!channel.received.hasFrame()) break;
          this.#handleFrame(node, channel, culprit, now);
        }
        if (node.channel !== channel) continue;
        channel.resumeReading();
        const starvedMs = channel.noteStarved(now);
        if (starvedMs > 0) this.#readAgain(node, channel, starvedMs, probeGraceMs(starvedMs), now);
      } catch (error) {
        // A broken frame, or a fault of this client: only this connection is lost.
        this.#connections.lost(node, withNode(error, node.id), culprit, now);
      }
    }
  }

  #handleFrame(node: Node, channel: Channel, request: InFlightRequest | undefined, now: number): void {
    const { received } = channel;
    if (channel.isBare) {
      const token = Buffer.from(received.frame.subarray(received.frameStart, received.frameEnd));
      received.consumeFrame();
      channel.authentication!.onBareToken(token);
      return;
    }
    if (request === undefined) {
      throw new CorrelationIdError(
        `a response of ${received.frameEnd - received.frameStart} bytes arrived while no request was waiting`,
        { nodeId: node.id },
      );
    }
    const { codec, version } = request;
    const frameBytes = received.frameEnd - received.frameStart + 4;
    const reader = this.#reader.reset(received.frame, received.frameStart, received.frameEnd);
    reader.describe(codec.name, codec.apiKey, version);
    const correlationId = decodeResponseHeader(reader, codec.responseHeaderVersion(version));
    if (correlationId !== request.correlationId && !isAnsweredByZero(request, correlationId, node)) {
      if (node.handshake?.isOvertaken(request, correlationId)) {
        node.inFlight.shift();
        return;
      }
      throw new CorrelationIdError(
        `response with correlation id ${correlationId}, expected ${request.correlationId} (${codec.name})${node.isReady ? '' : whoIsThere(correlationId, request)}`,
        {
          nodeId: node.id,
          apiKey: codec.apiKey,
          correlationId,
        },
      );
    }
    // Before anybody can see the response: whoever does may send the next request at once.
    node.publishInFlight(node.inFlight.size - 1);
    const throttleTimeMs = request.owner.onResponse(request, reader, now);
    if (throttleTimeMs === notDelivered) {
      node.publishInFlight(node.inFlight.size);
      this.#selector.mute(channel, now);
      return;
    }
    // The owner may have ended this connection, and then all its requests are settled.
    if (node.channel !== channel) return;
    this.#events.requests.answered(node, request, frameBytes, now);
    received.consumeFrame();
    node.inFlight.shift();
    // A repeated login does not keep an idle connection open.
    if (!isLogin(request.owner, channel)) node.lastActiveAt = now;
    if (node.connection.failures > 0 && node.isReady) node.connection.succeeded();
    this.#throttle(node, codec.apiKey, version, throttleTimeMs, now);
    node.publish(now);
  }

  #throttle(node: Node, apiKey: number, version: number, throttleTimeMs: number, now: number): void {
    if (throttleTimeMs <= 0) return;
    this.#events.throttled(node, throttleTimeMs, now);
    if (!isThrottledByClient(apiKey, version)) return;
    const longerMs = node.connection.throttle(throttleTimeMs, now);
    if (longerMs <= 0) return;
    node.inFlight.extendForThrottle(longerMs);
    node.waiting.extendForThrottle(longerMs);
  }

  #handleEnds(now: number): void {
    for (const channel of this.#selector.ended) {
      const node = this.#connector.nodeOf(channel);
      // While the channel is muted, its complete frames have to be delivered first.
      if (node === undefined || channel.isMuted) continue;
      const error = channel.describeEnd();
      if (channel.isReady) this.#connections.lost(node, error, undefined, now);
      else if (channel.mayHaveBeenAnswered) this.#droppedWhenAsked(node, error, now);
      else this.#connections.attemptFailed(node, error, now, 'other');
    }
  }

  /**
   * Old brokers close the connection on a request that they do not know. The next connection asks for something
   * older.
   */
  #droppedWhenAsked(node: Node, error: Error, now: number): void {
    const isNewestRefused = node.probe.step === 'newest';
    if (node.probe.dropped(now)) {
      // That is no failure: it answered the question.
      this.#connections.end(node, error, undefined, now);
      this.#connector.start(node, now);
      return;
    }
    const isHopeless = node.probe.isExhausted;
    const end = isNewestRefused ? 'version refusal' : 'other';
    this.#connections.attemptFailed(node, isHopeless ? unrecognized(node, error) : error, now, end);
  }
}

/** A repeated login does not count as use of the connection. */
function isLogin(owner: object, { authentication }: Channel): boolean {
  return owner === authentication;
}
