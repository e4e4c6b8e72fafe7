import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { AbortError } from '../../../../src/common/errors/errors.ts';
import { abortError, checkSignal, onAbort, untilAborted } from '../../../../src/main/link/abort-signals.ts';

test('many waits share one listener on a signal, and the last wait removes it', () => {
  const { signal } = new AbortController();
  const stops = Array.from({ length: 100 }, () => onAbort(signal, () => assert.fail('not aborted')));
  assert.equal(getEventListeners(signal, 'abort').length, 1);
  for (const stop of stops) stop();
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('all listeners are called, except those that were removed', () => {
  const controller = new AbortController();
  const told: number[] = [];
  const stops = [1, 2, 3].map((n) => onAbort(controller.signal, () => told.push(n)));
  stops[1]!();
  controller.abort();
  assert.deepEqual(told, [1, 3]);
  for (const stop of stops) stop();
});

test('a value that is not a signal is refused, and for a controller the error names its signal', () => {
  assert.throws(() => checkSignal(new AbortController() as never), /controller\.signal/);
  for (const junk of [5, 'x', {}, { aborted: false }, Object.create(null)]) {
    assert.throws(() => checkSignal(junk as never), TypeError);
  }
  assert.equal(checkSignal(undefined), null);
});

test('work ends with an AbortError that has the reason as its cause', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const work = untilAborted('the work', controller.signal, () => new Promise(() => {}));
  controller.abort(reason);
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof AbortError);
    assert.equal(error.cause, reason);
    assert.equal(error.name, 'AbortError');
    assert.equal(error.retriable, false);
    return true;
  });
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  assert.equal(await untilAborted('the work', null, async () => 5), 5);
  assert.equal(abortError('x', controller.signal, 7).nodeId, 7);
});
