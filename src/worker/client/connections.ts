// Owns how connections end: by failure, loss, timeout, idleness or on purpose. One function settles a connection's
// requests, so that each is settled once. Network thread. Must not decide what to send, nor read a clock: `now` is an
// argument.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import {
  Cancelled,
  KafkaConnectionError,
  KafkaProtocolError,
  RequestTimedOutError,
} from '../../common/errors/errors.ts';
import { mainLane, nodeKey, sharedScope } from '../../common/node-ids.ts';
import { wireCodec } from '../../protocol/wire/codecs.ts';
import type { Events } from '../report/events.ts';
import type { InFlightRequest } from '../requests/request-owner.ts';
import type { AttemptEnd } from './connection-states.ts';
import type { Connector } from './connector.ts';
import type { Broker, Metadata } from './metadata.ts';
import type { Node } from './node.ts';
import type { Nodes } from './nodes.ts';
import { failUnsent } from './waiting-requests.ts';

/** It is told about every node that became ready or failed. */
export interface NodeListener {
  onNodeReady(node: Node, now: number): void;
  onNodeFailed(node: Node, error: Error, now: number): void;
}

export interface ConnectionsParts {
  readonly config: KafkaClientConfig;
  readonly nodes: Nodes;
  readonly connector: Connector;
  readonly metadata: Metadata;
  readonly events: Events;
  readonly listener: NodeListener;
}

export class Connections {
  readonly #config: KafkaClientConfig;
  readonly #nodes: Nodes;
  readonly #connector: Connector;
  readonly #metadata: Metadata;
  readonly #events: Events;
  readonly #listener: NodeListener;
  /** When a broker last became ready, on the monotonic clock. */
  #brokerReadyAt = Number.NEGATIVE_INFINITY;

  constructor(parts: ConnectionsParts) {
    this.#config = parts.config;
    this.#nodes = parts.nodes;
    this.#connector = parts.connector;
    this.#metadata = parts.metadata;
    this.#events = parts.events;
    this.#listener = parts.listener;
  }

  /** The handshake is over. It ends without an answer if there was nothing to ask. */
  ready(node: Node, now: number, hasAnswered: boolean): void {
    node.channel!.becomeReady();
    if (hasAnswered) node.connection.succeeded();
    else node.connection.opened();
    node.lastActiveAt = now;
    if (!node.isBootstrap) this.#brokerReadyAt = now;
    node.publish(now);
    this.#events.connectionReady(node);
    if (!node.hasRow) this.#events.nodeTableFull(node, now);
    this.#listener.onNodeReady(node, now);
  }

  /** Closes the node's connection on purpose: its requests fail with Cancelled, nothing backs off. */
  disconnect(nodeId: number, now: number, scope = sharedScope): void {
    const node = this.#nodes.get(nodeId, scope);
    this.#endElders(node?.key ?? nodeKey(nodeId, scope), closedByCall(nodeId), now);
    if (node !== undefined) this.disconnectNode(node, now);
  }

  /** The same for a node, with a reason. */
  disconnectNode(node: Node, now: number, error: Error = closedByCall(node.id)): void {
    this.#endElders(node.key, error, now);
    node.connection.forgotten(now);
    this.end(node, error, undefined, now);
  }

  /** Former connections to the node, which are still in use. */
  #endElders(key: number, error: Error, now: number): void {
    for (const elder of this.#nodes.leaving) if (elder.key === key) this.end(elder, error, undefined, now);
  }

  /**
   * Brokers as the newest metadata names them. A connection to where a node is no longer gets nothing new and is closed when
   * everything under way on it is answered, or over its own limit; a new one is opened at once. Whoever is idle, or not
   * connected yet, has nothing to lose.
   */
  updateNodes(brokers: readonly Broker[], now: number): void {
    const gone = this.#nodes.update(brokers);
    for (const node of gone) this.#leave(node, now);
  }

  /** An attachment with connections of its own is gone. What is under way on them is still answered, and nobody gets it. */
  closeScope(scope: number, now: number): void {
    for (const node of this.#nodes.closeScope(scope)) {
      this.#letGo(node, new Cancelled('the client of this connection has ended', { nodeId: node.id }), now);
    }
  }

