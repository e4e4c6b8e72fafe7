// Owns the set of nodes: bootstrap servers for ever, the brokers of metadata, and further connections to brokers
// (lanes and scopes, common/node-ids.ts) that somebody asked for. Network thread.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { TooManyOpenError } from '../../common/errors/errors.ts';
import {
  coordinatorLane,
  coordinatorNodeId,
  firstLaneNodeId,
  isBootstrapId,
  mainLane,
  maxScopes,
  nodeKey,
  partsOfKey,
  sharedScope,
} from '../../common/node-ids.ts';
import { type BrokerHint, maxNamedInPassing } from '../../protocol/flat/leader-hints.ts';
import type { CountersWriter } from '../../state/counters.ts';
import type { Metrics } from '../report/metrics-recorder.ts';
import type { NodeApiVersions } from './api-versions.ts';
import { ConnectionState } from './connection-states.ts';
import type { Broker } from './metadata.ts';
import { Node, type NodeTable } from './node.ts';
import { type ProbeHint, VersionProbe } from './version-probe.ts';

/** A silent server delays the attempt at the next one by no more than this. */
export const maxStaggerMs = 250;

export class Nodes {
  readonly #config: KafkaClientConfig;
  readonly #table: NodeTable;
  readonly #random: () => number;
  /** By key. */
  readonly #nodes = new Map<number, Node>();
  /** Nodes that metadata does not name any more, or not there, while their connections have something under way. */
  readonly #leaving = new Set<Node>();
  readonly #probeHint: ProbeHint = { firstStep: 0, newestApiVersions: Number.POSITIVE_INFINITY };
  /** By scope and lane, then by broker id; all but the main lane of the shared scope. */
  readonly #lanes = new Map<string, Map<number, Node>>();
  #nextLaneNodeId = firstLaneNodeId;
  /** Scopes in use. */
  readonly #scopes = new Set<number>();
  #areBrokersTrusted = true;
  /** Brokers that were named in passing since the newest metadata. */
  #namedInPassing = 0;

  constructor(
    config: KafkaClientConfig,
    published: { readonly counters: CountersWriter; readonly metrics: Metrics },
    random: () => number,
  ) {
    this.#config = config;
    this.#table = { ...published, makeRoom: (now) => this.#makeRoom(now) };
    this.#random = random;
    for (const [i, { host, port }] of config.bootstrapServers.entries()) this.#add(-1 - i, host, port);
  }

