// Owns the names and meanings of metrics, and how they are computed from what the network thread recorded.
// Application thread. Must not send a message or write: it only reads shared memory. Source: names and groups of
// kafka-python's and Kafka's own clients, counted per request and per response.

import { monotonicNowMs } from '../../common/clock.ts';
import { coordinatorLane, mainLane } from '../../common/node-ids.ts';
import type { ApplicationEnd } from '../../ring/attachment.ts';
import type { CountersReader } from '../../state/counters.ts';
import {
  type MetricsReader,
  type MetricsRow,
  metricsRow,
  type SlotName,
  TOTALS_ROW,
} from '../../state/shared-metrics.ts';

/** Metrics by group and name. */
export type MetricGroups = Record<string, Record<string, number>>;

/** What a metric is. A `total` only grows; the others rise and fall. */
export interface MetricDefinition {
  readonly name: string;
  /** Recorded for each node, for the whole client, or both. */
  readonly scope: 'client' | 'node' | 'both';
  readonly kind: 'total' | 'gauge';
  /** `events` count what the name says; `ratio` is 0 to 1; rates are per second. */
  readonly unit: 'events' | 'events/s' | 'bytes' | 'bytes/s' | 'ms' | 'ns' | 'ratio';
  readonly doc: string;
}

interface Context {
  readonly row: MetricsRow;
  readonly end: ApplicationEnd;
  /** In the node table; not used for the whole client. */
  readonly nodeRow: number;
}

interface Metric extends MetricDefinition {
  readonly read: (context: Context) => number;
}

type Scope = MetricDefinition['scope'];
type Unit = MetricDefinition['unit'];

function gauge(scope: Scope, name: string, unit: Unit, doc: string, read: Metric['read']): Metric {
  return { name, scope, kind: 'gauge', unit, doc, read };
}

function total(scope: Scope, name: string, slot: SlotName, doc: string, unit: Unit = 'events'): Metric {
  return { name: `${name}-total`, scope, kind: 'total', unit, doc, read: ({ row }) => row.total(slot) };
}

/** A rate, and the total that it belongs to. */
function counted(
  scope: Scope,
  name: string,
  slot: SlotName,
  doc: string,
  unit: 'events' | 'bytes' = 'events',
): Metric[] {
  return [
    gauge(scope, `${name}-rate`, `${unit}/s`, `${doc}, per second`, ({ row }) => row.perSecond(slot)),
    total(scope, name, slot, `${doc}, since the start`, unit),
  ];
}

function average(scope: Scope, name: string, unit: Unit, of: readonly [SlotName, SlotName], doc: string): Metric {
  return gauge(scope, `${name}-avg`, unit, `Average ${doc}`, ({ row }) => row.average(...of));
}

function greatest(scope: Scope, name: string, unit: Unit, slot: SlotName, doc: string): Metric {
  return gauge(scope, `${name}-max`, unit, `Greatest ${doc}`, ({ row }) => row.max(slot));
}

function now(name: string, slot: SlotName, doc: string, unit: Unit = 'events'): Metric {
  return gauge('client', name, unit, doc, ({ row }) => row.total(slot));
}

const openRequests: Metric['read'] = ({ row }) => row.total('accepted') - row.total('succeeded') - row.total('failed');

