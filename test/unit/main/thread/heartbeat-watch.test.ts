// When the network thread counts as stuck. No clock, no thread.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { HeartbeatWatch } from '../../../../src/main/thread/heartbeat-watch.ts';

let turns: number;
let rings: number;
let now: number;
let watch: HeartbeatWatch;

beforeEach(() => {
  turns = 0;
  rings = 0;
  now = 5000;
  watch = new HeartbeatWatch(
    1000,
    () => turns,
    () => rings++,
  );
});

/** How many looks at their time it takes until the thread counts as stuck; Infinity for more than that many. */
function looksUntilStuck(most: number): number {
  for (let look = 1; look <= most; look++) {
    if (watch.look(now)) return look;
    now += watch.intervalMs;
  }
  return Number.POSITIVE_INFINITY;
}

test('a thread is stuck when it made no turn for the limit, and not before', () => {
  assert.equal(watch.intervalMs, 250);
  assert.equal(looksUntilStuck(100), 5);
});

test('a turn restarts the count, however late it is', () => {
  assert.equal(looksUntilStuck(4), Number.POSITIVE_INFINITY);
  turns++;
  assert.equal(looksUntilStuck(4), Number.POSITIVE_INFINITY);
  assert.equal(looksUntilStuck(1), 1);
});

test('each look except the last rings the doorbell, so that a sleeping thread makes a turn', () => {
  looksUntilStuck(100);
  assert.equal(rings, 4);
});

test('time without looks does not count, because this thread may have been blocked itself', () => {
  watch.look(now);
  now += 3_600_000;
  assert.equal(watch.look(now), false);
  assert.equal(looksUntilStuck(100), 4);
});

test('looks in quick succession count once', () => {
  for (let i = 0; i < 50; i++) assert.equal(watch.look(now + i), false);
  assert.equal(rings, 1);
});

test('the count restarts after a time without requests', () => {
  looksUntilStuck(4);
  watch.reset();
  assert.equal(looksUntilStuck(100), 5);
});
