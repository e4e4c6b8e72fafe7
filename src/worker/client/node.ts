// Owns what the network thread knows of one node, and its row in the shared node table. Network thread.

import { toBriefJson } from '../../common/errors/plain-error.ts';
import { mainLane } from '../../common/node-ids.ts';
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

/** Which connection it is, and where it leads. */
export interface NodeAddress {
  readonly id: number;
  /** Broker id as metadata names it; of a bootstrap server, its node id. */
  readonly brokerId: number;
  /** Name of the connection; `mainLane` for the one that is for everything. */
  readonly lane: string;
  readonly host: string;
  readonly port: number;
}

export class Node {
  readonly id: number;
  readonly brokerId: number;
  readonly lane: string;
  readonly host: string;
  readonly port: number;
  readonly connection: ConnectionState;
  readonly inFlight = new InFlightRequests();
  /** Names it in calls of Metrics. */
  readonly metricsRow: number;
  channel: Channel | null = null;
  apiVersions: NodeApiVersions | null = null;
  /** Of the connection that is being set up. */
  handshake: Handshake | null = null;
  readonly probe: VersionProbe;
  /** A name look-up is under way; its number tells a late answer from the awaited one. */
  lookupId = 0;
  isLookingUp = false;
  /** Last time a response arrived or the connection became ready, on the monotonic clock. */
  lastActiveAt = 0;

  readonly #counters: CountersWriter;
  readonly #row: number;
  readonly #oneWayMaxBytes: number;
  #wasHeldBack = false;
  #isRetired = false;
  #publishedError: Error | null = null;

  /** @param oneWayMaxBytes requests without response that may wait for a peer that does not read */
  constructor(
    { id, brokerId, lane, host, port }: NodeAddress,
    { connection, probe }: { connection: ConnectionState; probe: VersionProbe },
    { counters, metrics }: { counters: CountersWriter; metrics: Metrics },
    oneWayMaxBytes: number,
  ) {
    const isNew = counters.nodeRow(id) === NO_ROW;
    this.id = id;
    this.brokerId = brokerId;
    this.lane = lane;
    this.host = host;
    this.port = port;
    this.connection = connection;
    this.probe = probe;
    this.#counters = counters;
    this.#row = counters.addNode(id, brokerId, lane);
    this.metricsRow = metrics.nodeAdded(this.#row, isNew);
    this.#oneWayMaxBytes = oneWayMaxBytes;
  }

  /** For errors and log: `node 1 (host:9092)`, with its lane if it is not the main one. */
  get name(): string {
    const lane = this.lane === mainLane ? '' : `, lane ${this.lane}`;
    return `node ${this.brokerId} (${this.host}:${this.port}${lane})`;
  }

  /** Bootstrap servers are numbered -1, -2, ... */
  get isBootstrap(): boolean {
    return this.id < 0 && this.lane === mainLane;
  }

  /** A broker as metadata names it, over the connection that is for everything. */
  get isBroker(): boolean {
    return this.id >= 0 && this.lane === mainLane;
  }

  get isReady(): boolean {
    return this.channel?.isReady === true;
  }

  get isConnecting(): boolean {
    return this.isLookingUp || (this.channel !== null && !this.channel.isReady);
  }

  /** The peer does not read, and requests that nothing will answer have piled up. */
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

  /** Makes the current state readable for every thread. */
  publish(now: number): void {
    if (this.#isRetired) return;
    const { connection, inFlight } = this;
    const row = this.#row;
    this.#counters.setInFlight(row, inFlight.size);
    this.#counters.setInternalInFlight(row, inFlight.internalCount);
    this.#counters.setThrottledUntil(row, connection.throttledUntil, now);
    this.#counters.setBackoffUntil(row, connection.backoffUntil, now);
    // Before the state: whoever sees it disconnected finds out why.
    this.#publishError();
    this.#counters.setNodeState(row, this.#state());
    this.publishHeldBack();
  }

  /** The same for the one thing that changes without a request in flight. */
  publishHeldBack(): void {
    if (this.#isRetired || this.isHeldBack === this.#wasHeldBack) return;
    this.#wasHeldBack = this.isHeldBack;
    this.#counters.setHeldBack(this.#row, this.#wasHeldBack);
  }

  /** The cluster has moved on: the row is another's, or nobody's, from now on. */
  retire(hasSuccessor: boolean): void {
    this.#isRetired = true;
    if (!hasSuccessor) this.#counters.removeNode(this.id);
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