  #letGo(node: Node, error: Error, now: number): void {
    if (node.isReady && node.isUnderWay) {
      failUnsent(node, node.waiting.drain(), error, now);
      this.#nodes.keepLeaving(node);
      node.publish(now);
    } else {
      this.end(node, error, undefined, now);
      this.#nodes.left(node, now);
    }
  }

  #leave(node: Node, now: number): void {
    const broker = this.#nodes.inLane(node.brokerId, mainLane);
    const what =
      broker === undefined
        ? 'left the cluster'
        : `moved from ${node.host}:${node.port} to ${broker.host}:${broker.port}`;
    this.#events.nodeGone(node, what);
    const wasWanted = node.isReady || node.isConnecting;
    this.#letGo(node, new KafkaConnectionError(`${node.name} ${what}`, { nodeId: node.id }), now);
    const moved = this.#nodes.inLane(node.brokerId, node.lane, node.scope);
    if (moved === undefined) return;
    // A throttle time is about the broker, wherever it is.
    moved.connection.throttledUntil = node.connection.throttledUntil;
    moved.publish(now);
    if (wasWanted && moved.canConnect(now)) this.#connector.start(moved, now);
  }

  /** Closes connections to where nodes are no longer, once nothing is under way on them. */
  closeLeft(now: number): void {
    for (const node of this.#nodes.leaving) {
      if (node.isUnderWay) continue;
      const text = `${node.name} is no longer there`;
      this.end(node, new KafkaConnectionError(text, { nodeId: node.id }), undefined, now);
    }
  }

  /** Goes back to the bootstrap servers (KIP-899, KIP-1102): the known brokers are forgotten. */
  startOver(reason: Error, now: number): void {
    this.#events.startedOver(reason);
    this.#nodes.startOver();
    for (const node of this.#nodes.connected()) if (!node.isBootstrap) this.#giveUp(node, reason, now);
  }

  /**
   * The connection led to another broker than the one that was meant (KIP-1242): the node's address is wrong, or a
   * proxy in front of it is. The connection is closed, and the bootstrap servers are asked for metadata. Connections
   * that were confirmed stay.
   */
  misrouted(node: Node, error: Error, now: number): void {
    // Later attempts try other addresses of the name, after the bootstrap servers have answered.
    node.connection.untriedAddresses = [];
    this.#nodes.startOver();
    this.attemptFailed(node, error, now, 'other');
    this.#metadata.requestUpdate();
    this.#events.misrouted();
  }

  /**
   * Another cluster answers at the node. Other connections may lead to the former cluster, and the two must not mix.
   */
  clusterChanged(reason: Error, nodeId: number, now: number): void {
    this.#events.clusterChanged(reason, nodeId);
    for (const node of this.#nodes.connected()) {
      if (node.key !== nodeId || node.isLeaving) this.#giveUp(node, reason, now);
    }
  }

  #giveUp(node: Node, reason: Error, now: number): void {
    node.connection.closedOnPurpose();
    this.end(node, lostWith(reason, node), undefined, now);
  }

  /**
   * An attempt did not lead to a ready connection: the next address is tried at once; without one the node backs off.
   */
  attemptFailed(node: Node, error: Error, now: number, end: AttemptEnd): void {
    if (node.isLeaving) {
      this.end(node, error, undefined, now);
      return;
    }
    const hasTime = now < node.connection.setupDeadline;
    // When the node can be reached again, it may be another broker.
    node.probe.forget();
    // An old broker does not give an answer that does not fit the request.
    if (end === 'setup timeout' || error instanceof KafkaProtocolError) node.probe.restart();
    const requests = node.inFlight.drain();
    const unsent = node.channel?.oneWay.takeWaiting() ?? [];
    this.#connector.abandon(node);
    for (const request of requests) this.#fail(request, error, now);
    for (const send of unsent) send.onFailure(error, now);
    if (hasTime && this.#connector.tryNextAddress(node, now)) {
      this.#events.addressFailed(node, error);
      return;
    }
    node.connection.failed(error, now, end);
    node.publish(now);
    if (end === 'version refusal') this.#events.versionRefused(node, error, now);
    else this.#events.attemptFailed(node, error, now);
    if (!node.isBootstrap) this.#metadata.requestUpdate();
    this.#listener.onNodeFailed(node, error, now);
  }

  /**
   * A ready connection ended by a fault. The request `culprit` fails with the error itself; the others fail with an
   * error that has it as cause.
   */
  lost(node: Node, error: Error, culprit: InFlightRequest | undefined, now: number): void {
    if (!node.isReady) {
      this.attemptFailed(node, error, now, 'other');
      return;
    }
    // The broker may have closed it because of a request that only brokers of another version know.
    if (node.inFlight.size > 0) node.probe.forget();
    this.#events.connectionLost(node, error, node.inFlight.size, now);
    if (node.isLeaving) {
      this.end(node, error, culprit, now);
      return;
    }
    node.connection.failed(error, now, 'other');
    if (!node.isBootstrap) this.#metadata.requestUpdate();
    this.end(node, error, culprit, now);
    this.#listener.onNodeFailed(node, error, now);
  }

  /**
   * The only place where a connection's requests are settled. The state changes first, so that callbacks see the new
   * state.
   */
  end(node: Node, error: Error, culprit: InFlightRequest | undefined, now: number): void {
    const requests = node.inFlight.drain();
    const waiting = node.waiting.drain();
    const unsent = node.channel?.oneWay.takeWaiting() ?? [];
    if (node.isReady || node.isConnecting) this.#events.connectionEnded(node, error);
    this.#connector.abandon(node);
    if (this.#nodes.leaving.has(node)) this.#nodes.left(node, now);
    else node.publish(now);
    const others = culprit === undefined || error instanceof KafkaConnectionError ? error : lostWith(error, node);
    for (const request of requests) this.#fail(request, request === culprit ? error : others, now);
    for (const send of unsent) send.onFailure(others, now);
    failUnsent(node, waiting, error, now);
  }

  #fail(request: InFlightRequest, error: Error, now: number): void {
    this.#events.requests.failed(request, error, now);
    request.owner.onFailure(request, error, now);
  }

  /**
   * Fails what is overdue.
   * @param readUpTo not after `now`: everything that had arrived at that time was handled
   */
  expire(now: number, readUpTo = now): void {
    for (const node of this.#nodes.connected()) {
      if (node.isConnecting && readUpTo >= node.connection.setupDeadline) {
        const wait = node.channel?.describeWait() ?? null;
        const text = `connection setup with ${node.host}:${node.port} did not finish in time (connectionSetupTimeoutMs)${wait === null ? '' : `; ${wait}`}`;
        const late = node.channel?.authentication?.describeTimeout();
        this.attemptFailed(node, late ?? new KafkaConnectionError(text, { nodeId: node.id }), now, 'setup timeout');
        continue;
      }
      node.handshake?.expire(now);
      if (node.channel === null) continue;
      if (readUpTo >= node.channel.oneWay.deadline) {
        const text = `${node.name} did not read ${node.channel.oneWay.unwrittenBytes} bytes of requests with acks 0 within their time limit`;
        this.lost(node, new RequestTimedOutError(text, { nodeId: node.id }), undefined, now);
        continue;
      }
      const { authentication } = node.channel;
      if (authentication !== null && readUpTo >= authentication.deadline) authentication.expire(now);
      if (node.channel === null || node.channel.isUnread) continue;
      this.#expireWaiting(node, now, readUpTo);
      const expired = node.inFlight.expired(readUpTo);
      if (expired === undefined) continue;
      const details = { nodeId: node.id, apiKey: expired.codec.apiKey, correlationId: expired.correlationId };
      const text = `${expired.codec.name} to ${node.name} had no response within ${expired.timeoutMs} ms`;
      this.#events.requestTimedOut(node);
      this.lost(node, new RequestTimedOutError(text, details), expired, now);
    }
  }

  /** The connection is not at fault, so it stays. */
  #expireWaiting(node: Node, now: number, readUpTo: number): void {
    for (const request of node.waiting.expired(readUpTo)) {
      const { nodeId, apiKey, timeoutMs, waitsFor, owner } = request;
      const places = `requests of other threads had all ${this.#config.maxInFlightRequestsPerConnection} places (maxInFlightRequestsPerConnection)`;
      const reason = waitsFor === 'a place' ? places : 'its code was not loaded in that time';
      const text = `${wireCodec(apiKey).name} to ${node.name} was not sent within ${timeoutMs} ms: ${reason}`;
      this.#events.requestTimedOut(node);
      owner.onFailure(request, new RequestTimedOutError(text, { nodeId, apiKey }), now);
    }
  }

  /**
   * Closes at most one connection in each round: the one that is idle for longest. A connection with requests in
   * flight is never idle.
   */
  closeIdle(now: number): void {
    const idleMs = this.#config.connectionsMaxIdleMs;
    let idlest: Node | undefined;
    for (const node of this.#nodes.all()) {
      if (!node.isReady || node.inFlight.size > 0) continue;
      if (this.#isSuperseded(node)) {
        this.disconnectNode(node, now);
      } else if (
        idleMs > 0 &&
        now - node.lastActiveAt >= idleMs &&
        (idlest === undefined || node.lastActiveAt < idlest.lastActiveAt)
      ) {
        idlest = node;
      }
    }
    if (idlest !== undefined) this.disconnectNode(idlest, now);
  }

  /**
   * The machine was suspended: peers have given up idle connections, and the next request must not be written to one
   * of these.
   */
  resumed(pauseMs: number, now: number): void {
    let closed = 0;
    for (const node of this.#nodes.all()) {
      if (!node.isReady || node.inFlight.size > 0) continue;
      this.disconnectNode(node, now);
      closed++;
    }
    this.#events.resumed(pauseMs, closed);
  }

  /** ms until metadata is due; Infinity while it is being refreshed. */
  metadataTtl(now: number): number {
    return this.#metadata.ttl(now);
  }

  /** When the next round is due if nothing happens before, on the monotonic clock; Infinity for never. */
  nextDeadline(now: number): number {
    let deadline = now + this.#metadata.ttl(now);
    if (deadline <= now) deadline = Math.min(this.#metadataRetryAt(now), this.#metadata.overdueAt);
    deadline = Math.min(deadline, this.#metadata.waitsOverdueAt);
    const idleMs = this.#config.connectionsMaxIdleMs;
    for (const node of this.#nodes.connected()) {
      if (node.isLeaving && !node.isUnderWay) return now;
      if (node.isConnecting) {
        const behindAt = node.handshake?.behindAt ?? Number.POSITIVE_INFINITY;
        deadline = Math.min(deadline, node.connection.setupDeadline, behindAt);
      }
      if (node.channel === null) continue;
      deadline = Math.min(deadline, node.channel.oneWay.deadline);
      deadline = Math.min(deadline, node.channel.authentication?.deadline ?? Number.POSITIVE_INFINITY);
      if (node.channel.isUnread) continue;
      deadline = Math.min(deadline, node.inFlight.earliestDeadline, node.waiting.earliestDeadline);
      if (node.waiting.size > 0 && node.connection.isThrottled(now))
        deadline = Math.min(deadline, node.connection.throttledUntil);
      if (!node.isReady || node.inFlight.size > 0 || node.isLeaving) continue;
      if (this.#isSuperseded(node)) return now;
      if (idleMs > 0) deadline = Math.min(deadline, node.lastActiveAt + idleMs);
    }
    return deadline;
  }

  #metadataRetryAt(now: number): number {
    let at = this.#nodes.nextAttempt(now)?.at ?? Number.POSITIVE_INFINITY;
    at = Math.min(at, this.#nodes.keptPlace(now)?.at ?? at);
    for (const node of this.#nodes.candidates()) {
      if (node.isReady && node.connection.isThrottled(now)) at = Math.min(at, node.connection.throttledUntil);
    }
    return at;
  }

  /**
   * A bootstrap connection is no longer needed when a broker is ready. One that was begun later was asked for by its
   * node id.
   */
  #isSuperseded(node: Node): boolean {
    return node.isBootstrap && node.connection.lastAttemptAt <= this.#brokerReadyAt && this.#isAnyBrokerReady();
  }

  #isAnyBrokerReady(): boolean {
    for (const node of this.#nodes.brokers()) if (node.isReady) return true;
    return false;
  }
}

function closedByCall(nodeId: number): Error {
  return new Cancelled('the connection was closed by close(nodeId)', { nodeId, retriable: true });
}

function lostWith(cause: Error, node: Node): KafkaConnectionError {
  return new KafkaConnectionError(`the connection to ${node.name} was given up: ${cause.message}`, {
    cause,
    nodeId: node.id,
  });
}
