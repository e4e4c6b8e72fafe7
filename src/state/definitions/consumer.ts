// Owns the names and meanings of a consumer's metrics: application threads show them, the network thread pushes them. Every thread. It only
// reads: it must not write and must not send messages. Source: names of Kafka's own consumer.

import type { PartitionSnapshot } from '../../common/consumer-calls.ts';
import { greatest, least } from '../../common/lists.ts';
import type { ConsumerSlot, ConsumerTime, ConsumerTimes } from '../consumer-metrics.ts';
import { lagOf } from '../consumer-snapshot.ts';
import type { MetricsRow } from '../shared-metrics.ts';
import { Definer, type Metric } from './metric.ts';

export interface ConsumerContext {
  readonly row: MetricsRow<ConsumerSlot>;
  readonly times: ConsumerTimes;
  readonly partitions: readonly PartitionSnapshot[];
  /** ms on the monotonic clock. */
  readonly now: number;
}

const of = new Definer<ConsumerSlot, ConsumerContext>();

function ago(name: string, time: ConsumerTime, doc: string): Metric<ConsumerContext> {
  return of.gauge('consumer', `${name}-seconds-ago`, 's', doc, ({ times, now }) => {
    const at = times.get(time);
    return at === 0 ? -1 : Math.max(0, (now - at) / 1000);
  });
}

const leadOf = ({ begin, position }: PartitionSnapshot): number =>
  begin === null || position === null ? 0 : Math.max(0, Number(position - begin));

export const consumerMetrics: readonly Metric<ConsumerContext>[] = [
  ...of.counted('both', 'records-consumed', 'records', 'Records that were handed out'),
  ...of.counted('both', 'bytes-consumed', 'bytes', 'Bytes of these records, as they were fetched', 'bytes'),
  of.gauge(
    'consumer',
    'records-lag',
    'events',
    'Records between what is done and the end, of all partitions',
    (context) => context.partitions.reduce((sum, partition) => sum + lagOf(partition), 0),
  ),
  of.gauge('consumer', 'records-lag-max', 'events', 'The greatest lag of a partition', ({ partitions }) =>
    greatest(partitions.map(lagOf), 0),
  ),
  of.gauge(
    'consumer',
    'records-lead-min',
    'events',
    'The smallest distance of a position from the beginning of its log: near 0, retention may remove records that were not read',
    ({ partitions }) => (partitions.length === 0 ? 0 : least(partitions.map(leadOf))),
  ),
  ...of.counted('consumer', 'fetch', 'fetches', 'Answers to Fetch requests'),
  of.average('consumer', 'fetch-latency', 'ms', ['fetchMs', 'fetches'], 'time from a Fetch request to its answer'),
  of.greatest('consumer', 'fetch-latency', 'ms', 'fetchMsMax', 'time from a Fetch request to its answer'),
  of.average('consumer', 'fetch-size', 'bytes', ['fetchedBytes', 'fetches'], 'size of the records in an answer'),
  of.greatest('consumer', 'fetch-size', 'bytes', 'fetchedBytesMax', 'size of the records in an answer'),
  of.average('consumer', 'records-per-request', 'events', ['records', 'fetches'], 'number of records for an answer'),
  of.average(
    'consumer',
    'fetch-throttle-time',
    'ms',
    ['throttleMs', 'fetches'],
    'time for which an answer throttles the consumer',
  ),
  of.greatest(
    'consumer',
    'fetch-throttle-time',
    'ms',
    'throttleMsMax',
    'time for which an answer throttles the consumer',
  ),
  of.now('consumer', 'prefetched-bytes', 'bufferedBytes', 'Fetched bytes that wait for the application', 'bytes'),
  ...of.counted('consumer', 'commit', 'commits', 'Commits of offsets that have ended'),
  of.total('consumer', 'failed-commit', 'failedCommits', 'Commits that failed, at least for some partitions'),
  of.average('consumer', 'commit-latency', 'ms', ['commitMs', 'commits'], 'time that a commit took'),
  of.greatest('consumer', 'commit-latency', 'ms', 'commitMsMax', 'time that a commit took'),
  {
    ...of.total('consumer', 'committed-time-ns', 'committedMs', 'Time that calls of `committed` took', 'ns'),
    read: inNs,
  },
  of.gauge('consumer', 'assigned-partitions', 'events', 'Partitions that are assigned', ({ partitions }) => {
    return partitions.length;
  }),
  ...of.counted('consumer', 'heartbeat', 'heartbeats', 'Answers to heartbeats'),
  of.greatest('consumer', 'heartbeat-response-time', 'ms', 'heartbeatMsMax', 'time from a heartbeat to its answer'),
  ago('last-heartbeat', 'heartbeat', 'Time since the last answer to a heartbeat; -1: there was none'),
  ...of.counted('consumer', 'join', 'joins', 'Joins of the group (classic protocol)'),
  of.average('consumer', 'join-time', 'ms', ['joinMs', 'joins'], 'time from JoinGroup to its answer'),
  of.greatest('consumer', 'join-time', 'ms', 'joinMsMax', 'time from JoinGroup to its answer'),
  ...of.counted('consumer', 'sync', 'syncs', 'Assignments that were received (classic protocol)'),
  of.average('consumer', 'sync-time', 'ms', ['syncMs', 'syncs'], 'time from SyncGroup to its answer'),
  of.greatest('consumer', 'sync-time', 'ms', 'syncMsMax', 'time from SyncGroup to its answer'),
  ...of.counted('consumer', 'rebalance', 'rebalances', 'Rebalances that this member took part in'),
  ...of.counted('consumer', 'failed-rebalance', 'failedRebalances', 'Rebalances that ended without an assignment'),
  of.average('consumer', 'rebalance-latency', 'ms', ['rebalanceMs', 'rebalances'], 'time that a rebalance took'),
  of.greatest('consumer', 'rebalance-latency', 'ms', 'rebalanceMsMax', 'time that a rebalance took'),
  of.total('consumer', 'rebalance-latency', 'rebalanceMs', 'Time that all rebalances took', 'ms'),
  ago('last-rebalance', 'rebalance', 'Time since the last rebalance ended; -1: there was none'),
  of.average(
    'consumer',
    'time-between-poll',
    'ms',
    ['pollGapMs', 'polls'],
    'time from one question of the application for records to the next',
  ),
  of.greatest(
    'consumer',
    'time-between-poll',
    'ms',
    'pollGapMsMax',
    'time from one question of the application for records to the next',
  ),
  ago('last-poll', 'poll', 'Time since the application asked for records; -1: it never has'),
  of.average(
    'consumer',
    'poll-idle-ratio',
    'ratio',
    ['pollIdleMs', 'pollGapMs'],
    'share of the time in which the application waited for records',
  ),
];

function inNs({ row }: ConsumerContext): number {
  return row.total('committedMs') * 1e6;
}

export const partitionMetrics: readonly Metric<PartitionSnapshot>[] = [
  {
    name: 'records-lag',
    scope: 'partition',
    kind: 'gauge',
    unit: 'events',
    doc: 'Records between what is done and the end',
    read: lagOf,
  },
  {
    name: 'records-lead',
    scope: 'partition',
    kind: 'gauge',
    unit: 'events',
    doc: 'Records between the beginning of the log and the position',
    read: leadOf,
  },
  {
    name: 'preferred-read-replica',
    scope: 'partition',
    kind: 'gauge',
    unit: 'events',
    doc: 'Id of the broker that is read instead of the leader; -1: none',
    read: ({ preferredReplica }) => preferredReplica,
  },
];
