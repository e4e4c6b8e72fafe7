// Owns the answers to state queries: they come from the shared node table, corrected by what this thread has just
// done itself. Application thread. Must not send a message.

import { monotonicNowMs } from '../../common/clock.ts';
import {
  IllegalArgumentError,
  NodeNotReadyError,
  TooManyInFlightRequests,
  UnknownBrokerIdError,
} from '../../common/errors/errors.ts';
import { isRefusal } from '../../common/errors/kafka-client-error.ts';
import { fromPlainError, type PlainError } from '../../common/errors/plain-error.ts';
import { coordinatorLane, coordinatorNodeId, firstLaneNodeId, mainLane, maxLanes } from '../../common/node-ids.ts';
import {
  type CountersReader,
  NO_ROW,
  NODE_CONNECTED,
  NODE_CONNECTING,
  NODE_DISCONNECTED,
} from '../../state/counters.ts';
import type { InFlight } from '../link/in-flight.ts';
import type { NetworkProxy } from '../link/network-proxy.ts';
import type { Cluster } from './cluster.ts';

interface Reason {
  readonly type: typeof NodeNotReadyError;
  readonly text: string;
}

export class NodeStates {
  readonly #counters: CountersReader;
  readonly #inFlight: InFlight;
  readonly #proxy: NetworkProxy;
  readonly #cluster: Cluster;
  readonly #maxInFlight: number;
  /**
   * Node id to its last error and the text that the error was made from, since a loop of sends asks again and again.
   */
  readonly #lastErrors = new Map<number, { text: string; error: Error }>();

  constructor(
    counters: CountersReader,
    inFlight: InFlight,
    proxy: NetworkProxy,
    cluster: Cluster,
    maxInFlight: number,
  ) {
    this.#counters = counters;
    this.#inFlight = inFlight;
    this.#proxy = proxy;
    this.#cluster = cluster;
    this.#maxInFlight = maxInFlight;
  }

  /** The node id of a broker's connection in a lane; null until it has been asked for. */
  laneNodeId(nodeId: number, lane: string): number | null {
    if (lane === mainLane) return nodeId;
    if (lane === coordinatorLane) return coordinatorNodeId(nodeId);
    return this.#counters.laneNodeId(nodeId, lane);
  }

  /** What a send to a lane that nobody has asked for yet fails with. */
  laneRefusal(nodeId: number, lane: string): Error {
    const details = { nodeId };
    if (nodeId < 0 || this.#cluster.brokerMetadata(nodeId) === null) {
      return new UnknownBrokerIdError(
        `node ${nodeId} is no broker of the cluster, and only brokers have lanes`,
        details,
      );
    }
    if (this.#counters.hasAllLanes) {
      return new IllegalArgumentError(
        `lane '${lane}' is one too many: a client has at most ${maxLanes} lanes`,
        details,
      );
    }
    return new NodeNotReadyError(`node ${nodeId} is not connected in lane '${lane}'`, details);
  }

  isConnected(nodeId: number): boolean {
    return this.#state(nodeId) === NODE_CONNECTED;
  }

  isDisconnected(nodeId: number): boolean {
    return this.#state(nodeId) === NODE_DISCONNECTED;
  }

  isReady(nodeId: number): boolean {
    return this.#whyNotReady(nodeId) === null;
  }

  /** The error that a `send` to the node would fail with; null if it would be accepted. */
  refusal(nodeId: number): NodeNotReadyError | null {
    const reason = this.#whyNotReady(nodeId);
    return reason === null ? null : new reason.type(reason.text, { nodeId, cause: this.lastError(nodeId) });
  }

  /** The requests of this thread and those that the network thread sends for itself. */
  inFlight(nodeId: number): number {
    return this.#inFlight.countOf(nodeId) + this.#counters.internalInFlight(this.#row(nodeId));
  }

  /** ms until metadata is due: 0 when it is, or is being refreshed. */
  metadataTtlMs(): number {
    return this.#counters.metadataTtlMs(monotonicNowMs());
  }

