// Owns what `client.inspect()` returns: connections, links and last errors at one moment, as data and as a table. Application thread.
// It only reads shared memory: it must not send a message, and must not show a secret.

import { monotonicNowMs } from '../../common/clock.ts';
import { fromPlainError, type PlainError } from '../../common/errors/plain-error.ts';
import { coordinatorLane, isBootstrapId, mainLane, sharedScope } from '../../common/node-ids.ts';
import {
  type CountersReader,
  NODE_CONNECTED,
  NODE_CONNECTING,
  NODE_DISCONNECTED,
  STATE_CLOSED,
  STATE_LOST,
  STATE_RUNNING,
} from '../../state/counters.ts';
import type { ShownEnd, ShownRole } from '../link/client-host.ts';
import type { Cluster } from './cluster.ts';

/** One connection, or one that was tried or is wanted. */
export interface InspectedConnection {
  /** The node id that methods of the client take. */
  readonly nodeId: number;
  /** `broker 1`, `bootstrap 0`, `coordinator 1`, `broker 1, lane fetch`. */
  readonly name: string;
  /** `host:port` as metadata or `bootstrapServers` name it; null when metadata does not name it any more. */
  readonly address: string | null;
  /** Null: all threads use it. Else the number of the attached client that it belongs to. */
  readonly attachment: number | null;
  readonly state: 'connected' | 'connecting' | 'disconnected' | 'idle';
  /** Requests of all threads and of the network thread that await their response. */
  readonly inFlight: number;
  /** ms for which a quota holds requests back; 0 for none. */
  readonly throttledMs: number;
  /** ms until the next attempt may begin; 0 for now. */
  readonly backoffMs: number;
  /** The peer does not read what was sent to it. */
  readonly isHeldBack: boolean;
  /** Why the last connection or attempt ended; null if the node has been connected since. */
  readonly lastError: Error | null;
}

/** One direction between two threads. */
export interface InspectedLink {
  /** `client`, `producer` or `consumer`, with its transactional id or group id, and the direction. */
  readonly name: string;
  readonly ringBytes: number;
  readonly usedBytes: number;
  /** The greatest fill since the start. */
  readonly highWaterBytes: number;
  /** Bytes of bodies that were moved instead of copied through the ring, and are not read yet. */
  readonly movedBytes: number;
}

export interface InspectedSession {
  readonly config: { readonly clientId: string; readonly bootstrapServers: readonly { host: string; port: number }[] };
  readonly cluster: Cluster;
  readonly inFlight: { readonly size: number };
  readonly thread: { readonly end: ShownEnd; readonly threadId: number };
  readonly roles: { readonly shown: readonly ShownRole[] };
}

/** What a client looks like at one moment. `String(inspection)` and `console.log(inspection)` show it as tables. */
export class ClientInspection {
  readonly clientId: string;
  readonly networkThread: 'starting' | 'running' | 'closed' | 'lost';
  /** Rounds of the network thread, a uint32: if it stands still while requests are open, the thread is stuck. */
  readonly networkThreadRounds: number;
  /** Node's number of the thread that this client belongs to; 0 for the main thread. */
  readonly threadId: number;
  /** Requests of this thread that have not ended. */
  readonly openRequests: number;
  /** ms until metadata is due; 0 when it is due, being refreshed, or never came. */
  readonly metadataDueMs: number;
  readonly connections: readonly InspectedConnection[];
  readonly links: readonly InspectedLink[];

  constructor({ config, cluster, inFlight, thread, roles }: InspectedSession) {
    const { counters } = thread.end;
    const now = monotonicNowMs();
    this.clientId = config.clientId;
    this.networkThread = stateName(counters.state());
    this.networkThreadRounds = counters.turns();
    this.threadId = thread.threadId;
    this.openRequests = inFlight.size;
    this.metadataDueMs = counters.metadataTtlMs(now);
    // The connections of a thread that has ended are gone, whatever the table says.
    const rows = counters.isEnded() ? [] : counters.allRows();
    this.connections = rows.map(({ nodeId, row }) => {
      const brokerId = counters.brokerId(row) ?? nodeId;
      const server = isBootstrapId(nodeId) ? config.bootstrapServers[-1 - nodeId] : cluster.brokerMetadata(brokerId);
      return connectionOf(counters, nodeId, row, server ?? null, now);
    });
    this.links = [{ kind: 'client', name: '', end: thread.end } as const, ...roles.shown].flatMap(linksOf);
  }

