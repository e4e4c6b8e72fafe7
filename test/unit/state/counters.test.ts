// Other threads read what the network thread writes, at any time of its clock.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { IllegalStateError, RingCorruptError } from '../../../src/common/errors/errors.ts';
import {
  CountersReader,
  CountersWriter,
  createCounters,
  NO_ROW,
  NODE_CONNECTED,
  NODE_UNKNOWN,
  STATE_CLOSED,
  STATE_RUNNING,
  STATE_STARTING,
} from '../../../src/state/counters.ts';
import { NODE_COUNT_WORD, NODE_VERSION_WORD } from '../../../src/state/counters-layout.ts';

function openBoth(nodeCapacity = 4) {
  const buffer = createCounters(nodeCapacity);
  return { buffer, writer: new CountersWriter(buffer), reader: new CountersReader(buffer) };
}

test('shows the life of the network thread', () => {
  const { writer, reader } = openBoth();
  assert.equal(reader.state(), STATE_STARTING);
  assert.equal(reader.turns(), 0);
  writer.setState(STATE_RUNNING);
  writer.heartbeat(1000.5);
  writer.heartbeat(2000.5);
  assert.equal(reader.state(), STATE_RUNNING);
  assert.equal(reader.turns(), 2);
  writer.setState(STATE_CLOSED);
  assert.equal(reader.state(), STATE_CLOSED);
});

describe('the node table', () => {
  test('finds rows by node id, negative ones too', () => {
    const { writer, reader } = openBoth();
    assert.equal(reader.nodeRow(5), NO_ROW);
    for (const nodeId of [5, -1, 0x7fffffff, 0]) {
      const row = writer.addNode(nodeId);
      writer.setNodeState(row, NODE_CONNECTED);
      writer.setInFlight(row, nodeId & 15);
      writer.setInternalInFlight(row, 1);
      assert.equal(writer.addNode(nodeId), row);
      assert.equal(writer.nodeRow(nodeId), row);
      assert.equal(reader.nodeRow(nodeId), row);
      assert.equal(reader.nodeState(row), NODE_CONNECTED);
      assert.equal(reader.inFlight(row), nodeId & 15);
      assert.equal(reader.internalInFlight(row), 1);
    }
    for (const nodeId of [5, -1, 0x7fffffff, 0]) assert.notEqual(reader.nodeRow(nodeId), NO_ROW);
  });

  test('a count that something has overwritten leads the writer to no other place, and is right again with the next node', () => {
    for (const count of [-100, 1, 3, 1 << 30]) {
      const { buffer, writer, reader } = openBoth();
      const words = new Int32Array(buffer);
      writer.addNode(1);
      words[NODE_COUNT_WORD] = count;
      assert.equal(writer.isFull, false);
      assert.deepEqual([writer.addNode(2), writer.addNode(3)], [1, 2]);
      assert.equal(words[NODE_COUNT_WORD], 3);
      assert.equal(reader.nodeRow(3), 2);
    }
  });

  test('a full table refuses nodes, counts them, and setters ignore them', () => {
    const { writer, reader } = openBoth(2);
    writer.addNode(1);
    writer.addNode(2);
    const row = writer.addNode(3);
    assert.equal(row, NO_ROW);
    writer.setNodeState(row, NODE_CONNECTED);
    writer.setInFlight(row, 9);
    writer.setInternalInFlight(row, 9);
    writer.setThrottledUntil(row, 100, 0);
    writer.setBackoffUntil(row, 100, 0);
    assert.equal(reader.nodesWithoutRow(), 1);
    assert.equal(reader.nodeRow(3), NO_ROW);
    assert.equal(reader.nodeState(NO_ROW), NODE_UNKNOWN);
    assert.equal(reader.inFlight(NO_ROW), 0);
    assert.equal(reader.internalInFlight(NO_ROW), 0);
    assert.equal(reader.throttleRemainingMs(NO_ROW, 0), 0);
    assert.equal(reader.backoffRemainingMs(NO_ROW, 0), 0);
    assert.equal(reader.mayBeUnready(NO_ROW), false);
    for (const nodeId of [1, 2]) {
      assert.equal(reader.inFlight(reader.nodeRow(nodeId)), 0);
    }
  });

  test('a removed node frees its row for another node, which starts with empty values', () => {
    const { writer, reader } = openBoth(2);
    writer.addNode(1);
    const row = writer.addNode(2);
    writer.setNodeState(row, NODE_CONNECTED);
    writer.setThrottledUntil(row, 1000, 0);
    assert.equal(reader.nodeRow(2), row);
    writer.removeNode(2);
    writer.removeNode(77);
    assert.equal(reader.nodeRow(2), NO_ROW);
    assert.notEqual(reader.nodeRow(1), NO_ROW);
    assert.equal(writer.addNode(3), row);
    assert.equal(reader.nodeRow(3), row);
    assert.equal(reader.nodeState(row), NODE_UNKNOWN);
    assert.equal(reader.throttleRemainingMs(row, 0), 0);
    assert.equal(writer.addNode(4), NO_ROW);
  });

  test('a reader that starts later finds the existing nodes', () => {
    const { buffer, writer } = openBoth();
    writer.setNodeState(writer.addNode(7), NODE_CONNECTED);
    const late = new CountersReader(buffer);
    assert.equal(late.nodeState(late.nodeRow(7)), NODE_CONNECTED);
  });
});

