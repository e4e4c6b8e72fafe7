// Limits of a producer's calls in a process that was stopped: what had come by then is read before they count as over.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { BufferExhaustedError, Cancelled, KafkaTimeoutError } from '../../../../src/common/errors/errors.ts';
import { FLUSH } from '../../../../src/ring/frames/kinds.ts';
import { flushedFrame } from '../../../../src/ring/frames/producer-call-frames.ts';
import { ProducerBench } from './support/producer-bench.ts';

const limitMs = 20;
const bufferMemoryBytes = 64 * 1024;

let bench: ProducerBench<string, string>;

/** This thread does nothing for so long that a limit is found to be over late. */
function stop(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, limitMs + 150);
}

/** Fills the ring, so that there is no room for another such record. */
function fill(value: string): void {
  while (bench.producer.append('t', null, value));
}

beforeEach(() => {
  bench = new ProducerBench({ bufferMemoryBytes, maxBlockMs: limitMs });
});

afterEach(() => {
  bench.session.onThreadLost(new Cancelled('the test is over'));
  bench.close();
});

test('a flush whose records were acknowledged meanwhile has ended in time', async () => {
  const flushed = bench.producer.flush(limitMs);
  const { requestId } = bench.postedOf(FLUSH);
  bench.onCatchUp = () => bench.write(flushedFrame(requestId));
  stop();
  assert.deepEqual((await flushed).failures, []);
});

test('a flush whose records were not acknowledged has not', async () => {
  const flushed = bench.producer.flush(limitMs);
  stop();
  await assert.rejects(async () => flushed, KafkaTimeoutError);
});

test('a wait for room ends well if there was room meanwhile', async () => {
  const value = 'x'.repeat(1000);
  fill(value);
  const ready = bench.producer.ready(value.length);
  bench.onCatchUp = () => void bench.posted();
  stop();
  await ready;
  assert.ok(bench.producer.append('t', null, value));
});

for (const hasRoom of [true, false]) {
  test(`a wait for room that blocks its thread tells whether there was room meanwhile: ${hasRoom}`, () => {
    const value = 'x'.repeat(1000);
    fill(value);
    const { ownDoorbell } = bench.session.shown.end;
    const sleeps = [stop, () => hasRoom && bench.posted()];
    ownDoorbell.sleepSync = () => {
      (sleeps.shift() ?? stop)();
      return true;
    };
    assert.equal(bench.producer.waitSync(value.length, limitMs), hasRoom);
    assert.equal(bench.producer.append('t', null, value), hasRoom);
  });
}

test('a wait for room without any fails', async () => {
  const value = 'x'.repeat(1000);
  fill(value);
  const ready = bench.producer.ready(value.length);
  stop();
  await assert.rejects(async () => ready, BufferExhaustedError);
});