const metrics: readonly Metric[] = [
  ...counted('both', 'connection-creation', 'connectionsCreated', 'Connections that became ready'),
  ...counted('both', 'connection-close', 'connectionsClosed', 'Connections that ended, attempts that failed included'),
  now('connection-count', 'connectionCount', 'Connections open or being opened'),
  ...counted('both', 'request', 'requests', 'Requests sent'),
  average('both', 'request-size', 'bytes', ['requestBytes', 'requests'], 'size of requests'),
  greatest('both', 'request-size', 'bytes', 'requestBytesMax', 'size of a request'),
  ...counted('both', 'outgoing-byte', 'requestBytes', 'Bytes of requests', 'bytes'),
  ...counted('both', 'response', 'responses', 'Responses received'),
  ...counted('both', 'incoming-byte', 'responseBytes', 'Bytes of responses', 'bytes'),
  gauge('client', 'network-io-rate', 'events/s', 'Requests and responses, per second', ({ row }) => {
    return row.perSecond('requests') + row.perSecond('responses');
  }),
  average('both', 'request-latency', 'ms', ['latencyMs', 'responses'], 'time from request to response'),
  greatest('both', 'request-latency', 'ms', 'latencyMsMax', 'time from request to response'),
  average('both', 'throttle-time', 'ms', ['throttleMs', 'responses'], 'throttle time of a response'),
  greatest('both', 'throttle-time', 'ms', 'throttleMsMax', 'throttle time of a response'),
  total('both', 'request-timeout', 'requestsTimedOut', 'Requests that had no response in time'),
  gauge('node', 'requests-in-flight', 'events', 'Requests that await their response', ({ end, nodeRow }) => {
    return end.counters.inFlight(nodeRow);
  }),
  gauge('client', 'select-rate', 'events/s', 'Rounds of the poll loop, per second', ({ row }) =>
    row.perSecond('rounds'),
  ),
  average('client', 'io-wait-time-ns', 'ns', ['waitNs', 'rounds'], 'time the network thread slept between two rounds'),
  gauge('client', 'io-wait-ratio', 'ratio', 'Share of its time the network thread slept', ({ row }) => {
    return row.perSecond('waitNs') / 1e9;
  }),
  average('client', 'io-time-ns', 'ns', ['roundNs', 'rounds'], 'duration of a round of the poll loop'),
  greatest('client', 'io-time-ns', 'ns', 'roundNsMax', 'duration of a round: nothing else happened in that time'),
  gauge('client', 'io-ratio', 'ratio', 'Share of its time the network thread worked', ({ row }) => {
    return row.perSecond('roundNs') / 1e9;
  }),
  now('muted-connections', 'mutedConnections', 'Connections not read because the application is behind'),
  now('codec-pool-tasks', 'poolTasks', 'Tasks that run in the codec pool, or wait for it'),
  now('codec-pool-bytes', 'poolBytes', 'Bytes in those tasks', 'bytes'),
  total('client', 'request-accepted', 'accepted', 'Requests the network thread took over: succeeded, failed and open'),
  total(
    'client',
    'request-succeeded',
    'succeeded',
    'Those with a response, or handed to the socket where there is none',
  ),
  total('client', 'request-failed', 'failed', 'Those that ended without'),
  gauge('client', 'requests-open', 'events', 'Those that are neither', openRequests),
  total('client', 'metadata-refresh', 'metadataRefreshes', 'Metadata refreshes that succeeded'),
  total('client', 'metadata-failure', 'metadataFailures', 'Metadata refreshes that failed'),
  total('client', 'protocol-error', 'protocolErrors', 'Connections lost to bytes that could not be understood'),
  total(
    'client',
    'response-with-extra-bytes',
    'responsesWithExtraBytes',
    'Responses to the application with bytes behind their body, which are let pass: the broker and this client read the protocol differently',
  ),
  total('client', 'rebootstrap', 'startedOver', 'Times the client went back to its bootstrap servers'),
  gauge('client', 'request-ring-bytes', 'bytes', 'Bytes in the ring of requests', ({ end }) => end.requests.usedBytes),
  gauge(
    'client',
    'response-ring-bytes',
    'bytes',
    'Bytes in the ring of responses',
    ({ end }) => end.responses.usedBytes,
  ),
  gauge(
    'client',
    'request-spill-bytes',
    'bytes',
    'Moved bodies of requests under way, of `spillBudgetBytes`',
    ({ end }) => {
      return end.requests.spilledBytesOutstanding;
    },
  ),
  gauge(
    'client',
    'response-spill-bytes',
    'bytes',
    'Moved bodies of responses not read yet, of `spillBudgetBytes`',
    ({ end }) => {
      return end.responses.spilledBytesOutstanding;
    },
  ),
];

const ofClient = metrics.filter(({ scope }) => scope !== 'node');
const ofNodes = metrics.filter(({ scope }) => scope !== 'client');

/** Every metric there is, in the order of docs/metrics.md. */
export const metricDefinitions: readonly MetricDefinition[] = metrics.map(({ read: _, ...definition }) =>
  Object.freeze(definition),
);

/** Values by name. */
export type MetricValues = Readonly<Record<string, number>>;

/** All metrics at one moment. */
export interface MetricsSnapshot {
  readonly client: MetricValues;
  /** By the node's name, such as `1`, `bootstrap-0` or `coordinator-1`. */
  readonly nodes: ReadonlyMap<string, MetricValues>;
}

export function readMetrics(reader: MetricsReader, end: ApplicationEnd): MetricsSnapshot {
  const { counters } = end;
  const nodes = counters.nodeIds().map((nodeId) => ({ nodeId, nodeRow: counters.nodeRow(nodeId) }));
  const rows = [TOTALS_ROW, ...nodes.map(({ nodeRow }) => metricsRow(nodeRow))];
  const [totals, ...nodeRows] = reader.read(rows, monotonicNowMs());
  return {
    client: valuesOf(ofClient, { row: totals!, end, nodeRow: -1 }),
    nodes: new Map(
      nodes.map(({ nodeId, nodeRow }, i) => [
        nodeName(nodeId, counters),
        valuesOf(ofNodes, { row: nodeRows[i]!, end, nodeRow }),
      ]),
    ),
  };
}

/** In groups as other clients name them; a prefix stands in front of each, with a hyphen. */
export function groupsOf({ client, nodes }: MetricsSnapshot, prefix: string): MetricGroups {
  const start = prefix === '' ? '' : `${prefix}-`;
  const groups: MetricGroups = { [`${start}metrics`]: { ...client } };
  let count = Object.keys(client).length;
  for (const [name, values] of nodes) {
    groups[`${start}node-metrics.node-${name}`] = { ...values };
    count += Object.keys(values).length;
  }
  groups['kafka-metrics-count'] = { count };
  return groups;
}

/** `1`, `coordinator-1`, `1-fetch` for broker 1 in lane `fetch`, `bootstrap-0`. */
function nodeName(nodeId: number, counters: CountersReader): string {
  const row = counters.nodeRow(nodeId);
  const lane = counters.lane(row);
  const brokerId = counters.brokerId(row) ?? nodeId;
  if (lane === coordinatorLane) return `${lane}-${brokerId}`;
  if (lane !== mainLane) return `${brokerId}-${lane}`;
  return nodeId < 0 ? `bootstrap-${-1 - nodeId}` : String(nodeId);
}

function valuesOf(list: readonly Metric[], context: Context): MetricValues {
  return Object.fromEntries(list.map(({ name, read }) => [name, read(context)]));
}
