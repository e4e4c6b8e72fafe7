// The bytes of pushed metrics.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMetrics } from '../../../../src/worker/telemetry/otlp.ts';
import { readMetrics } from '../../../helpers/otlp-reader.ts';

test('a counter and a gauge have the bytes of OpenTelemetry in protobuf', () => {
  const bytes = encodeMetrics({
    resource: [['group_id', 'g']],
    metrics: [
      { name: 'a.total', kind: 'total', points: [{ value: 3, attributes: [['topic', 't']], startMs: 1 }] },
      { name: 'b', kind: 'gauge', points: [{ value: 0, attributes: [], startMs: 1 }] },
    ],
    atMs: 2,
    isDelta: true,
  });
  const groupId = ['0a0f', '0a08', hexOf('group_id'), '1203', '0a01', hexOf('g')].join('');
  const start = '1140420f0000000000'; // 1,000,000 ns
  const at = '1980841e0000000000';
  const topic = ['3a0c', '0a05', hexOf('topic'), '1203', '0a01', hexOf('t')].join('');
  const point = `0a29${start}${at}21${'0000000000000840'}${topic}`;
  const counter = ['123a', '0a07', hexOf('a.total'), '3a2f', point, '1001', '1801'].join('');
  const gauge = ['1219', '0a01', hexOf('b'), '2a14', '0a12', at, '21', '0000000000000000'].join('');
  const resource = `0a11${groupId}`;
  const scope = `1257${counter}${gauge}`;
  assert.equal(bytes.toString('hex'), `0a6c${resource}${scope}`);
});

test('what is written is what a reader reads, also of long texts and odd numbers', () => {
  const points = [0.5, -1, 1e300, Number.NaN, Number.POSITIVE_INFINITY].map((value) => ({
    value,
    attributes: [
      ['topic', 'ü'.repeat(200)],
      ['partition', '0'],
    ] as const,
    startMs: 1_700_000_000_000,
  }));
  const bytes = encodeMetrics({
    resource: [],
    metrics: [
      { name: 'n'.repeat(300), kind: 'total', points },
      { name: 'none', kind: 'gauge', points: [] },
    ],
    atMs: 1_700_000_000_123.4,
    isDelta: false,
  });
  const { resource, metrics } = readMetrics(bytes);
  assert.deepEqual(resource, {});
  assert.deepEqual(
    metrics.map(({ name, kind, temporality, isMonotonic }) => [name.length, kind, temporality, isMonotonic]),
    [
      [300, 'sum', 2, true],
      [4, 'gauge', 0, false],
    ],
  );
  assert.deepEqual(
    metrics[0]!.points,
    points.map(({ value }) => ({
      value,
      attributes: { topic: 'ü'.repeat(200), partition: '0' },
      startMs: 1_700_000_000_000,
      atMs: 1_700_000_000_123,
    })),
  );
  assert.deepEqual(metrics[1]!.points, []);
});

test('a time before the epoch, which a wrong clock makes, is the epoch', () => {
  const metrics = [{ name: 'a', kind: 'total' as const, points: [{ value: 1, attributes: [], startMs: -5 }] }];
  const read = readMetrics(encodeMetrics({ resource: [], metrics, atMs: -1, isDelta: false })).metrics;
  assert.deepEqual([read[0]!.points[0]!.startMs, read[0]!.points[0]!.atMs], [0, 0]);
});

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex');
}
