// Owns the names and meanings of metrics, and how they are computed from what the network thread recorded. Application thread. It
// only reads shared memory: it must not write and must not send messages. Source: names and groups of kafka-python's and Kafka's own
// clients, counted per request and per response.

import { monotonicNowMs } from '../../common/clock.ts';
import { coordinatorLane, mainLane, sharedScope } from '../../common/node-ids.ts';
import type { ApplicationEnd } from '../../ring/attachment.ts';
import type { ClientMetricsReader } from '../../state/api-metrics.ts';
import type { CountersReader } from '../../state/counters.ts';
import {
  Definer,
  definitionsOf,
  type Metric,
  type MetricDefinition,
  type MetricGroups,
  type MetricValues,
  valuesOf,
} from '../../state/definitions/metric.ts';
import { type MetricsRow, metricsRow, type SlotName, TOTALS_ROW } from '../../state/shared-metrics.ts';
import { apiDefinitions, type LatencyHistogram, readApis } from './api-metrics.ts';

interface Context {
  readonly row: MetricsRow;
  readonly end: ApplicationEnd;
  /** The row in the node table. Not used for the whole client. */
  readonly nodeRow: number;
}

const of = new Definer<SlotName, Context>();

const openRequests: Metric<Context>['read'] = ({ row }) =>
  row.total('accepted') - row.total('succeeded') - row.total('failed');

