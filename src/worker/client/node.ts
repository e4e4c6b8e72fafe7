// Owns what the network thread knows about one node, and its row in the shared node table. Network thread.

import { toBriefJson } from '../../common/errors/plain-error.ts';
import { mainLane, nodeKey, sharedScope } from '../../common/node-ids.ts';
import type { CountersWriter } from '../../state/counters.ts';
import { NO_ROW, NODE_CONNECTED, NODE_CONNECTING, NODE_DISCONNECTED, NODE_UNKNOWN } from '../../state/counters.ts';
import { NODE_ERROR_MAX_BYTES } from '../../state/node-errors.ts';
import type { Channel } from '../net/channel.ts';
import type { Metrics } from '../report/metrics-recorder.ts';
import { InFlightRequests } from '../requests/in-flight-requests.ts';
import type { NodeApiVersions } from './api-versions.ts';
import type { ConnectionState } from './connection-states.ts';
import type { Handshake } from './handshake.ts';
import type { VersionProbe } from './version-probe.ts';
import { WaitingRequests } from './waiting-requests.ts';

/** The names of a node: its id, its broker, its lane and its address. */
export interface NodeAddress {
  readonly id: number;
  /** Broker id as metadata names it; for a bootstrap server its node id. */
  readonly brokerId: number;
  /** Name of the connection; `mainLane` for the connection that everybody uses. */
  readonly lane: string;
  /** `sharedScope`, or the attachment that the connection belongs to. */
  readonly scope: number;
  readonly host: string;
  readonly port: number;
}

/** Where the state of nodes is readable for every thread. */
export interface NodeTable {
  readonly counters: CountersWriter;
  readonly metrics: Metrics;
  /** Takes a row of the full table from a node that does not need it; false when all do. */
  readonly makeRoom: (now: number) => boolean;
}

export class Node {
  /** As applications name it; within its scope. */
  readonly id: number;
  /** Tells it from all other nodes. */
  readonly key: number;
  readonly brokerId: number;
  readonly lane: string;
  readonly scope: number;
  readonly host: string;
  readonly port: number;
  readonly connection: ConnectionState;
  readonly inFlight = new InFlightRequests();
  /** Requests of applications that wait for a place among those in flight. Empty unless the connection is ready. */
  readonly waiting = new WaitingRequests();
  /** Its number in calls of Metrics. */
  metricsRow = NO_ROW;
  channel: Channel | null = null;
  apiVersions: NodeApiVersions | null = null;
  /** The handshake of the connection that is being set up. */
  handshake: Handshake | null = null;
  readonly probe: VersionProbe;
  /** The number of the name look-up under way. It tells a late answer from the awaited one. */
  lookupId = 0;
  isLookingUp = false;
  /** Last time a response arrived or the connection became ready, on the monotonic clock. */
  lastActiveAt = 0;

  readonly #counters: CountersWriter;
  readonly #metrics: Metrics;
  readonly #makeRoom: (now: number) => boolean;
  #row = NO_ROW;
  readonly #oneWayMaxBytes: number;
  /** Former connections to this node, whose requests are still being answered: metadata names another address since, or had none. */
  readonly #elders = new Set<Node>();
  #wasHeldBack = false;
  #isRetired = false;
  /** Of a node that is retired: which one has its id now. */
  #successor: Node | null = null;
  #publishedError: Error | null = null;

  /** @param oneWayMaxBytes bytes of requests without response that may wait for a peer that does not read */
  constructor(
    { id, brokerId, lane, scope, host, port }: NodeAddress,
    { connection, probe }: { connection: ConnectionState; probe: VersionProbe },
    { counters, metrics, makeRoom }: NodeTable,
    oneWayMaxBytes: number,
  ) {
    this.id = id;
    this.key = nodeKey(id, scope);
    this.brokerId = brokerId;
    this.lane = lane;
    this.scope = scope;
    this.host = host;
    this.port = port;
    this.connection = connection;
    this.probe = probe;
    this.#counters = counters;
    this.#metrics = metrics;
    this.#makeRoom = makeRoom;
    if (!counters.isFull) this.#takeRow();
    this.#oneWayMaxBytes = oneWayMaxBytes;
  }

  /** For errors and the log: `node 1 (host:9092)`, with its lane if that is not the main one, and whose connection it is. */
  get name(): string {
    const lane = this.lane === mainLane ? '' : `, lane ${this.lane}`;
    const own = this.scope === sharedScope ? '' : `, own connection ${this.scope}`;
    return `node ${this.brokerId} (${this.host}:${this.port}${lane}${own})`;
  }

  /** Bootstrap servers are numbered -1, -2, ... */
  get isBootstrap(): boolean {
    return this.id < 0 && this.lane === mainLane;
  }

  /** Whether this is a broker of metadata on the connection that everybody uses. */
  get isBroker(): boolean {
    return this.id >= 0 && this.lane === mainLane && this.scope === sharedScope;
  }

  get isReady(): boolean {
    return this.channel?.isReady === true;
  }

  get isConnecting(): boolean {
    return this.isLookingUp || (this.channel !== null && !this.channel.isReady);
  }

  /** Whether the peer does not read, and too many bytes of requests without response wait for it. */
  get isHeldBack(): boolean {
    return this.channel?.isBlocked === true && this.channel.oneWay.unwrittenBytes >= this.#oneWayMaxBytes;
  }

