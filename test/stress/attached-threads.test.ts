// Threads attach to one network thread and are killed under load, over and over: the accounts stay even, no memory and no
// connection is left behind, and a client that lives on never notices.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { KafkaClient, Metadata } from '../../src/index.ts';
import { scriptUrl } from '../broker/support/child.ts';
import {
  ACCEPTED,
  type AttachedData,
  FAILED,
  type Order,
  SUCCEEDED,
  type Work,
} from '../broker/support/scripts/attached.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { chooseSeed, Random } from '../unit/ring/support/random.ts';
import { repeat } from './budget.ts';

const atOnce = 4;
const inFlightGoal = 3;
/** A run leaves less than this behind for each thread: rings alone would be megabytes. */
const leftBytesPerThread = 200 * 1024;
const tests = { timeout: 600_000 };

test('hundreds of threads attach, work and are killed; the rest goes on', tests, async (t) => {
  const seed = chooseSeed();
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed);
  const broker = await startEmbeddedBroker({ topics: { logs: { assignments: [[0]] } } });
  const { bootstrapServers } = broker;
  const client = await KafkaClient.start({
    bootstrapServers,
    metrics: true,
    maxInFlightRequestsPerConnection: 1000,
    responseRingBytes: 65536,
    requestRingBytes: 65536,
    spillBytes: 1024,
  });
  try {
    await client.awaitReady(0);
    let threads = 0;
    const batch = async (): Promise<void> => {
      await Promise.all(Array.from({ length: atOnce }, () => one(client, random)));
      threads += atOnce;
      assert.equal((await client.send(0, Metadata, { topics: [] })).brokers.length, 1);
    };
    // What a process takes once.
    for (let i = 0; i < 3; i++) await batch();
    globalThis.gc?.();
    const before = process.memoryUsage();
    const from = threads;
    await repeat(0.5, batch);
    await waitFor('the accounts to be even', () => client.metricsSnapshot()!.client['requests-open'] === 0);
    const totals = client.metricsSnapshot()!.client;
    assert.equal(
      totals['request-accepted-total'],
      totals['request-succeeded-total']! + totals['request-failed-total']!,
    );
    const { openConnections } = await broker.stats();
    assert.equal(openConnections, 1, 'one connection to one broker');
    assert.equal(totals['connection-count'], 1);
    globalThis.gc?.();
    const grown = process.memoryUsage().arrayBuffers - before.arrayBuffers;
    assert.ok(
      grown < (threads - from) * leftBytesPerThread + 8e6,
      `${grown} bytes more after ${threads - from} threads`,
    );
    t.diagnostic(`${threads} threads, ${totals['request-accepted-total']} requests`);
  } finally {
    await client.close();
    await broker.close();
  }
});

/** The life of one thread. */
async function one(client: KafkaClient, random: Random): Promise<void> {
  const handle = client.share();
  const counts = new SharedArrayBuffer(32);
  const words = new Int32Array(counts);
  const work: Work = (['loop', 'sync', 'deaf'] as const)[random.below(3)]!;
  const end = (['close', 'exit', 'throw', 'terminate', 'early'] as const)[random.below(5)]!;
  const goal = random.below(60);
  const workerData: AttachedData = { handle, work, counts };
  const worker = new Worker(new URL(scriptUrl('attached')), { workerData, transferList: [...handle.transferList] });
  // `throw` is an error of the worker, as it is told.
  worker.on('error', (error) => assert.match(error.message, /as told/));
  const exit = new Promise((resolve) => worker.once('exit', resolve));
  if (end !== 'early') {
    await once(worker, 'message');
    const isDone = (): boolean => Atomics.load(words, SUCCEEDED) >= (work === 'deaf' ? 0 : goal);
    await waitFor('the thread to work', isDone);
    if (end !== 'terminate') worker.postMessage(end satisfies Order);
  }
  if (end === 'terminate' || end === 'early') await worker.terminate();
  await exit;
  const open = words[ACCEPTED]! - words[SUCCEEDED]! - words[FAILED]!;
  assert.ok(open >= 0 && open <= inFlightGoal + 1, `${open} requests are open`);
  if (end === 'close') assert.equal(open, 0);
}
