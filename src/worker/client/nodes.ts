// Owns which nodes there are: bootstrap servers for ever, brokers as metadata names them, further connections to brokers (lanes,
// common/node-ids.ts) when somebody asks for one. Network thread.

import type { KafkaClientConfig } from '../../common/config/config.ts';
import { coordinatorLane, coordinatorNodeId, firstLaneNodeId, mainLane } from '../../common/node-ids.ts';
import type { BrokerHint } from '../../protocol/flat/leader-hints.ts';
import type { CountersWriter } from '../../state/counters.ts';
import type { Metrics } from '../report/metrics-recorder.ts';
import type { NodeApiVersions } from './api-versions.ts';
import { ConnectionState } from './connection-states.ts';
import type { Broker } from './metadata.ts';
import { Node } from './node.ts';
import { type ProbeHint, VersionProbe } from './version-probe.ts';

/** A server that is silent holds up the next one no longer than this. */
export const maxStaggerMs = 250;

export class Nodes {
  readonly #config: KafkaClientConfig;
  readonly #published: { readonly counters: CountersWriter; readonly metrics: Metrics };
  readonly #random: () => number;
  readonly #nodes = new Map<number, Node>();
  readonly #probeHint: ProbeHint = { firstStep: 0, newestApiVersions: Number.POSITIVE_INFINITY };
  /** By lane and broker id: all but those of the main lane. */
  readonly #lanes = new Map<string, Map<number, Node>>();
  #nextLaneNodeId = firstLaneNodeId;
  #areBrokersTrusted = true;

  constructor(
    config: KafkaClientConfig,
    published: { readonly counters: CountersWriter; readonly metrics: Metrics },
    random: () => number,
  ) {
    this.#config = config;
    this.#published = published;
    this.#random = random;
    for (const [i, { host, port }] of config.bootstrapServers.entries()) this.#add(-1 - i, host, port);
  }

  /** A coordinator becomes a node when it is first asked for. */
  get(nodeId: number): Node | undefined {
    return this.#nodes.get(nodeId) ?? this.#makeLane(coordinatorNodeId(nodeId), coordinatorLane);
  }

  /**
   * A broker's connection in a lane, which becomes a node when it is first asked for; undefined for a broker that is not known,
   * and for a bootstrap server in any other lane than the main one.
   */
  inLane(brokerId: number, lane: string): Node | undefined {
    if (lane === mainLane) return this.#nodes.get(brokerId);
    if (lane === coordinatorLane) return this.get(coordinatorNodeId(brokerId));
    return this.#lanes.get(lane)?.get(brokerId) ?? this.#makeLane(brokerId, lane);
  }

  /** What a broker that is connected in any lane speaks. */
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

  get bootstrapCount(): number {
    return this.#config.bootstrapServers.length;
  }

  anyReady(): Node | undefined {
    for (const node of this.#nodes.values()) if (node.isReady) return node;
    return undefined;
  }

  *bootstrapNodes(): Generator<Node> {
    for (const node of this.#nodes.values()) if (node.isBootstrap) yield node;
  }

  *brokers(): Generator<Node> {
    for (const node of this.#nodes.values()) if (node.isBroker) yield node;
  }

  /** Forgets that brokers are known, until the next metadata response: only bootstrap servers are asked for it. */
  startOver(): void {
    this.#areBrokersTrusted = false;
  }

  /** Takes over the brokers of a metadata response. Returns the nodes that are gone or have moved, already removed. */
  update(brokers: readonly Broker[]): Node[] {
    this.#areBrokersTrusted = true;
    const gone: Node[] = [];
    const named = new Map(brokers.map((broker) => [broker.id, broker]));
    for (const node of [...this.#nodes.values()]) {
      if (node.isBootstrap) continue;
      const broker = named.get(node.brokerId);
      if (broker !== undefined && broker.host === node.host && broker.port === node.port) continue;
      this.#nodes.delete(node.id);
      this.#lanes.get(node.lane)?.delete(node.brokerId);
      node.retire(broker !== undefined && node.isBroker);
      gone.push(node);
    }
    for (const { id, host, port } of named.values()) {
      if (id >= 0 && !this.#nodes.has(id)) this.#add(id, host, port);
    }
    return gone;
  }

  /**
   * Brokers that other responses named (KIP-951): those that metadata does not know yet become nodes. What it does know stays
   * where it is until metadata says otherwise; a failed connection asks for that.
   */
  learn(brokers: readonly BrokerHint[]): void {
    for (const { nodeId, host, port } of brokers) {
      if (nodeId >= 0 && !this.#nodes.has(nodeId)) this.#add(nodeId, host, port);
    }
  }

  /**
   * Who may be asked for metadata: brokers, and bootstrap servers while no broker is known, or all have failed. One that has
   * a broker's name and port is tried as that broker: two nodes would double the attempts, and each have its own backoff.
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

  /** Whom to ask for metadata: of the candidates that take a request the one with the fewest in flight; else a bootstrap server. */
  leastLoaded(now: number): Node | undefined {
    return this.#leastLoadedOf(this.candidates(), now) ?? this.#leastLoadedOf([...this.bootstrapNodes()], now);
  }

  #leastLoadedOf(nodes: readonly Node[], now: number): Node | undefined {
    const { maxInFlightRequestsPerConnection } = this.#config;
    let best: Node | undefined;
    for (const node of this.#rotated(nodes)) {
      if (!node.canSend(now, maxInFlightRequestsPerConnection)) continue;
      if (best === undefined || node.inFlight.size < best.inFlight.size) best = node;
    }
    return best;
  }

  /**
   * Whom to connect to while no candidate takes a request, and when: those that were tried last come last. A silent attempt
   * holds up the next for a moment, each further one for longer: few run at a time, however many are black holes.
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

  /** From one that chance names on, so that a cluster's clients do not all ask the same. */
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
    const node = new Node({ id, brokerId, lane, host, port }, { connection, probe }, this.#published, oneWayMaxBytes);
    this.#nodes.set(id, node);
    return node;
  }
}