  /** Whether a connection attempt may begin. */
  canConnect(now: number): boolean {
    return this.channel === null && !this.isLookingUp && this.connection.delay(now) === 0;
  }

  canSend(now: number, maxInFlight: number): boolean {
    return this.isReady && this.inFlight.size < maxInFlight && !this.connection.isThrottled(now);
  }

  /** Metadata does not name this node here any more; what is under way on its connection is still answered. */
  get isLeaving(): boolean {
    return this.#isRetired;
  }

  /** Whether something waits for an answer, for the socket, or for the peer to take it. */
  get isUnderWay(): boolean {
    const { channel, inFlight } = this;
    return inFlight.size > 0 || (channel !== null && (channel.hasQueuedSends || channel.oneWay.unwrittenBytes > 0));
  }

  /** Whether applications can see the state of this node, and so use it. */
  get hasRow(): boolean {
    return this.#row !== NO_ROW;
  }

  #takeRow(): void {
    const isNew = this.#counters.nodeRow(this.key) === NO_ROW;
    this.#row = this.#counters.addNode(this.id, this.brokerId, this.lane, this.scope);
    this.metricsRow = this.#metrics.nodeAdded(this.#row, isNew);
  }

  /** Gives its row to another node if there is nothing that it has to tell. */
  giveUpRow(now: number): boolean {
    if (this.#row === NO_ROW || this.#isRetired || this.#elders.size > 0 || this.#hasNews(now)) return false;
    this.#counters.removeNode(this.key);
    this.#row = NO_ROW;
    this.metricsRow = NO_ROW;
    return true;
  }

  /** Whether applications have to know more of it than of a node that was never heard of. */
  #hasNews(now: number): boolean {
    const { connection } = this;
    if (this.channel !== null || this.isLookingUp || connection.lastError !== null) return true;
    return connection.failures > 0 || connection.isThrottled(now) || connection.delay(now) > 0;
  }

  /** Writes the current state into shared memory, for every thread. */
  publish(now: number): void {
    if (this.#isRetired) {
      this.#publishLeaving(now);
      return;
    }
    if (this.#row === NO_ROW && this.#hasNews(now)) {
      if (this.#counters.isFull) this.#makeRoom(now);
      this.#takeRow();
    }
    const { connection } = this;
    const row = this.#row;
    this.#publishInFlight();
    this.#counters.setThrottledUntil(row, connection.throttledUntil, now);
    this.#counters.setBackoffUntil(row, connection.backoffUntil, now);
    // The error comes before the state, so that a reader that sees the node disconnected also sees why.
    this.#publishError();
    this.#counters.setNodeState(row, this.#state());
    this.publishHeldBack();
  }

  /** How many requests await their response, before it is so, or again. */
  publishInFlight(count: number): void {
    if (!this.#isRetired) this.#counters.setInFlight(this.#row, count);
  }

  /** The same only for the state that changes without a request in flight. */
  publishHeldBack(): void {
    if (this.#isRetired || this.isHeldBack === this.#wasHeldBack) return;
    this.#wasHeldBack = this.isHeldBack;
    this.#counters.setHeldBack(this.#row, this.#wasHeldBack);
  }

  /** The cluster has moved on: the id is another node's from now on, or nobody's. */
  retire(): void {
    this.#isRetired = true;
  }

  /** A retired node, and those it followed, has this one's id: their requests count as requests to this one. */
  follow(elder: Node): void {
    for (const older of elder.#elders) this.#adopt(older);
    elder.#elders.clear();
    this.#adopt(elder);
  }

  /** The connection of a retired node has ended, or there was none: the row is free unless it has another owner. */
  gone(now: number): void {
    const successor = this.#successor;
    if (successor === null) {
      if (this.#elders.size === 0) this.#counters.removeNode(this.key);
      return;
    }
    successor.#elders.delete(this);
    if (successor.#isRetired && successor.channel === null) successor.gone(now);
    else successor.publish(now);
  }

  #adopt(elder: Node): void {
    elder.#successor = this;
    this.#elders.add(elder);
  }

  #publishLeaving(now: number): void {
    if (this.#successor !== null) {
      this.#successor.publish(now);
      return;
    }
    this.#publishInFlight();
    this.#counters.setNodeState(this.#row, NODE_UNKNOWN);
  }

  #publishInFlight(): void {
    let { size, internalCount } = this.inFlight;
    for (const { inFlight } of this.#elders) {
      size += inFlight.size;
      internalCount += inFlight.internalCount;
    }
    this.#counters.setInFlight(this.#row, size);
    this.#counters.setInternalInFlight(this.#row, internalCount);
  }

  #publishError(): void {
    const error = this.connection.lastError;
    if (error === this.#publishedError) return;
    this.#publishedError = error;
    this.#counters.setNodeError(this.#row, error === null ? '' : toBriefJson(error, NODE_ERROR_MAX_BYTES));
  }

  #state(): number {
    if (this.isReady) return NODE_CONNECTED;
    if (this.isConnecting) return NODE_CONNECTING;
    return this.connection.failures > 0 || this.connection.lastError !== null ? NODE_DISCONNECTED : NODE_UNKNOWN;
  }
}
