// The metrics of each API and the histogram of its latencies, from memory that the network thread has written.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readApis } from '../../../../src/main/metrics/api-metrics.ts';
import { ClientMetricsReader, createClientMetrics, latencyBoundsMs } from '../../../../src/state/api-metrics.ts';
import { Metrics } from '../../../../src/worker/report/metrics-recorder.ts';

const windowMs = 30_000;
const names = new Map([
  [1, 'Fetch'],
  [3, 'Metadata'],
]);

function open() {
  const memory = createClientMetrics(4, windowMs);
  const recorded = new Metrics(memory, 0);
  const node = recorded.nodeAdded(0, true);
  // Two threads read the same memory.
  const readers = [new ClientMetricsReader(memory), new ClientMetricsReader(memory)];
  const read = (now: number, reader = 0) => readApis(readers[reader]!.apis, names, now);
  return { recorded, node, read };
}

test('an API that was not used has no metrics', () => {
  assert.deepEqual([...open().read(0).apis.keys()], []);
});

test('each API is counted by itself, and every thread reads the same', () => {
  const { recorded, node, read } = open();
  recorded.requestSent(node, 100, 1);
  recorded.requestSent(node, 40, 3);
  recorded.requestSent(node, 60, 3);
  recorded.responseReceived(node, 5000, 7, 1);
  recorded.responseReceived(node, 300, 1, 3);
  recorded.apiFailed(3);
  const { apis } = read(10_000);
  assert.deepEqual([...apis.keys()], ['Fetch', 'Metadata']);
  const metadata = apis.get('Metadata')!;
  assert.equal(metadata['request-total'], 2);
  assert.equal(metadata['outgoing-byte-total'], 100);
  assert.equal(metadata['response-total'], 1);
  assert.equal(metadata['incoming-byte-total'], 300);
  assert.equal(metadata['request-failed-total'], 1);
  assert.equal(apis.get('Fetch')!['request-latency-max'], 7);
  assert.deepEqual(read(10_000, 1), read(10_000));
});

test('a latency is in the bucket of the least bound that it does not exceed, and above the last bound in one more', () => {
  const { recorded, node, read } = open();
  for (const boundMs of latencyBoundsMs) recorded.responseReceived(node, 1, boundMs, 1);
  for (const latencyMs of [0, 0.6, 30_001, 1e9]) recorded.responseReceived(node, 1, latencyMs, 1);
  recorded.requestSent(node, 1, 1);
  const { boundsMs, counts, count, sumMs } = read(0).latencies.get('Fetch')!;
  assert.deepEqual(boundsMs, latencyBoundsMs);
  assert.equal(counts.length, boundsMs.length + 1);
  assert.deepEqual(
    counts,
    [2, 2, ...latencyBoundsMs.slice(2).map(() => 1), 2],
    '0 and 0.5 in the first, 0.6 and 1 in the second, two above the last',
  );
  assert.equal(count, latencyBoundsMs.length + 4);
  const expected = latencyBoundsMs.reduce((sum: number, boundMs) => sum + boundMs, 0.6 + 30_001 + 1e9);
  assert.ok(Math.abs(sumMs - expected) < 1e-6);
});

test('quantiles are estimated within their bucket, and never above the greatest latency', () => {
  const { recorded, node, read } = open();
  recorded.requestSent(node, 1, 1);
  for (let i = 0; i < 90; i++) recorded.responseReceived(node, 1, 1.5, 1);
  for (let i = 0; i < 10; i++) recorded.responseReceived(node, 1, 70, 1);
  const fetch = read(1000).apis.get('Fetch')!;
  assert.ok(fetch['request-latency-p50']! > 1 && fetch['request-latency-p50']! <= 2);
  assert.ok(fetch['request-latency-p95']! > 50 && fetch['request-latency-p95']! <= 70);
  assert.ok(fetch['request-latency-p99']! > fetch['request-latency-p95']! && fetch['request-latency-p99']! <= 70);
  assert.equal(fetch['request-latency-max'], 70);
});

test('quantiles forget what is older than the windows, and the histogram does not', () => {
  const { recorded, node, read } = open();
  recorded.requestSent(node, 1, 1);
  recorded.responseReceived(node, 1, 900, 1);
  recorded.roundBegins(windowMs);
  recorded.roundBegins(2 * windowMs);
  recorded.responseReceived(node, 1, 3, 1);
  const { apis, latencies } = read(2 * windowMs + 1);
  assert.ok(apis.get('Fetch')!['request-latency-p99']! <= 5);
  assert.equal(latencies.get('Fetch')!.count, 2);
});

test('an API key beyond the memory changes nothing', () => {
  const { recorded, node, read } = open();
  for (const apiKey of [-1, 128, 32_767, Number.NaN]) {
    recorded.requestSent(node, 1, apiKey);
    recorded.responseReceived(node, 1, 1, apiKey);
    recorded.apiFailed(apiKey);
  }
  assert.deepEqual([...read(0).apis.keys()], []);
});