  /** A coordinator becomes a node when it is asked for the first time. */
  get(nodeId: number, scope = sharedScope): Node | undefined {
    if (scope === sharedScope || isBootstrapId(nodeId))
      return this.#nodes.get(nodeId) ?? this.#makeLane(coordinatorNodeId(nodeId), coordinatorLane, sharedScope);
    const known = this.#nodes.get(nodeKey(nodeId, scope));
    if (known !== undefined || nodeId < 0) return known;
    if (this.#nodes.get(nodeId)?.isBroker) return this.#makeLane(nodeId, mainLane, scope);
    return this.#makeLane(coordinatorNodeId(nodeId), coordinatorLane, scope);
  }

  /** The same by the node's key. */
  find(key: number): Node | undefined {
    const { nodeId, scope } = partsOfKey(key);
    return this.get(nodeId, scope);
  }

  /**
   * A broker's connection in a lane; it becomes a node when it is asked for the first time. Undefined for an unknown
   * broker, and for a bootstrap server in any lane but the main one.
   */
  inLane(brokerId: number, lane: string, scope = sharedScope): Node | undefined {
    if (lane === mainLane && (scope === sharedScope || isBootstrapId(brokerId))) return this.#nodes.get(brokerId);
    return this.#lanes.get(laneKey(lane, scope))?.get(brokerId) ?? this.#makeLane(brokerId, lane, scope);
  }

  /**
   * A new scope for whoever wants connections of its own.
   * @throws TooManyOpenError when there are too many
   */
  openScope(): number {
    for (let scope = 1; scope <= maxScopes; scope++) {
      if (this.#scopes.has(scope) || this.#hasNodesOf(scope)) continue;
      this.#scopes.add(scope);
      return scope;
    }
    throw new TooManyOpenError(
      `${maxScopes} clients and consumers have connections of their own, and there can be no more`,
    );
  }

  /** Ends a scope. Returns its nodes, already removed; each is to be given to `keepLeaving`, or to `left`. */
  closeScope(scope: number): Node[] {
    this.#scopes.delete(scope);
    const gone = [...this.#nodes.values()].filter((node) => node.scope === scope);
    for (const node of gone) this.#remove(node);
    return gone;
  }

  #hasNodesOf(scope: number): boolean {
    for (const node of this.connected()) if (node.scope === scope) return true;
    return false;
  }

  #remove(node: Node): void {
    this.#nodes.delete(node.key);
    this.#lanes.get(laneKey(node.lane, node.scope))?.delete(node.brokerId);
    node.retire();
  }

  /** The API versions of a broker that is connected in any lane. */
  versionsOf(brokerId: number): NodeApiVersions | null {
    const main = this.#nodes.get(brokerId)?.apiVersions ?? null;
    if (main !== null) return main;
    for (const nodes of this.#lanes.values()) {
      const versions = nodes.get(brokerId)?.apiVersions ?? null;
      if (versions !== null) return versions;
    }
    return null;
  }

  all(): IterableIterator<Node> {
    return this.#nodes.values();
  }

  /** Those that are leaving. */
  get leaving(): ReadonlySet<Node> {
    return this.#leaving;
  }

  /** All that may have a connection. */
  *connected(): Generator<Node> {
    yield* this.#nodes.values();
    yield* this.#leaving;
  }

  /** Keeps a node that `update` returned until `left`. */
  keepLeaving(node: Node): void {
    this.#leaving.add(node);
  }

  /** A node that `update` returned has no connection any more. */
  left(node: Node, now: number): void {
    this.#leaving.delete(node);
    node.gone(now);
  }

  get bootstrapCount(): number {
    return this.#config.bootstrapServers.length;
  }

  anyReady(): Node | undefined {
    for (const node of this.#nodes.values()) if (node.isReady) return node;
    return undefined;
  }

  /**
   * Why no node is ready: the refusal of a login or certificate if there was one, else the newest error. Null while one is ready, and
   * when none has failed.
   */
  whyNoneReady(): Error | null {
    let newest: Node | null = null;
    for (const node of this.#nodes.values()) {
      const { lastError, lastAttemptAt, refusedAt } = node.connection;
      if (node.isReady) return null;
      if (lastError === null) continue;
      const isNewer = newest === null || lastAttemptAt > newest.connection.lastAttemptAt;
      const wasRefused = newest !== null && newest.connection.refusedAt !== Number.NEGATIVE_INFINITY;
      const isRefused = refusedAt !== Number.NEGATIVE_INFINITY;
      if (isRefused === wasRefused ? isNewer : isRefused) newest = node;
    }
    return newest?.connection.lastError ?? null;
  }

  *bootstrapNodes(): Generator<Node> {
    for (const node of this.#nodes.values()) if (node.isBootstrap) yield node;
  }

  *brokers(): Generator<Node> {
    for (const node of this.#nodes.values()) if (node.isBroker) yield node;
  }

  /** Forgets the known brokers: only bootstrap servers are asked for the next metadata. */
  startOver(): void {
    this.#areBrokersTrusted = false;
  }

  /**
   * Takes over the brokers of a metadata response. Returns the nodes that are gone or have moved, already removed; each is to be
   * given to `keepLeaving`, or to `left`.
   */
  update(brokers: readonly Broker[]): Node[] {
    this.#areBrokersTrusted = true;
    this.#namedInPassing = 0;
    const gone: Node[] = [];
    const named = new Map(brokers.map((broker) => [broker.id, broker]));
    for (const node of [...this.#nodes.values()]) {
      if (node.isBootstrap) continue;
      const broker = named.get(node.brokerId);
      if (broker !== undefined && broker.host === node.host && broker.port === node.port) continue;
      this.#remove(node);
      gone.push(node);
    }
    for (const { id, host, port } of named.values()) {
      if (id >= 0 && !this.#nodes.has(id)) this.#add(id, host, port);
    }
    for (const node of gone) this.find(node.key)?.follow(node);
    return gone;
  }

  /**
   * Brokers that other responses named (KIP-951): those that metadata does not know yet become nodes, a bounded number. What it does know stays
   * where it is until metadata says otherwise; a failed connection asks for that.
   */
  learn(brokers: readonly BrokerHint[]): void {
    for (const { nodeId, host, port } of brokers) {
      if (nodeId < 0 || this.#nodes.has(nodeId) || this.#namedInPassing >= maxNamedInPassing) continue;
      this.#namedInPassing++;
      this.#add(nodeId, host, port);
    }
  }

  /**
   * The nodes that may be asked for metadata: brokers, and also bootstrap servers while no broker is known or all
   * have failed. A bootstrap server with the host and port of a broker is left out: two nodes would double the
   * attempts, and each would have its own backoff.
   */
  candidates(): Node[] {
    if (!this.#areBrokersTrusted) return [...this.bootstrapNodes()];
    const brokers = [...this.brokers()];
    const areUsable = brokers.some((node) => node.isReady || node.connection.failures === 0);
    if (areUsable) return brokers;
    const isBroker = ({ host, port }: Node): boolean =>
      brokers.some((broker) => broker.host === host && broker.port === port);
    return [...brokers, ...[...this.bootstrapNodes()].filter((node) => node.isReady || !isBroker(node))];
  }

  /**
   * The node to ask for metadata: of the candidates that accept a request the one with the fewest in flight; else a
   * bootstrap server.
   */
  leastLoaded(now: number): Node | undefined {
    return this.#leastLoadedOf(this.candidates(), now) ?? this.#leastLoadedOf([...this.bootstrapNodes()], now);
  }

  /**
   * Whom to ask for metadata when every ready candidate is at its limit, and when: at once, unless an attempt that has just
   * begun may end well. The place beyond the limit is kept for that: an application that sends its next request with every
   * answer would never leave one.
   */
  keptPlace(now: number): { readonly node: Node; readonly at: number } | undefined {
    const candidates = this.candidates();
    const node = this.#leastLoadedOf(
      candidates.filter(({ inFlight }) => inFlight.internalCount === 0),
      now,
      Number.POSITIVE_INFINITY,
    );
    if (node === undefined) return undefined;
    const next = this.nextAttempt(now);
    let at = next?.at === now ? now + maxStaggerMs : now;
    for (const { isConnecting, connection } of candidates) {
      if (isConnecting) at = Math.max(at, connection.lastAttemptAt + maxStaggerMs);
    }
    return { node, at };
  }

  #leastLoadedOf(
    nodes: readonly Node[],
    now: number,
    maxInFlight = this.#config.maxInFlightRequestsPerConnection,
  ): Node | undefined {
    let best: Node | undefined;
    for (const node of this.#rotated(nodes)) {
      if (!node.canSend(now, maxInFlight)) continue;
      if (best === undefined || load(node) < load(best)) best = node;
    }
    return best;
  }

  /**
   * The node to connect to while no candidate accepts a request, and when. Nodes that were tried last come last. A
   * silent attempt delays the next one for a moment, and each further one for longer. So only a few attempts run at a
   * time, even if many servers never answer.
   */
  nextAttempt(now: number): { readonly node: Node; readonly at: number } | undefined {
    const candidates = this.candidates();
    const underWay = candidates.filter((node) => node.isConnecting);
    let startedAt = Number.NEGATIVE_INFINITY;
    for (const { connection } of underWay) startedAt = Math.max(startedAt, connection.lastAttemptAt);
    const from = startedAt + this.#staggerMs(underWay.length);
    let next: { node: Node; at: number } | undefined;
    for (const node of this.#rotated(candidates)) {
      if (node.channel !== null || node.isLookingUp) continue;
      const { connection } = node;
      const at = Math.max(now, from, connection.backoffUntil, connection.throttledUntil);
      const isEarlier =
        next === undefined ||
        at < next.at ||
        (at === next.at && connection.lastAttemptAt < next.node.connection.lastAttemptAt);
      if (isEarlier) next = { node, at };
    }
    return next;
  }

  #staggerMs(attempts: number): number {
    const maxMs = this.#config.connectionSetupTimeoutMs / 4;
    return Math.min(maxStaggerMs * 2 ** (attempts - 1), maxMs);
  }

  #makeRoom(now: number): boolean {
    for (const node of this.#nodes.values()) if (node.giveUpRow(now)) return true;
    return false;
  }

  /** Begins with a random server, so that not all clients of a cluster ask the same one. */
  *#rotated(nodes: readonly Node[]): Generator<Node> {
    const offset = Math.floor(this.#random() * nodes.length);
    for (let i = 0; i < nodes.length; i++) yield nodes[(i + offset) % nodes.length]!;
  }

  #makeLane(brokerId: number, lane: string, scope: number): Node | undefined {
    const broker = this.#nodes.get(brokerId);
    if (broker === undefined || !broker.isBroker) return undefined;
    if (scope !== sharedScope && !this.#scopes.has(scope)) return undefined;
    const node = this.#add(this.#idOf(brokerId, lane), broker.host, broker.port, brokerId, lane, scope);
    const inLane = this.#lanes.get(laneKey(lane, scope)) ?? new Map<number, Node>();
    this.#lanes.set(laneKey(lane, scope), inLane.set(brokerId, node));
    return node;
  }

  #idOf(brokerId: number, lane: string): number {
    if (lane === mainLane) return brokerId;
    return lane === coordinatorLane ? coordinatorNodeId(brokerId) : this.#nextLaneNodeId--;
  }

  #add(id: number, host: string, port: number, brokerId = id, lane = mainLane, scope = sharedScope): Node {
    const connection = new ConnectionState(this.#config, this.#random);
    const probe = new VersionProbe(this.#probeHint, this.#config.securityProtocol.startsWith('SASL'));
    const oneWayMaxBytes = this.#config.requestRingBytes;
    const node = new Node(
      { id, brokerId, lane, scope, host, port },
      { connection, probe },
      this.#table,
      oneWayMaxBytes,
    );
    // It has come back before the last answer on its former connection.
    for (const elder of this.#leaving) if (elder.key === node.key) node.follow(elder);
    this.#nodes.set(node.key, node);
    return node;
  }
}

/** No name of a lane has this character. */
function laneKey(lane: string, scope: number): string {
  return scope === sharedScope ? lane : `${lane}@${scope}`;
}

/** Whoever does not read what it has been sent is asked last. */
function load({ inFlight, channel }: Node): number {
  return channel?.isBlocked === true ? Number.MAX_SAFE_INTEGER : inFlight.size;
}
