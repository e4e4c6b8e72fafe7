// For how long a network thread may wait for its modules.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BeginWatch } from '../../../../src/main/thread/begin-watch.ts';

test('a thread that waits for its modules is given up at the limit, and one that computes is not', () => {
  const waiting = new BeginWatch(1000, 250);
  assert.deepEqual(
    [250, 500, 750, 999, 1000].map((idleMs) => waiting.look(idleMs)),
    [false, false, false, false, true],
  );
  const computing = new BeginWatch(1000, 250);
  for (let i = 0; i < 100; i++) assert.ok(!computing.look(i));
});

test('the time for which the process was stopped does not count', () => {
  const watch = new BeginWatch(1000, 250);
  assert.ok(!watch.look(250));
  assert.ok(!watch.look(60_250));
  assert.ok(!watch.look(60_499));
  assert.ok(watch.look(60_500));
});
