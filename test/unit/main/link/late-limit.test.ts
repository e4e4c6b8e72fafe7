// Waits whose limit is found to be over late: the network thread reads what has come before they end.

import assert from 'node:assert/strict';
import { afterEach, mock, test } from 'node:test';
import { BlockingLimit, startLimit } from '../../../../src/main/link/late-limit.ts';

const limitMs = 20;

/** Time passes, but this thread does nothing. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

afterEach(() => mock.timers.reset());

test('a limit that is over in time ends the wait at once', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let ended = 0;
  startLimit(
    () => ended++,
    60_000,
    () => assert.fail('nothing is to be caught up'),
  );
  mock.timers.tick(60_000);
  assert.equal(ended, 1);
});

for (const how of ['succeeds', 'fails'] as const) {
  test(`one that is found to be over late waits until the catching up ${how}`, async () => {
    const steps: string[] = [];
    let settle = (): void => {};
    const ended = new Promise<void>((resolve) => {
      const end = (): void => {
        steps.push('end');
        resolve();
      };
      const catchUp = (): Promise<void> => {
        steps.push('catch up');
        setImmediate(() => {
          steps.push('caught up');
          settle();
        });
        return new Promise((caughtUp, lost) => {
          settle = how === 'succeeds' ? caughtUp : () => lost(new Error('the network thread is lost'));
        });
      };
      startLimit(end, limitMs, catchUp);
    });
    block(limitMs + 150);
    await ended;
    assert.deepEqual(steps, ['catch up', 'caught up', 'end']);
  });
}

test('a network thread that never catches up does not keep the wait from its end', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let ended = 0;
  startLimit(
    () => ended++,
    limitMs,
    () => new Promise(() => {}),
  );
  block(limitMs + 150);
  mock.timers.tick(limitMs);
  mock.timers.tick(999);
  assert.equal(ended, 0);
  mock.timers.tick(1);
  assert.equal(ended, 1);
});

test('the limit of a thread that blocks moves once by the time for which it was late', () => {
  let now = 1000;
  const limit = new BlockingLimit(500, () => now);
  now += 499;
  assert.equal(limit.leftMs(), 1);
  now += 301;
  assert.equal(limit.leftMs(), 300);
  now += 300;
  assert.equal(limit.leftMs(), 0);
  now += 5000;
  assert.ok(limit.leftMs() < 0);
});

test('it moves by a second at most, and not for a little', () => {
  let now = 0;
  const late = new BlockingLimit(500, () => now);
  const inTime = new BlockingLimit(60_000, () => now);
  now = 60_050;
  assert.equal(inTime.leftMs(), -50);
  assert.equal(late.leftMs(), 1000);
  assert.equal(new BlockingLimit(Number.POSITIVE_INFINITY, () => now).leftMs(), Number.POSITIVE_INFINITY);
});
