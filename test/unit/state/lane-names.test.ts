// Lanes get their numbers once, and have the same names on every thread.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountersReader, CountersWriter, createCounters, NO_ROW } from '../../../src/state/counters.ts';
import { LANE_SLOTS } from '../../../src/state/lane-names.ts';

test('a reader finds the connection of a broker in a lane, and its name', () => {
  const buffer = createCounters();
  const writer = new CountersWriter(buffer);
  const early = new CountersReader(buffer);
  assert.equal(early.laneNodeId(1, 'fetch'), null);
  const longest = 'L'.repeat(32);
  writer.addNode(1);
  const rows = [
    writer.addNode(-2000, 1, 'fetch'),
    writer.addNode(-2001, 2, 'fetch'),
    writer.addNode(-2002, 1, longest),
  ];
  writer.setThrottledUntil(rows[0]!, 9000, 10);
  for (const reader of [early, new CountersReader(buffer)]) {
    assert.equal(reader.laneNodeId(1, 'fetch'), -2000);
    assert.equal(reader.laneNodeId(2, 'fetch'), -2001);
    assert.equal(reader.laneNodeId(1, longest), -2002);
    assert.equal(reader.laneNodeId(2, longest), null);
    assert.deepEqual(
      [1, -2000, -2001, -2002].map((id) => reader.lane(reader.nodeRow(id))),
      ['', 'fetch', 'fetch', longest],
    );
    assert.deepEqual(
      [1, -2000, -2001, -2002].map((id) => reader.brokerId(reader.nodeRow(id))),
      [1, 1, 2, 1],
    );
  }
  writer.removeNode(-2000);
  assert.equal(early.laneNodeId(1, 'fetch'), null);
  assert.equal(writer.addNode(7), rows[0], 'the row is used again');
  assert.equal(early.lane(rows[0]!), '');
});

test('the number of lanes is limited', () => {
  const buffer = createCounters();
  const writer = new CountersWriter(buffer);
  const reader = new CountersReader(buffer);
  for (let i = 0; i < LANE_SLOTS; i++) {
    assert.equal(reader.hasAllLanes, false);
    assert.notEqual(writer.addNode(-2000 - i, 1, `lane-${i}`), NO_ROW);
  }
  assert.equal(reader.hasAllLanes, true);
  assert.equal(writer.addNode(-3000, 1, 'one-more'), NO_ROW);
  assert.notEqual(writer.addNode(-3001, 2, 'lane-3'), NO_ROW);
  assert.equal(reader.nodesWithoutRow(), 1);
});
