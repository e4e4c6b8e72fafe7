// The names and values of a producer's metrics, from memory that the network thread has written.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectFolder } from '../../../../scripts/project.ts';
import { monotonicNowMs } from '../../../../src/common/clock.ts';
import { ProducerMetrics, producerMetricDefinitions } from '../../../../src/main/metrics/producer-metrics.ts';
import { createProducerMetrics } from '../../../../src/state/producer-metrics.ts';
import { maxMeasuredTopics } from '../../../../src/state/topic-rows.ts';
import { ProducerRecorder } from '../../../../src/worker/link/producer-recorder.ts';
import type { ProduceRequest } from '../../../../src/worker/producer/produce-request.ts';
import type { ProducerBatch } from '../../../../src/worker/producer/producer-batch.ts';

const memory = () => createProducerMetrics();

function batchOf(topic: string, fields: Partial<ProducerBatch>): ProducerBatch {
  return { partition: { topic: { name: topic } }, attempts: 0, ...fields } as ProducerBatch;
}

test('the producer and each topic have the metrics of the reference', () => {
  const shared = memory();
  const now = monotonicNowMs();
  new ProducerRecorder(shared, now).recordsFailed('orders', 1, now);
  const { producer, topics } = new ProducerMetrics(shared).read();
  const names = [
    'batch-size-avg batch-size-max record-queue-time-avg record-queue-time-max request-latency-avg request-latency-max',
    'record-send-rate record-error-rate record-retry-rate compression-rate-avg batch-split-rate produce-throttle-time-avg',
    'produce-throttle-time-max requests-in-flight buffer-total-bytes buffer-available-bytes waiting-threads',
    'buffer-exhausted-rate flush-time-ns-total txn-init-time-ns-total txn-begin-time-ns-total',
    'txn-send-offsets-time-ns-total txn-commit-time-ns-total txn-abort-time-ns-total metadata-age',
  ];
  for (const name of names.join(' ').split(' ')) assert.ok(name in producer, name);
  for (const name of ['record-send-rate', 'byte-rate', 'record-error-rate', 'record-retry-rate'])
    assert.ok(name in topics.get('orders')!, name);
});

test('recorded values are read back', () => {
  const shared = memory();
  const now = monotonicNowMs();
  const recorder = new ProducerRecorder(shared, now);
  const batches = [batchOf('a', { createdAt: now - 4 }), batchOf('b', { createdAt: now - 8 })];
  recorder.requestSent({ batches } as unknown as ProduceRequest, now);
  recorder.requestSent({ batches: [batchOf('a', { attempts: 1 })] } as unknown as ProduceRequest, now);
  recorder.requestEnded(6, 50, now);
  recorder.batchWritten(batchOf('a', { count: 3, end: 100, uncompressedBytes: 400, maxRecordBytes: 150 }), now);
  recorder.batchWritten(batchOf('b', { count: 1, end: 300, uncompressedBytes: 400, maxRecordBytes: 300 }), now);
  recorder.recordsFailed('b', 2, now);
  recorder.recordsRetried('a', 5, now);
  recorder.count('splits', now);
  recorder.count('bufferExhausted', now);
  recorder.callEnded('flush', 2, now);
  recorder.callEnded('commit', 3, now);
  recorder.metadataCame(now - 1000);
  recorder.roundEnded({ usedBytes: 10, maxBytes: 100, waitingThreads: 2 }, now);
  const { producer, topics } = new ProducerMetrics(shared).read();
  const expected: Record<string, number> = {
    'record-send-total': 4,
    'byte-total': 400,
    'record-error-total': 2,
    'record-retry-total': 5,
    'compression-rate-avg': 0.5,
    'batch-size-avg': 200,
    'batch-size-max': 300,
    'records-per-batch-avg': 2,
    'record-size-avg': 200,
    'record-size-max': 300,
    'record-queue-time-avg': 6,
    'record-queue-time-max': 8,
    'batch-split-total': 1,
    'produce-request-total': 2,
    'request-latency-avg': 6,
    'request-latency-max': 6,
    'produce-throttle-time-avg': 50,
    'produce-throttle-time-max': 50,
    'requests-in-flight': 1,
    'buffer-total-bytes': 100,
    'buffer-available-bytes': 90,
    'waiting-threads': 2,
    'buffer-exhausted-total': 1,
    'flush-time-ns-total': 2e6,
    'txn-commit-time-ns-total': 3e6,
    'txn-abort-time-ns-total': 0,
  };
  for (const [name, value] of Object.entries(expected)) {
    assert.ok(Math.abs(producer[name]! - value) < 1e-6, `${name} is ${producer[name]}, expected ${value}`);
  }
  assert.ok(producer['metadata-age']! >= 1000);
  assert.deepEqual(
    [...topics].map(([topic, values]) => [topic, values['record-send-total'], values['byte-total']]),
    [
      ['a', 3, 100],
      ['b', 1, 300],
    ],
  );
  assert.equal(topics.get('a')!['compression-rate-avg'], 0.25);
});

test('topics beyond the limit are counted only in the sums', () => {
  const shared = memory();
  const now = monotonicNowMs();
  const recorder = new ProducerRecorder(shared, now);
  for (let i = 0; i < maxMeasuredTopics + 10; i++) recorder.recordsFailed(`t${i}`, 1, now);
  const { producer, topics } = new ProducerMetrics(shared).read();
  assert.equal(topics.size, maxMeasuredTopics);
  assert.equal(producer['record-error-total'], maxMeasuredTopics + 10);
});

test('a topic name of 249 bytes is complete', () => {
  const shared = memory();
  const name = 'x'.repeat(249);
  new ProducerRecorder(shared, 0).recordsFailed(name, 1, 1);
  assert.deepEqual([...new ProducerMetrics(shared).read().topics.keys()], [name]);
});

test('docs/metrics.md lists the metrics correctly', () => {
  const page = readFileSync(join(projectFolder, 'docs', 'metrics.md'), 'utf8');
  const rows = page.split('\n').filter((line) => /^\| `[a-z-]+` \| (producer|topic|producer, topic) \|/.test(line));
  assert.deepEqual(
    rows,
    producerMetricDefinitions.map(({ name, scope, unit, doc }) => {
      return `| \`${name}\` | ${scope === 'both' ? 'producer, topic' : scope} | ${unit} | ${doc} |`;
    }),
  );
});