  toString(): string {
    const { connections, links } = this;
    const thread = this.threadId === 0 ? 'main thread' : `thread ${this.threadId}`;
    const head = `${this.clientId} in the ${thread}: network thread ${this.networkThread}, ${this.openRequests} open requests of this thread, metadata due in ${this.metadataDueMs} ms`;
    const errors = connections.filter(({ lastError }) => lastError !== null);
    return [
      head,
      '',
      tableOf(
        ['connection', 'address', 'state', 'in flight', 'throttled ms', 'backoff ms', 'of'],
        connections.map((each) => [
          each.name,
          each.address ?? '?',
          each.isHeldBack ? `${each.state}, does not read` : each.state,
          each.inFlight,
          each.throttledMs,
          each.backoffMs,
          each.attachment === null ? 'all threads' : `attachment ${each.attachment}`,
        ]),
      ),
      '',
      tableOf(
        ['link', 'fill', 'high water', 'ring bytes', 'moved bytes'],
        links.map(({ name, usedBytes, highWaterBytes, ringBytes, movedBytes }) => [
          name,
          `${usedBytes} (${percent(usedBytes, ringBytes)})`,
          `${highWaterBytes} (${percent(highWaterBytes, ringBytes)})`,
          ringBytes,
          movedBytes,
        ]),
      ),
      ...(errors.length === 0 ? [] : ['', 'last errors']),
      ...errors.map(({ name, lastError }) => `${name}: ${lastError!.message}`),
    ].join('\n');
  }

  /** For `console.log` and `util.inspect`. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

function connectionOf(
  counters: CountersReader,
  nodeId: number,
  row: number,
  server: { readonly host: string; readonly port: number } | null,
  now: number,
): InspectedConnection {
  const error = counters.nodeError(row);
  const scope = counters.scope(row);
  return {
    nodeId,
    name: nameOf(nodeId, counters.brokerId(row) ?? nodeId, counters.lane(row)),
    address: server === null ? null : `${server.host}:${server.port}`,
    attachment: scope === sharedScope ? null : scope,
    state: nodeStateName(counters.nodeState(row)),
    inFlight: counters.inFlight(row),
    throttledMs: counters.throttleRemainingMs(row, now),
    backoffMs: counters.backoffRemainingMs(row, now),
    isHeldBack: counters.isHeldBack(row),
    lastError: error === '' ? null : fromPlainError(JSON.parse(error) as PlainError),
  };
}

function nameOf(nodeId: number, brokerId: number, lane: string): string {
  if (lane === coordinatorLane) return `coordinator ${brokerId}`;
  if (lane !== mainLane) return `broker ${brokerId}, lane ${lane}`;
  return isBootstrapId(nodeId) ? `bootstrap ${-1 - nodeId}` : `broker ${brokerId}`;
}

function linksOf({ kind, name, end }: { kind: string; name: string; end: ShownEnd }): InspectedLink[] {
  const of = name === '' ? kind : `${kind} ${name}`;
  return (['requests', 'responses'] as const).map((direction) => {
    const { ringBytes, usedBytes, highWaterBytes, spilledBytesOutstanding } = end[direction];
    return {
      name: `${of}, ${kind === 'client' ? direction : direction === 'requests' ? 'to the network thread' : 'from it'}`,
      ringBytes,
      usedBytes,
      highWaterBytes,
      movedBytes: spilledBytesOutstanding,
    };
  });
}

function stateName(state: number): ClientInspection['networkThread'] {
  if (state === STATE_RUNNING) return 'running';
  if (state === STATE_CLOSED) return 'closed';
  return state === STATE_LOST ? 'lost' : 'starting';
}

function nodeStateName(state: number): InspectedConnection['state'] {
  if (state === NODE_CONNECTED) return 'connected';
  if (state === NODE_CONNECTING) return 'connecting';
  return state === NODE_DISCONNECTED ? 'disconnected' : 'idle';
}

function percent(part: number, whole: number): string {
  return `${Math.round((part / whole) * 100)} %`;
}

/** Columns of equal width; numbers to the right. */
function tableOf(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const widths = heads.map((head, column) => {
    return rows.reduce((width, row) => Math.max(width, String(row[column]).length), head.length);
  });
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, column) => {
        const text = String(cell);
        return typeof cell === 'number' ? text.padStart(widths[column]!) : text.padEnd(widths[column]!);
      })
      .join('  ')
      .trimEnd();
  return [heads, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('\n');
}