const metrics: readonly Metric<Context>[] = [
  ...of.counted('both', 'connection-creation', 'connectionsCreated', 'Connections that became ready'),
  ...of.counted('both', 'connection-close', 'connectionsClosed', 'Connections that ended, and attempts that failed'),
  of.now('client', 'connection-count', 'connectionCount', 'Connections open or being opened'),
  ...of.counted('both', 'request', 'requests', 'Requests sent'),
  of.average('both', 'request-size', 'bytes', ['requestBytes', 'requests'], 'size of requests'),
  of.greatest('both', 'request-size', 'bytes', 'requestBytesMax', 'size of a request'),
  ...of.counted('both', 'outgoing-byte', 'requestBytes', 'Bytes of requests', 'bytes'),
  ...of.counted('both', 'response', 'responses', 'Responses received'),
  ...of.counted('both', 'incoming-byte', 'responseBytes', 'Bytes of responses', 'bytes'),
  of.gauge('client', 'network-io-rate', 'events/s', 'Requests and responses, per second', ({ row }) => {
    return row.perSecond('requests') + row.perSecond('responses');
  }),
  of.average('both', 'request-latency', 'ms', ['latencyMs', 'responses'], 'time from request to response'),
  of.greatest('both', 'request-latency', 'ms', 'latencyMsMax', 'time from request to response'),
  of.average('both', 'throttle-time', 'ms', ['throttleMs', 'responses'], 'throttle time of a response'),
  of.greatest('both', 'throttle-time', 'ms', 'throttleMsMax', 'throttle time of a response'),
  of.total('both', 'request-timeout', 'requestsTimedOut', 'Requests that had no response in time'),
  of.gauge('node', 'requests-in-flight', 'events', 'Requests that await their response', ({ end, nodeRow }) => {
    return end.counters.inFlight(nodeRow);
  }),
  of.gauge('client', 'select-rate', 'events/s', 'Rounds of the poll loop, per second', ({ row }) =>
    row.perSecond('rounds'),
  ),
  of.average(
    'client',
    'io-wait-time-ns',
    'ns',
    ['waitNs', 'rounds'],
    'time the network thread slept between two rounds',
  ),
  of.gauge('client', 'io-wait-ratio', 'ratio', 'Share of the time in which the network thread slept', ({ row }) => {
    return row.perSecond('waitNs') / 1e9;
  }),
  of.average('client', 'io-time-ns', 'ns', ['roundNs', 'rounds'], 'duration of a round of the poll loop'),
  of.greatest('client', 'io-time-ns', 'ns', 'roundNsMax', 'duration of a round: nothing else happened in that time'),
  of.gauge('client', 'io-ratio', 'ratio', 'Share of the time in which the network thread worked', ({ row }) => {
    return row.perSecond('roundNs') / 1e9;
  }),
  of.now(
    'client',
    'muted-connections',
    'mutedConnections',
    'Connections that are not read because the application is behind',
  ),
  of.now(
    'client',
    'requests-waiting',
    'waitingRequests',
    'Requests that wait because requests of other threads have all places on their connection',
  ),
  of.now('client', 'codec-pool-tasks', 'poolTasks', 'Tasks that run in the codec pool or wait for it'),
  of.now('client', 'codec-pool-bytes', 'poolBytes', 'Bytes in those tasks', 'bytes'),
  of.total(
    'client',
    'request-accepted',
    'accepted',
    'Requests that the network thread has taken: succeeded, failed and open',
  ),
  of.total(
    'client',
    'request-succeeded',
    'succeeded',
    'Requests that got their response; with acks 0, requests that the socket has',
  ),
  of.total('client', 'request-failed', 'failed', 'Requests that ended without a response'),
  of.gauge('client', 'requests-open', 'events', 'Requests that have neither succeeded nor failed', openRequests),
  of.total('client', 'metadata-refresh', 'metadataRefreshes', 'Metadata refreshes that succeeded'),
  of.total('client', 'metadata-failure', 'metadataFailures', 'Metadata refreshes that failed'),
  of.total(
    'client',
    'protocol-error',
    'protocolErrors',
    'Connections that were closed because their bytes could not be decoded',
  ),
  of.total(
    'client',
    'response-with-extra-bytes',
    'responsesWithExtraBytes',
    'Responses with bytes after their body, which are ignored: the broker and this client have different definitions of the message',
  ),
  of.now(
    'client',
    'blocked-threads',
    'blockedThreads',
    'Application threads that have read nothing for `blockedThreadWarnMs` although something waits for them',
  ),
  of.total('client', 'thread-blocked', 'threadsBlocked', 'How often an application thread became such a thread'),
  of.greatest('client', 'thread-blocked-time', 'ms', 'threadBlockedMsMax', 'time for which such a thread read nothing'),
  of.total('client', 'rebootstrap', 'startedOver', 'How often the client went back to its bootstrap servers'),
  of.gauge(
    'client',
    'request-ring-bytes',
    'bytes',
    'Bytes in the ring of requests',
    ({ end }) => end.requests.usedBytes,
  ),
  of.gauge(
    'client',
    'response-ring-bytes',
    'bytes',
    'Bytes in the ring of responses',
    ({ end }) => end.responses.usedBytes,
  ),
  of.gauge(
    'client',
    'request-spill-bytes',
    'bytes',
    'Bytes of moved request bodies that are under way; the limit is `spillBudgetBytes`',
    ({ end }) => {
      return end.requests.spilledBytesOutstanding;
    },
  ),
  of.gauge(
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
export const metricDefinitions: readonly MetricDefinition[] = [...definitionsOf(metrics), ...apiDefinitions];

/** All metrics of a client at one moment. */
export interface MetricsSnapshot {
  readonly client: MetricValues;
  /** The key is the node's name, such as `1`, `bootstrap-0` or `coordinator-1`; `1@3` for the own connection of an attached thread. */
  readonly nodes: ReadonlyMap<string, MetricValues>;
  /** The key is the API's name, such as `Fetch`. It has the APIs that were used. */
  readonly apis: ReadonlyMap<string, MetricValues>;
  /** The latencies of the same APIs since the start. */
  readonly latencies: ReadonlyMap<string, LatencyHistogram>;
}

/** @param apiNames API key to name */
export function readMetrics(
  reader: ClientMetricsReader,
  end: ApplicationEnd,
  apiNames: ReadonlyMap<number, string>,
): MetricsSnapshot {
  const { counters } = end;
  const nodes = counters.allRows();
  const rows = [TOTALS_ROW, ...nodes.map(({ row }) => metricsRow(row))];
  const now = monotonicNowMs();
  const [totals, ...nodeRows] = reader.values.read(rows, now);
  return {
    ...readApis(reader.apis, apiNames, now),
    client: valuesOf(ofClient, { row: totals!, end, nodeRow: -1 }),
    nodes: new Map(
      nodes.map(({ nodeId, row }, i) => [
        nodeName(nodeId, row, counters),
        valuesOf(ofNodes, { row: nodeRows[i]!, end, nodeRow: row }),
      ]),
    ),
  };
}

/** The metrics in the groups of other clients. Each group name begins with the prefix and a hyphen. */
export function groupsOf({ client, nodes, apis }: MetricsSnapshot, prefix: string): MetricGroups {
  const start = prefix === '' ? '' : `${prefix}-`;
  const groups: MetricGroups = { [`${start}metrics`]: { ...client } };
  let count = Object.keys(client).length;
  for (const [name, values] of nodes) {
    groups[`${start}node-metrics.node-${name}`] = { ...values };
    count += Object.keys(values).length;
  }
  for (const [name, values] of apis) {
    groups[`${start}api-metrics.${name}`] = { ...values };
    count += Object.keys(values).length;
  }
  groups['kafka-metrics-count'] = { count };
  return groups;
}

/** `1`, `coordinator-1`, `1-fetch` for broker 1 in lane `fetch`, `bootstrap-0`; `1@3` for an own connection, of a client or a consumer. */
function nodeName(nodeId: number, row: number, counters: CountersReader): string {
  const lane = counters.lane(row);
  const scope = counters.scope(row);
  const owner = scope === sharedScope ? '' : `@${scope}`;
  const brokerId = counters.brokerId(row) ?? nodeId;
  if (lane === coordinatorLane) return `${lane}-${brokerId}${owner}`;
  if (lane !== mainLane) return `${brokerId}-${lane}${owner}`;
  return nodeId < 0 ? `bootstrap-${-1 - nodeId}` : `${nodeId}${owner}`;
}
