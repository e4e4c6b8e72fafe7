// Calls to the network thread that are under way: how many there may be, and how they end. Test thread, without a network thread.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { Cancelled, TooManyOpenError } from '../../../../src/common/errors/errors.ts';
import { maxCallsOfThread } from '../../../../src/common/open-limits.ts';
import { ControlCalls } from '../../../../src/main/thread/control-calls.ts';

test('so many calls of the application wait; one more fails, but the client can still be closed', async (t) => {
  const { port1, port2 } = new MessageChannel();
  t.after(() => {
    port1.close();
    port2.close();
  });
  const calls = new ControlCalls(port1);
  let asked = 0;
  const ends: (() => void)[] = [];
  const run = (): Promise<{ value: null }> => {
    asked++;
    return new Promise((resolve) => ends.push(() => resolve({ value: null })));
  };
  const waiting = Array.from({ length: maxCallsOfThread }, () => calls.callOfApplication(run));
  await assert.rejects(calls.callOfApplication(run), (error) => {
    assert.ok(error instanceof TooManyOpenError);
    assert.match(error.message, /^16384 calls of this client wait in the network thread, the limit is 16384/);
    return true;
  });
  assert.equal(asked, maxCallsOfThread, 'nothing was asked for');
  const closed = calls.call(run);
  ends.pop()!();
  ends[0]!();
  await Promise.all([closed, waiting[0]]);
  const next = calls.callOfApplication(run);
  calls.end(new Cancelled('over'));
  const outcomes = await Promise.allSettled([next, ...waiting.slice(1)]);
  assert.ok(outcomes.every(({ status }) => status === 'rejected'));
});
