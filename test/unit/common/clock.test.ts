// All threads read the same clock.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { monotonicNowMs } from '../../../src/common/clock.ts';

/** What measuring the offset may be wrong by on a machine that is busy with other things. */
const toleranceMs = 20;

test('two threads agree on the time', async () => {
  const url = new URL(`../../../src/common/clock.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
  const source = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(url.href)}).then(({ monotonicNowMs }) => {
      parentPort.on('message', () => parentPort.postMessage(monotonicNowMs()));
      parentPort.postMessage('ready');
    });`;
  const worker = new Worker(source, { eval: true });
  await once(worker, 'message');
  for (let i = 0; i < 20; i++) {
    const before = monotonicNowMs();
    worker.postMessage('now');
    const [there] = await once(worker, 'message');
    const after = monotonicNowMs();
    assert.ok(there >= before - toleranceMs && there <= after + toleranceMs, `${before} <= ${there} <= ${after}`);
  }
  await worker.terminate();
});

test('time does not go back', () => {
  let last = monotonicNowMs();
  for (let i = 0; i < 10_000; i++) {
    const now = monotonicNowMs();
    assert.ok(now >= last);
    last = now;
  }
});
