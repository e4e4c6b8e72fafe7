// Owns the set of nodes: bootstrap servers for ever, the brokers of metadata, and further connections to brokers
// (lanes, common/node-ids.ts) that somebody asked for. Network thread.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { coordinatorLane, coordinatorNodeId, firstLaneNodeId, mainLane } from '../../common/node-ids.ts';
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
  readonly #nodes = new Map<number, Node>();
  /** Nodes that metadata does not name any more, or not there, while their connections have something under way. */
  readonly #leaving = new Set<Node>();
  readonly #probeHint: ProbeHint = { firstStep: 0, newestApiVersions: Number.POSITIVE_INFINITY };
  /** By lane and broker id, except the main lane. */
  readonly #lanes = new Map<string, Map<number, Node>>();
  #nextLaneNodeId = firstLaneNodeId;
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
  get(nodeId: number): Node | undefined {
    return this.#nodes.get(nodeId) ?? this.#makeLane(coordinatorNodeId(nodeId), coordinatorLane);
  }

  /**
   * A broker's connection in a lane; it becomes a node when it is asked for the first time. Undefined for an unknown
   * broker, and for a bootstrap server in any lane but the main one.
   */
  inLane(brokerId: number, lane: string): Node | undefined {
    if (lane === mainLane) return this.#nodes.get(brokerId);
    if (lane === coordinatorLane) return this.get(coordinatorNodeId(brokerId));
    return this.#lanes.get(lane)?.get(brokerId) ?? this.#makeLane(brokerId, lane);
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
      this.#nodes.delete(node.id);
      this.#lanes.get(node.lane)?.delete(node.brokerId);
      node.retire();
      gone.push(node);
    }
    for (const { id, host, port } of named.values()) {
      if (id >= 0 && !this.#nodes.has(id)) this.#add(id, host, port);
    }
    for (const node of gone) this.get(node.id)?.follow(node);
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

  #makeLane(brokerId: number, lane: string): Node | undefined {
    const broker = this.#nodes.get(brokerId);
    if (broker === undefined || !broker.isBroker) return undefined;
    const id = lane === coordinatorLane ? coordinatorNodeId(brokerId) : this.#nextLaneNodeId--;
    const node = this.#add(id, broker.host, broker.port, brokerId, lane);
    const inLane = this.#lanes.get(lane) ?? new Map<number, Node>();
    this.#lanes.set(lane, inLane.set(brokerId, node));
    return node;
  }

  #add(id: number, host: string, port: number, brokerId = id, lane = mainLane): Node {
    const connection = new ConnectionState(this.#config, this.#random);
    const probe = new VersionProbe(this.#probeHint, this.#config.securityProtocol.startsWith('SASL'));
    const oneWayMaxBytes = this.#config.requestRingBytes;
    const node = new Node({ id, brokerId, lane, host, port }, { connection, probe }, this.#table, oneWayMaxBytes);
    // It has come back before the last answer on its former connection.
    for (const elder of this.#leaving) if (elder.id === id) node.follow(elder);
    this.#nodes.set(id, node);
    return node;
  }
}

/** Whoever does not read what it has been sent is asked last. */
function load({ inFlight, channel }: Node): number {
  return channel?.isBlocked === true ? Number.MAX_SAFE_INTEGER : inFlight.size;
}
