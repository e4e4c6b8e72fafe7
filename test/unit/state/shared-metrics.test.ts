// What is recorded is what is read. Windows move with the writer's time and become out of date with the reader's.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IllegalStateError, RingCorruptError } from '../../../src/common/errors/errors.ts';
import {
  createMetrics,
  MetricsReader,
  MetricsWriter,
  metricsRow,
  TOTALS_ROW,
} from '../../../src/state/shared-metrics.ts';
import { maxSlots, SLOTS, slotOf, slots, VERSION_WORD } from '../../../src/state/shared-metrics-layout.ts';

const windowMs = 30_000;
const start = 5_000_000;

function openBoth(nodeCapacity = 4) {
  const buffer = createMetrics(nodeCapacity);
  const writer = new MetricsWriter(buffer, start);
  const reader = new MetricsReader(buffer);
  const at = (row: number, name: keyof typeof slotOf): number => writer.indexOf(row, slotOf[name]);
  return {
    buffer,
    writer,
    reader,
    request: (bytes: number, row = TOTALS_ROW): void => {
      writer.add(at(row, 'requests'), 1);
      writer.add(at(row, 'requestBytes'), bytes);
      writer.max(at(row, 'requestBytesMax'), bytes);
    },
    read: (afterMs: number, row = TOTALS_ROW) => reader.read([row], start + afterMs)[0]!,
  };
}

test('slots are distinct and fit a row', () => {
  const numbers = Object.values(slots).map(([slot]) => slot);
  assert.equal(new Set(numbers).size, numbers.length);
  assert.ok(numbers.every((slot) => slot >= 0 && slot < SLOTS));
  assert.ok(maxSlots.includes(slotOf.latencyMsMax));
});

test('totals, rates, averages and maxima are 0 when nothing is recorded', () => {
  const row = openBoth().read(1000);
  assert.equal(row.total('requests'), 0);
  assert.equal(row.perSecond('requests'), 0);
  assert.equal(row.average('requestBytes', 'requests'), 0);
  assert.equal(row.max('requestBytesMax'), 0);
});

test('a rate divides by at least one full window and the part of the running window', () => {
  const { request, read } = openBoth();
  for (let i = 0; i < 60; i++) request(100);
  assert.equal(read(0).perSecond('requests'), 2);
  assert.equal(read(10_000).perSecond('requests'), 1.5);
  assert.equal(read(29_999.99).perSecond('requestBytes').toFixed(1), '100.0');
});

test('averages and maxima come from the windows that count', () => {
  const { request, read, writer } = openBoth();
  request(10);
  request(30);
  assert.equal(read(1).average('requestBytes', 'requests'), 20);
  assert.equal(read(1).max('requestBytesMax'), 30);
  writer.moveOn(start + windowMs);
  request(8);
  assert.equal(read(windowMs + 1).average('requestBytes', 'requests'), 16);
  assert.equal(read(windowMs + 1).max('requestBytesMax'), 30);
  writer.moveOn(start + 2 * windowMs);
  assert.equal(read(2 * windowMs + 1).average('requestBytes', 'requests'), 8);
  assert.equal(read(2 * windowMs + 1).max('requestBytesMax'), 8);
  assert.equal(read(2 * windowMs + 1).total('requests'), 3, 'totals stay');
});

test('a steady rate reads the same at any time in a window', () => {
  const { request, read, writer } = openBoth();
  for (let ms = 0; ms < 10 * windowMs; ms += 100) {
    writer.moveOn(start + ms);
    request(1);
    if (ms < 2 * windowMs) continue;
    const rate = read(ms + 99).perSecond('requests');
    assert.ok(Math.abs(rate - 10) < 0.05, `${rate} at ${ms}`);
  }
});

test('values recorded before a long sleep are old, even if no window moved on', () => {
  const { request, read, writer } = openBoth();
  request(50);
  assert.equal(read(2 * windowMs - 1).max('requestBytesMax'), 50);
  assert.equal(read(2 * windowMs).max('requestBytesMax'), 0);
  assert.equal(read(2 * windowMs).perSecond('requests'), 0);
  writer.moveOn(start + 100 * windowMs);
  request(7);
  const row = read(100 * windowMs + 1);
  assert.equal(row.max('requestBytesMax'), 7);
  assert.equal(row.recent('requests'), 1);
  assert.equal(row.total('requests'), 2);
});

test('a sleep of more than one window leaves an empty one behind', () => {
  const { request, read, writer } = openBoth();
  writer.moveOn(start + windowMs);
  request(9);
  writer.moveOn(start + 3 * windowMs + 10);
  request(1);
  const row = read(3 * windowMs + 20);
  assert.equal(row.recent('requests'), 1);
  assert.equal(row.max('requestBytesMax'), 1);
});

describe('rows', () => {
  test('are separate from each other and from the totals, and start at zero for another node', () => {
    const { request, read, writer } = openBoth();
    const [first, second] = [metricsRow(0), metricsRow(1)];
    for (const row of [first, second]) writer.clearRow(row);
    request(10, first);
    request(20, second);
    writer.moveOn(start + windowMs);
    request(5, second);
    assert.equal(read(windowMs, first).total('requests'), 1);
    assert.equal(read(windowMs, second).max('requestBytesMax'), 20);
    assert.equal(read(windowMs).total('requests'), 0);
    writer.clearRow(second);
    assert.equal(read(windowMs, second).total('requestBytes'), 0);
    assert.equal(read(windowMs, second).recent('requestBytes'), 0);
    assert.equal(read(windowMs, second).max('requestBytesMax'), 0);
    assert.equal(read(windowMs, first).max('requestBytesMax'), 10);
  });

  test('memory of anything else is refused', () => {
    assert.throws(() => new MetricsReader(new SharedArrayBuffer(64)), RingCorruptError);
    assert.throws(() => new MetricsReader(new SharedArrayBuffer(0)), RingCorruptError);
    assert.throws(() => createMetrics(0), IllegalStateError);
    assert.throws(() => createMetrics(1.5), IllegalStateError);
    assert.throws(() => createMetrics(1, 0), IllegalStateError);
  });
});

test('a reader begins again if a window moves while it reads', () => {
  const { buffer, read, request } = openBoth();
  request(3);
  const i32 = new Int32Array(buffer);
  i32[VERSION_WORD] = 1;
  assert.equal(read(0).total('requests'), 1, 'a writer that died in the middle is not waited for');
});
