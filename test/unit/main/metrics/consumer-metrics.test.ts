// The names and values of a consumer's metrics, from memory that the network thread has written.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFolder } from '../../../../scripts/project.ts';
import { monotonicNowMs } from '../../../../src/common/clock.ts';
import type { PartitionSnapshot } from '../../../../src/common/consumer-calls.ts';
import {
  ConsumerMetrics,
  consumerGroupsOf,
  consumerMetricDefinitions,
} from '../../../../src/main/metrics/consumer-metrics.ts';
import { createConsumerMetrics } from '../../../../src/state/consumer-metrics.ts';
import { maxMeasuredTopics } from '../../../../src/state/topic-rows.ts';
import { ConsumerRecorder } from '../../../../src/worker/link/consumer-recorder.ts';

const nothing = { partitions: [] };

function partitionOf(partition: number, fields: Partial<PartitionSnapshot>): PartitionSnapshot {
  const unknown = { position: null, done: null, committed: null, begin: null, end: null };
  return { topic: 'a', partition, ...unknown, isPaused: false, preferredReplica: -1, ...fields };
}

test('the consumer, each topic and each partition have the metrics of the reference', () => {
  const shared = createConsumerMetrics();
  const now = monotonicNowMs();
  new ConsumerRecorder(shared, now).handedOut('orders', 1, 10, now);
  const { consumer, topics, partitions } = new ConsumerMetrics(shared).read({ partitions: [partitionOf(0, {})] });
  const names = [
    'records-lag records-lag-max records-lead-min fetch-latency-avg fetch-latency-max fetch-size-avg fetch-size-max fetch-rate',
    'records-consumed-rate bytes-consumed-rate records-per-request-avg fetch-throttle-time-avg fetch-throttle-time-max',
    'commit-latency-avg commit-latency-max committed-time-ns-total assigned-partitions join-rate join-time-avg join-time-max',
    'sync-rate sync-time-avg sync-time-max rebalance-latency-avg rebalance-latency-max rebalance-latency-total',
    'failed-rebalance-rate last-rebalance-seconds-ago heartbeat-response-time-max last-heartbeat-seconds-ago',
    'time-between-poll-avg time-between-poll-max last-poll-seconds-ago poll-idle-ratio-avg',
  ];
  for (const name of names.join(' ').split(' ')) assert.ok(name in consumer, name);
  for (const name of ['records-consumed-rate', 'bytes-consumed-rate']) assert.ok(name in topics.get('orders')!, name);
  for (const name of ['records-lag', 'records-lead', 'preferred-read-replica'])
    assert.ok(name in partitions[0]!.values, name);
});

