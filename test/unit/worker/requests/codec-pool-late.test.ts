// The codec pool while its threads do not come: Node 20 reads their modules in the thread pool of the process, which may be busy.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { parseConfig } from '../../../../src/common/config/config-parser.ts';
import { Cancelled } from '../../../../src/common/errors/errors.ts';
import { Fetch } from '../../../../src/protocol/flat/generated/apis.ts';
import { CodecPool } from '../../../../src/worker/requests/codec-pool.ts';
import type { DecodedBody, DecodeTask } from '../../../../src/worker/requests/codec-work.ts';
import { decodeOptions } from '../../../../src/worker/requests/decode-options.ts';
import { waitFor } from '../../../helpers/wait-for.ts';
import { fetchResponse, noisyBatch } from '../support/big-messages.ts';
import { fetchBody } from '../support/codec-messages.ts';
import { FakeCodecThreads } from '../support/fake-codec-threads.ts';

const version = 12;
const options = decodeOptions(parseConfig({}));
const body = fetchBody(version, fetchResponse([noisyBatch(1000, 1)]));
const cancelled = new Cancelled('the client was closed');

type Outcome = DecodedBody | Error | null;

function send(pool: CodecPool, count: number): Outcome[] {
  const outcomes: Outcome[] = Array.from({ length: count }, () => null);
  for (let i = 0; i < count; i++) {
    const frame = Buffer.from(body.buffer.slice(body.byteOffset, body.byteOffset + body.length));
    const end = frame.length;
    const task: DecodeTask = {
      kind: 'decode',
      frame,
      start: 0,
      end,
      apiKey: Fetch.key,
      version,
      prefixBytes: 32,
      options,
    };
    pool.decode(task, (outcome) => {
      assert.equal(outcomes[i], null, 'settled twice');
      outcomes[i] = outcome;
    });
  }
  return outcomes;
}

test('late threads delay no task, and are tried again later', async () => {
  const timers: { ms: number; work: () => void }[] = [];
  const told: unknown[] = [];
  let start: () => void = () => {};
  const threads = new FakeCodecThreads();
  const started = new Promise<FakeCodecThreads>((resolve) => {
    start = () => resolve(threads);
  });
  const pool = new CodecPool(
    1,
    () => {},
    () => started,
    (cause) => told.push(cause),
    (ms, work) => {
      timers.push({ ms, work });
      return () => {};
    },
  );
  const doneHere = async (outcomes: Outcome[]): Promise<void> => {
    await waitFor('the tasks', () => {
      pool.poll(0);
      return outcomes.every((outcome) => outcome !== null);
    });
    for (const outcome of outcomes) assert.ok(outcome !== null && !(outcome instanceof Error));
  };
  const first = send(pool, 2);
  await threads.settled();
  assert.equal(pool.poll(0), 0, 'there is still time');
  assert.ok(timers[0]!.ms <= 5000);
  timers.shift()!.work();
  await doneHere(first);
  await doneHere(send(pool, 3));
  assert.equal(threads.count, 0);
  const [again] = timers;
  assert.equal(timers.length, 1);
  start();
  again!.work();
  const later = send(pool, 1);
  await threads.settled();
  assert.equal(threads.count, 1);
  await threads.finish();
  pool.poll(0);
  assert.ok(later[0] !== null && !(later[0] instanceof Error));
  assert.deepEqual(told, [], 'the pool is usable');
  await pool.close(cancelled, 0);
});

test('threads that have come while the network thread was busy are in time', async () => {
  const timers: (() => void)[] = [];
  const { setTimeout } = globalThis;
  const threads = new FakeCodecThreads();
  const { port1, port2 } = new MessageChannel();
  const started = new Promise<FakeCodecThreads>((resolve) => {
    port1.once('message', () => {
      port1.close();
      resolve(threads);
    });
  });
  const pool = new CodecPool(
    1,
    () => {},
    () => started,
  );
  globalThis.setTimeout = ((work: () => void) => {
    timers.push(work);
    const timer = { unref: () => timer };
    return timer;
  }) as unknown as typeof setTimeout;
  try {
    send(pool, 1);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assert.equal(timers.length, 1);
  await new Promise<void>((resolve) => {
    setTimeout(() => {
      port2.postMessage('the threads have begun');
      timers[0]!();
      resolve();
    }, 0);
  });
  await waitFor('the task', () => threads.count > 0 || pool.poll(0) > 0);
  assert.equal(threads.count, 1);
  await pool.close(cancelled, 0);
});

test('threads that never start do not delay the end', async () => {
  const pool = new CodecPool(
    1,
    () => {},
    () => new Promise(() => {}),
    () => {},
    (_ms, work) => {
      queueMicrotask(work);
      return () => {};
    },
  );
  await pool.close(cancelled, 0);
  send(pool, 1);
  await pool.close(cancelled, 0);
});