describe('throttle and backoff', () => {
  for (const now of [0, 12345.75, 2 ** 31 - 50.5, 2 ** 32 - 50.5, 5 * 2 ** 32 + 2 ** 31 - 1]) {
    test(`last until their time and never shorter, from ${now} on`, () => {
      const { writer, reader } = openBoth();
      const row = writer.addNode(1);
      writer.setThrottledUntil(row, now + 100, now);
      writer.setBackoffUntil(row, now + 200, now);
      for (const [at, throttle, backoff] of [
        [now, 100, 200],
        [now + 99.9, 0.1, 100.1],
        [now + 102, 0, 98],
        [now + 202, 0, 0],
        [now + 100_000, 0, 0],
      ] as const) {
        const throttled = reader.throttleRemainingMs(row, at);
        const backing = reader.backoffRemainingMs(row, at);
        assert.ok(throttled >= throttle && throttled < throttle + 2, `${throttled} at ${at}`);
        assert.ok(backing >= backoff && backing < backoff + 2, `${backing} at ${at}`);
      }
      assert.equal(reader.mayBeUnready(row), true);
      writer.setBackoffUntil(row, null, now);
      assert.equal(reader.backoffRemainingMs(row, now), 0);
      assert.ok(reader.throttleRemainingMs(row, now) > 0);
    });
  }

  test('stay over: 30 days later they do not come back', () => {
    const { writer, reader } = openBoth();
    const row = writer.addNode(1);
    writer.heartbeat(0);
    writer.setThrottledUntil(row, 100, 0);
    writer.setBackoffUntil(row, 10 * 86_400_000, 0);
    for (let day = 1; day < 100; day++) {
      const now = day * 86_400_000;
      writer.heartbeat(now);
      assert.equal(reader.throttleRemainingMs(row, now), 0, `day ${day}`);
      assert.equal(reader.backoffRemainingMs(row, now) > 0, day < 10, `day ${day}`);
    }
  });

  test('are limited to what wrapped times can express', () => {
    const { writer, reader } = openBoth();
    const row = writer.addNode(1);
    writer.setThrottledUntil(row, Number.MAX_SAFE_INTEGER, 0);
    assert.equal(reader.throttleRemainingMs(row, 0), 2 ** 30);
    writer.setThrottledUntil(row, -5, 0);
    assert.equal(reader.throttleRemainingMs(row, 0), 0);
    assert.equal(reader.mayBeUnready(row), false);
  });
});

test('says when metadata is due, on a clock that wraps', () => {
  const { writer, reader } = openBoth();
  assert.equal(reader.metadataTtlMs(0), 0, 'there was none yet');
  for (const now of [0, 2 ** 31 - 50, 2 ** 32 - 50]) {
    writer.setMetadata(100, now);
    assert.equal(reader.metadataTtlMs(now), 100);
    assert.equal(reader.metadataTtlMs(now + 60), 40);
    assert.equal(reader.metadataTtlMs(now + 100), 0);
    assert.equal(reader.metadataTtlMs(now + 5000), 0);
    writer.setMetadata(Number.POSITIVE_INFINITY, now);
    assert.equal(reader.metadataTtlMs(now), 0, 'one is under way');
  }
});

describe('counters memory', () => {
  test('has a sensible number of rows', () => {
    for (const rows of [0, -1, 1.5, 2 ** 21, Number.NaN]) assert.throws(() => createCounters(rows), IllegalStateError);
    // Most of it is never touched, so it takes no memory.
    assert.ok(createCounters().byteLength < 2 * 1024 * 1024);
  });

  test('is refused when it is something else', () => {
    assert.throws(() => new CountersReader(new SharedArrayBuffer(16)), RingCorruptError);
    assert.throws(() => new CountersWriter(new SharedArrayBuffer(65536)), RingCorruptError);
    const { buffer, writer, reader } = openBoth(3);
    new Int32Array(buffer)[1] = 4;
    assert.throws(() => new CountersReader(buffer), RingCorruptError);
    writer.addNode(1);
    const words = new Int32Array(buffer);
    for (const count of [-1, 4]) {
      words[NODE_COUNT_WORD] = count;
      words[NODE_VERSION_WORD]! += 1;
      assert.throws(() => reader.nodeRow(1), RingCorruptError);
    }
  });
});
