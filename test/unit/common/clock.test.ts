import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { monotonicNowMs } from '../../../src/common/clock.ts';

test('the clock never goes back', () => {
  let last = monotonicNowMs();
  for (let i = 0; i < 10_000; i++) {
    const now = monotonicNowMs();
    assert.ok(now >= last);
    last = now;
  }
});

test('another thread reads the same clock', async () => {
  const entry = new URL('../../../src/common/clock.js', import.meta.url).href;
  const source = `import(${JSON.stringify(entry)}).then(({ monotonicNowMs }) =>
    require('node:worker_threads').parentPort.postMessage(monotonicNowMs()))`;
  const before = monotonicNowMs();
  const worker = new Worker(source, { eval: true });
  const theirs = await new Promise<number>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const after = monotonicNowMs();
  // Between two readings here; both threads measured their offset to well under a millisecond.
  assert.ok(theirs > before - 1 && theirs < after + 1, `${theirs} is not between ${before} and ${after}`);
});
