// Owns the names and meanings of metrics, and how they are computed from what the network thread recorded. Application thread. It
// only reads shared memory: it must not write and must not send messages. Source: names and groups of kafka-python's and Kafka's own
// clients, counted per request and per response.

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

/** Describes a metric. A `total` only grows. The others rise and fall. */
export interface MetricDefinition {
  readonly name: string;
  /** Whether it is recorded for each node, for the whole client, or for both. */
  readonly scope: 'client' | 'node' | 'both';
  readonly kind: 'total' | 'gauge';
  /** `events` is a number of what the name says. `ratio` is 0 to 1. Rates are per second. */
  readonly unit: 'events' | 'events/s' | 'bytes' | 'bytes/s' | 'ms' | 'ns' | 'ratio';
  readonly doc: string;
}

interface Context {
  readonly row: MetricsRow;
  readonly end: ApplicationEnd;
  /** The row in the node table. Not used for the whole client. */
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

/** A rate and its total. */
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
  ...counted('both', 'connection-close', 'connectionsClosed', 'Connections that ended, and attempts that failed'),
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
  gauge('client', 'io-wait-ratio', 'ratio', 'Share of the time in which the network thread slept', ({ row }) => {
    return row.perSecond('waitNs') / 1e9;
  }),
  average('client', 'io-time-ns', 'ns', ['roundNs', 'rounds'], 'duration of a round of the poll loop'),
  greatest('client', 'io-time-ns', 'ns', 'roundNsMax', 'duration of a round: nothing else happened in that time'),
  gauge('client', 'io-ratio', 'ratio', 'Share of the time in which the network thread worked', ({ row }) => {
    return row.perSecond('roundNs') / 1e9;
  }),
  now('muted-connections', 'mutedConnections', 'Connections that are not read because the application is behind'),
  now('codec-pool-tasks', 'poolTasks', 'Tasks that run in the codec pool or wait for it'),
  now('codec-pool-bytes', 'poolBytes', 'Bytes in those tasks', 'bytes'),
  total(
    'client',
    'request-accepted',
    'accepted',
    'Requests that the network thread has taken: succeeded, failed and open',
  ),
  total(
    'client',
    'request-succeeded',
    'succeeded',
    'Requests that got their response; with acks 0, requests that the socket has',
  ),
  total('client', 'request-failed', 'failed', 'Requests that ended without a response'),
  gauge('client', 'requests-open', 'events', 'Requests that have neither succeeded nor failed', openRequests),
  total('client', 'metadata-refresh', 'metadataRefreshes', 'Metadata refreshes that succeeded'),
  total('client', 'metadata-failure', 'metadataFailures', 'Metadata refreshes that failed'),
  total(
    'client',
    'protocol-error',
    'protocolErrors',
    'Connections that were closed because their bytes could not be decoded',
  ),
  total(
    'client',
    'response-with-extra-bytes',
    'responsesWithExtraBytes',
    'Responses with bytes after their body, which are ignored: the broker and this client have different definitions of the message',
  ),
  total('client', 'rebootstrap', 'startedOver', 'How often the client went back to its bootstrap servers'),
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
    'Bytes of moved request bodies that are under way; the limit is `spillBudgetBytes`',
    ({ end }) => {
      return end.requests.spilledBytesOutstanding;
    },
  ),
  gauge(
    'client',
    'response-spill-bytes',
    'bytes',
    'Bytes of moved response bodies that are not read yet; the limit is `spillBudgetBytes`',
    ({ end }) => {
      return end.responses.spilledBytesOutstanding;
    },
  ),
];

const ofClient = metrics.filter(({ scope }) => scope !== 'node');
const ofNodes = metrics.filter(({ scope }) => scope !== 'client');

/** All metrics, in the order of docs/metrics.md. */
export const metricDefinitions: readonly MetricDefinition[] = metrics.map(({ read: _, ...definition }) =>
  Object.freeze(definition),
);

/** Values by name. */
export type MetricValues = Readonly<Record<string, number>>;

/** All metrics at one moment. */
export interface MetricsSnapshot {
  readonly client: MetricValues;
  /** The key is the node's name, such as `1`, `bootstrap-0` or `coordinator-1`. */
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

/** The metrics in the groups of other clients. Each group name begins with the prefix and a hyphen. */
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