test('recorded values are read back', () => {
  const shared = createConsumerMetrics();
  const now = monotonicNowMs();
  const recorder = new ConsumerRecorder(shared, now);
  recorder.fetched(10, 1000, 0, now);
  recorder.fetched(30, 3000, 50, now);
  recorder.handedOut('a', 6, 600, now);
  recorder.handedOut('b', 2, 100, now);
  recorder.roundEnded([{ bufferedBytes: 70 }, { bufferedBytes: 7 }], now);
  recorder.commitEnded(4, true, now);
  recorder.commitEnded(8, false, now);
  recorder.committedAnswered(3, now);
  recorder.heartbeatAnswered(5, now);
  recorder.heartbeatAnswered(2, now - 4000);
  recorder.joined(20, now);
  recorder.synced(6, now);
  recorder.rebalanced(40, now - 9000);
  recorder.rebalanceFailed(now);
  recorder.polled(1, null, 0, now - 300);
  recorder.polled(3, 300, 150, now - 2000);
  const snapshot = {
    partitions: [
      partitionOf(0, { begin: 10n, position: 40n, done: 30n, end: 100n, preferredReplica: 3 }),
      partitionOf(1, { begin: 0n, position: 100n, done: 100n, end: 1100n }),
      partitionOf(2, {}),
    ],
  };
  const { consumer, topics, partitions } = new ConsumerMetrics(shared).read(snapshot);
  const expected: Record<string, number> = {
    'records-consumed-total': 8,
    'bytes-consumed-total': 700,
    'records-lag': 1070,
    'records-lag-max': 1000,
    'records-lead-min': 0,
    'fetch-total': 2,
    'fetch-latency-avg': 20,
    'fetch-latency-max': 30,
    'fetch-size-avg': 2000,
    'fetch-size-max': 3000,
    'records-per-request-avg': 4,
    'fetch-throttle-time-avg': 25,
    'fetch-throttle-time-max': 50,
    'prefetched-bytes': 77,
    'commit-total': 2,
    'failed-commit-total': 1,
    'commit-latency-avg': 6,
    'commit-latency-max': 8,
    'committed-time-ns-total': 3e6,
    'assigned-partitions': 3,
    'heartbeat-total': 2,
    'heartbeat-response-time-max': 5,
    'join-total': 1,
    'join-time-avg': 20,
    'sync-time-max': 6,
    'rebalance-total': 1,
    'failed-rebalance-total': 1,
    'rebalance-latency-avg': 40,
    'rebalance-latency-total': 40,
    'time-between-poll-avg': 75,
    'time-between-poll-max': 300,
    'poll-idle-ratio-avg': 0.5,
  };
  for (const [name, value] of Object.entries(expected))
    assert.ok(Math.abs(consumer[name]! - value) < 1e-6, `${name} is ${consumer[name]}, expected ${value}`);
  for (const [name, least] of [
    ['last-heartbeat-seconds-ago', 4],
    ['last-rebalance-seconds-ago', 9],
    ['last-poll-seconds-ago', 2],
  ] as const)
    assert.ok(consumer[name]! >= least, `${name} is ${consumer[name]}, at least ${least}`);
  assert.deepEqual(
    [...topics].map(([topic, values]) => [topic, values['records-consumed-total'], values['bytes-consumed-total']]),
    [
      ['a', 6, 600],
      ['b', 2, 100],
    ],
  );
  assert.deepEqual(partitions[0]!.values, { 'records-lag': 70, 'records-lead': 30, 'preferred-read-replica': 3 });
  assert.deepEqual(Object.keys(consumerGroupsOf({ consumer, topics, partitions })), [
    'consumer-metrics',
    'consumer-topic-metrics.a',
    'consumer-topic-metrics.b',
    'consumer-partition-metrics.a-0',
    'consumer-partition-metrics.a-1',
    'consumer-partition-metrics.a-2',
  ]);
});

test('an event that never happened was -1 seconds ago', () => {
  const { consumer } = new ConsumerMetrics(createConsumerMetrics()).read(nothing);
  for (const name of ['last-heartbeat', 'last-rebalance', 'last-poll'])
    assert.equal(consumer[`${name}-seconds-ago`], -1, name);
});

test('topics beyond the limit are counted in the sums only', () => {
  const shared = createConsumerMetrics();
  const now = monotonicNowMs();
  const recorder = new ConsumerRecorder(shared, now);
  for (let i = 0; i < maxMeasuredTopics + 10; i++) recorder.handedOut(`t${i}`, 1, 1, now);
  const { consumer, topics } = new ConsumerMetrics(shared).read(nothing);
  assert.equal(topics.size, maxMeasuredTopics);
  assert.equal(consumer['records-consumed-total'], maxMeasuredTopics + 10);
});

test('docs/metrics.md lists them as they are', () => {
  const page = readFileSync(join(projectFolder, 'docs', 'metrics.md'), 'utf8');
  const [, section] = /\n## Consumers\n([\s\S]*?)\n## /.exec(page)!;
  const rows = section!.split('\n').filter((line) => line.startsWith('| `'));
  assert.deepEqual(
    rows,
    consumerMetricDefinitions.map(({ name, scope, unit, doc }) => {
      return `| \`${name}\` | ${scope === 'both' ? 'consumer, topic' : scope} | ${unit} | ${doc} |`;
    }),
  );
});
