// One push: compressed as the broker accepts, and within its size.

import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { ByteArena } from '../../../../src/codec/byte-arena.ts';
import { decompress, prepareCodecs } from '../../../../src/codec/index.ts';
import { encodeMetrics, type PushedMetrics } from '../../../../src/worker/telemetry/otlp.ts';
import { makePayload } from '../../../../src/worker/telemetry/payload.ts';
import { readMetrics } from '../../../helpers/otlp-reader.ts';

const pushed: PushedMetrics = {
  resource: [['group_id', 'g']],
  metrics: Array.from({ length: 100 }, (_, i) => ({
    name: `org.apache.kafka.producer.metric.${i}`,
    kind: 'gauge' as const,
    points: [{ value: i, attributes: [], startMs: 0 }],
  })),
  atMs: 1_700_000_000_000,
  isDelta: false,
};
const plain = encodeMetrics(pushed);

before(() => prepareCodecs());

for (const [type, name] of [
  [1, 'gzip'],
  [2, 'snappy'],
  [3, 'lz4'],
  [4, 'zstd'],
] as const) {
  test(`${name} is used when the broker names it first`, () => {
    const payload = makePayload(pushed, [type, 1], 1_000_000)!;
    assert.deepEqual([payload.compressionType, payload.leftOut], [type, 0]);
    assert.ok(payload.bytes.byteLength < plain.byteLength / 2, `${payload.bytes.byteLength} bytes`);
    const arena = new ByteArena();
    arena.reset(1_000_000);
    decompress(type, payload.bytes, 0, payload.bytes.byteLength, arena);
    assert.deepEqual(Buffer.from(arena.bytes.slice(0, arena.length)), plain);
  });
}

test('a codec that this client does not know is passed over', () => {
  assert.equal(makePayload(pushed, [9, -1, 1], 1_000_000)!.compressionType, 1);
});

for (const types of [[], [0], [9], [0, 1]]) {
  test(`${JSON.stringify(types)} means no compression`, () => {
    const payload = makePayload(pushed, types, 1_000_000)!;
    assert.equal(payload.compressionType, 0);
    assert.deepEqual(Buffer.from(payload.bytes), plain);
  });
}

test('what is too large loses its last metrics, by halves, down to none', () => {
  assert.equal(makePayload(pushed, [], plain.byteLength)!.leftOut, 0);
  const half = makePayload(pushed, [], plain.byteLength - 1)!;
  assert.equal(half.leftOut, 50);
  const { resource, metrics } = readMetrics(half.bytes);
  assert.deepEqual([resource, metrics.length, metrics.at(-1)!.name], [{ group_id: 'g' }, 50, pushed.metrics[49]!.name]);
  assert.equal(makePayload(pushed, [], 40)!.leftOut, 100);
  assert.equal(makePayload(pushed, [], 10), null);
  assert.equal(makePayload(pushed, [], -1), null);
});
