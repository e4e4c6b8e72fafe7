// How long a thread goes on with what is ready.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maxTurnMs, nextTurn, TurnBudget } from '../../../../src/main/link/turn-budget.ts';

test('a turn is spent after its time, and a new one begins when the event loop has run', () => {
  const turn = new TurnBudget();
  turn.begin(1000);
  assert.equal(turn.isSpent(1000), false);
  assert.equal(turn.isSpent(1000 + maxTurnMs - 0.01), false);
  assert.equal(turn.isSpent(1000 + maxTurnMs), true);
  turn.begin(1000 + maxTurnMs);
  assert.equal(turn.isSpent(1000 + maxTurnMs), false);
});

test('before the first turn has begun, the event loop has to run', () => {
  assert.equal(new TurnBudget().isSpent(0), true);
});

test('timers that are due run before the next turn', async () => {
  const done: string[] = [];
  const timer = new Promise<void>((resolve) =>
    setTimeout(() => {
      done.push('timer');
      resolve();
    }, 0),
  );
  while (done.length === 0) await nextTurn();
  await timer;
  assert.deepEqual(done, ['timer']);
});
