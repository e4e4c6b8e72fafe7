// The doorbell on one thread: what sleeps, what wakes, what does not. Two threads and the races: test/stress.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { IllegalStateError } from '../../../src/common/errors/errors.ts';
import { createDoorbell, Doorbell } from '../../../src/ring/doorbell.ts';
import { ASLEEP_WORD, DOZING, SEQ_WORD } from '../../../src/ring/layout.ts';

const never = () => false;

test('does not sleep when there is work', () => {
  const bell = new Doorbell(createDoorbell());
  assert.equal(
    bell.sleep(() => true),
    null,
  );
  assert.equal(
    bell.sleepSync(() => true, Number.POSITIVE_INFINITY),
    true,
  );
});

test('sleeps until any notifier rings', async () => {
  const buffer = createDoorbell();
  const bell = new Doorbell(buffer);
  const sleep = bell.sleep(never);
  assert.ok(sleep);
  let isAwake = false;
  const woken = sleep.then(() => {
    isAwake = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isAwake, false);
  new Doorbell(buffer).notify();
  await keepAlive(woken);
});

test('has only one armed wait, however often it sleeps', async () => {
  const buffer = createDoorbell();
  const bell = new Doorbell(buffer);
  const first = bell.sleep(never);
  assert.equal(bell.sleep(never), first);
  assert.equal(
    bell.sleep(() => true),
    null,
  );
  assert.equal(bell.sleep(never), first);
  bell.notify();
  assert.ok(first);
  await keepAlive(first);
  const second = bell.sleep(never);
  assert.ok(second);
  assert.notEqual(second, first);
  bell.notify();
  await keepAlive(second);
});

test('a notify between the check for work and the wait is not missed', () => {
  const buffer = createDoorbell();
  const bell = new Doorbell(buffer);
  const notifier = new Doorbell(buffer);
  const ring = () => {
    notifier.notify();
    return false;
  };
  assert.equal(bell.sleepSync(ring, Number.POSITIVE_INFINITY), true);
  assert.equal(bell.sleep(ring), null);
});

test('a notify to an owner that is awake costs no wake-up, and does not shorten a later sleep', () => {
  const buffer = createDoorbell();
  const words = new Int32Array(buffer);
  const bell = new Doorbell(buffer);
  for (let i = 0; i < 3; i++) bell.notify();
  assert.equal(words[SEQ_WORD], 0);
  assert.equal(bell.sleepSync(never, 0), false);
  for (let i = 0; i < 3; i++) bell.notify();
  assert.equal(words[SEQ_WORD], 1);
  assert.equal(words[ASLEEP_WORD], 0);
});

test('blocks no longer than the timeout', () => {
  const bell = new Doorbell(createDoorbell());
  for (const timeoutMs of [0, -1, Number.NEGATIVE_INFINITY, 1]) assert.equal(bell.sleepSync(never, timeoutMs), false);
  assert.throws(() => bell.sleepSync(never, Number.NaN), IllegalStateError);
});

test('a blocking sleep that timed out leaves an armed wait armed', async () => {
  const bell = new Doorbell(createDoorbell());
  const sleep = bell.sleep(never);
  assert.equal(bell.sleepSync(never, 1), false);
  assert.equal(bell.sleep(never), sleep);
  bell.notify();
  assert.ok(sleep);
  await keepAlive(sleep);
});

test('one notify from another thread wakes a blocking sleep and the armed wait beside it', async () => {
  const buffer = createDoorbell();
  const bell = new Doorbell(buffer);
  const sleep = bell.sleep(never);
  assert.ok(sleep);
  const source = `
    const { workerData } = require('node:worker_threads');
    const words = new Int32Array(workerData);
    if (Atomics.exchange(words, ${ASLEEP_WORD}, 0) === 1) {
      Atomics.add(words, ${SEQ_WORD}, 1);
      Atomics.notify(words, ${SEQ_WORD});
    }`;
  // The notifier may come before or after the block: the timeouts only bound a failure.
  const worker = new Worker(source, { eval: true, workerData: buffer });
  const words = new Int32Array(buffer);
  const hasRung = () => Atomics.load(words, SEQ_WORD) > 0;
  assert.equal(bell.sleepSync(hasRung, 2 ** 60), true);
  assert.ok(hasRung());
  await keepAlive(sleep);
  await worker.terminate();
});

test('a nudge wakes an owner that sleeps but not one that dozes, and a notify wakes both', async () => {
  const buffer = createDoorbell();
  const bell = new Doorbell(buffer);
  const words = new Int32Array(buffer);
  const other = new Doorbell(buffer);
  const dozing = bell.doze(never);
  assert.ok(dozing);
  for (let i = 0; i < 3; i++) other.nudge();
  assert.equal(words[SEQ_WORD], 0, 'no wake-up was paid for');
  assert.equal(words[ASLEEP_WORD], DOZING, 'the next notify finds it dozing');
  other.notify();
  assert.equal(words[SEQ_WORD], 1);
  await keepAlive(dozing);
  const sleeping = bell.sleep(never);
  assert.ok(sleeping);
  other.nudge();
  assert.equal(words[SEQ_WORD], 2);
  other.nudge();
  assert.equal(words[SEQ_WORD], 2, 'it is awake');
  await keepAlive(sleeping);
});

test('an owner that goes from dozing to sleeping finds the work of a nudge, and has one armed wait', () => {
  const bell = new Doorbell(createDoorbell());
  let work = 0;
  const hasWork = () => work > 0;
  const dozing = bell.doze(hasWork);
  work++;
  new Doorbell(bell.buffer).nudge();
  assert.equal(bell.sleep(hasWork), null);
  work--;
  assert.equal(bell.sleep(hasWork), dozing);
  assert.equal(bell.doze(hasWork), dozing);
  bell.retire();
});

test('is refused if its memory is something else', () => {
  assert.throws(() => new Doorbell(new SharedArrayBuffer(8)), IllegalStateError);
});

/** A pending waitAsync does not keep the process alive; this does, until the promise settles. */
async function keepAlive<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, 60_000);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}

test('a retired doorbell ends its armed wait, also if a notifier was killed before it woke the owner', async () => {
  const buffer = createDoorbell();
  const bell = new Doorbell(buffer);
  const sleep = bell.sleep(never);
  assert.ok(sleep);
  // As far as such a notifier came.
  Atomics.store(new Int32Array(buffer), ASLEEP_WORD, 0);
  bell.retire();
  await keepAlive(sleep);
});