  lastError(nodeId: number): Error | undefined {
    if (this.#proxy.isDisconnecting(nodeId)) return undefined;
    const text = this.#counters.nodeError(this.#row(nodeId));
    if (text === '') return undefined;
    const last = this.#lastErrors.get(nodeId);
    if (last?.text === text) return last.error;
    const error = fromPlainError(JSON.parse(text) as PlainError);
    this.#lastErrors.set(nodeId, { text, error });
    return error;
  }

  /**
   * Why no broker can be asked: the refusal of a login or certificate if there was one, else any node's last error. Undefined while
   * one is connected.
   */
  whyNoneConnected(bootstrapCount: number): Error | undefined {
    const known = this.#cluster.brokers().map((broker) => broker.nodeId);
    const errors: Error[] = [];
    for (const nodeId of [...known, ...Array.from({ length: bootstrapCount }, (_, i) => -1 - i)]) {
      if (this.isConnected(nodeId)) return undefined;
      const error = this.lastError(nodeId);
      if (error !== undefined) errors.push(error);
    }
    return errors.find(isRefusal) ?? errors[0];
  }

  canConnect(nodeId: number): boolean {
    if (!this.#isKnown(nodeId)) return false;
    const state = this.#state(nodeId);
    if (state === NODE_CONNECTED || state === NODE_CONNECTING) return false;
    return this.#backoffMs(nodeId) === 0;
  }

  connectionDelay(nodeId: number): number {
    const state = this.#state(nodeId);
    if (state === NODE_CONNECTED) return Number.POSITIVE_INFINITY;
    return state === NODE_CONNECTING ? 0 : this.#backoffMs(nodeId);
  }

  leastLoaded(): number | null {
    const brokers = this.#cluster.brokers();
    const offset = Math.floor(Math.random() * brokers.length);
    let best: number | null = null;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (let i = 0; i < brokers.length; i++) {
      const { nodeId } = brokers[(i + offset) % brokers.length]!;
      const load = this.inFlight(nodeId);
      if (this.#throttleMs(nodeId) > 0) continue;
      const isConnected = this.isConnected(nodeId);
      if (isConnected && load === 0) return nodeId;
      if (!isConnected && this.#backoffMs(nodeId) > 0) continue;
      if (load < bestLoad) {
        best = nodeId;
        bestLoad = load;
      }
    }
    return best;
  }

  /**
   * Called before every send: it reads the row once, and reads a clock only if the row says that the node may be
   * throttled.
   */
  #whyNotReady(nodeId: number): Reason | null {
    const counters = this.#counters;
    const row = this.#proxy.isDisconnecting(nodeId) ? NO_ROW : this.#row(nodeId);
    const state = counters.nodeState(row);
    if (state !== NODE_CONNECTED) return this.#whyNotConnected(nodeId, state);
    // Requests of other threads do not count: the network thread gives each thread its turn.
    const count = this.#inFlight.countOf(nodeId) + counters.internalInFlight(row);
    if (count >= this.#maxInFlight) {
      const text = `node ${nodeId} has ${count} requests in flight, the limit (maxInFlightRequestsPerConnection)`;
      return { type: TooManyInFlightRequests, text };
    }
    if (!counters.mayBeUnready(row)) return null;
    if (counters.isHeldBack(row)) {
      return { type: NodeNotReadyError, text: `node ${nodeId} does not read what was sent to it` };
    }
    const throttleMs = this.#throttleMs(nodeId);
    if (throttleMs <= 0) return null;
    return {
      type: NodeNotReadyError,
      text: `node ${nodeId} is throttled for another ${throttleMs} ms (quota)`,
    };
  }

  #whyNotConnected(nodeId: number, state: number): Reason {
    if (!this.#isKnown(nodeId)) {
      return { type: UnknownBrokerIdError, text: `node ${nodeId} is not part of the cluster; refresh metadata` };
    }
    const backoffMs = this.#backoffMs(nodeId);
    const when = backoffMs > 0 ? `; the next attempt may begin in ${backoffMs} ms` : '';
    const hasRow = this.#counters.nodeRow(nodeId) !== NO_ROW || this.#counters.nodesWithoutRow() === 0;
    const full = hasRow ? '' : '; more nodes are in use than this client keeps track of (1024), see awaitReady';
    const what = state === NODE_CONNECTING ? 'still connecting' : 'not connected';
    return { type: NodeNotReadyError, text: `node ${nodeId} is ${what}${when}${full}` };
  }

  /** A lane has a row for as long as its broker is known. */
  #isKnown(nodeId: number): boolean {
    return this.#cluster.brokerMetadata(nodeId) !== null || (nodeId <= firstLaneNodeId && this.#row(nodeId) !== NO_ROW);
  }

  /** The network thread has ended, and its connections with it, so its last state no longer holds. */
  #row(nodeId: number): number {
    return this.#counters.isEnded() ? NO_ROW : this.#counters.nodeRow(nodeId);
  }

  #state(nodeId: number): number {
    // A node that this thread has closed counts as never connected until the network thread has closed it too.
    if (this.#proxy.isDisconnecting(nodeId)) return 0;
    return this.#counters.nodeState(this.#row(nodeId));
  }

  #backoffMs(nodeId: number): number {
    if (this.#proxy.isDisconnecting(nodeId)) return 0;
    return this.#counters.backoffRemainingMs(this.#row(nodeId), monotonicNowMs());
  }

  #throttleMs(nodeId: number): number {
    return this.#counters.throttleRemainingMs(this.#row(nodeId), monotonicNowMs());
  }
}
