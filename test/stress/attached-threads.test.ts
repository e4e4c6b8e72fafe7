// Threads attach to one network thread and are killed under load, again and again: the counters stay right, no memory and no connection
// is left behind, and a client that goes on is not affected.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BroadcastChannel, Worker } from 'node:worker_threads';
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
import type { RolesData, RolesEnd } from '../broker/support/scripts/roles.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { chooseSeed, Random } from '../unit/ring/support/random.ts';
import { repeat } from './budget.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const atOnce = 4;
/** Of the first test, however slow the machine is and however short the time. */
const leastThreads = 200;
/** To the one broker, however many threads there were: as a bootstrap server, as a broker, and in the lanes of producers and consumers. */
const maxConnections = 5;
const inFlightGoal = 3;
/** Memory is back at its start value, but for what the collector has not come to: the rings of 30 threads alone would be more. */
const maxLeftBytes = 4_000_000;
/** A thread with a producer and a consumer has rings of about 20 MB: what three of them have may be referred to still, of dozens. */
const maxLeftOfRolesBytes = 60_000_000;
const workerUrl = new URL('./collecting-worker.js', import.meta.url).href;
const tests = { timeout: 1_200_000 };

test('hundreds of threads attach, work and are killed, and other threads go on', tests, async (t) => {
  const seed = chooseSeed();
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed);
  const broker = await startEmbeddedBroker({ topics: { logs: { assignments: [[0]] } } });
  const { bootstrapServers } = broker;
  const client = await KafkaClient.start({
    ...patient,
    bootstrapServers,
    workerUrl,
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
    collect();
    const before = process.memoryUsage();
    const from = threads;
    await repeat(0.5, batch);
    while (threads - from < leastThreads) await batch();
    await waitFor('the accounts to be even', () => client.metricsSnapshot()!.client['requests-open'] === 0);
    const totals = client.metricsSnapshot()!.client;
    assert.equal(
      totals['request-accepted-total'],
      totals['request-succeeded-total']! + totals['request-failed-total']!,
    );
    const { openConnections } = await broker.stats();
    assert.equal(openConnections, 1, 'one connection to one broker');
    assert.equal(totals['connection-count'], 1);
    const grown = await grownSince(before);
    t.diagnostic(`${threads} threads, ${totals['request-accepted-total']} requests, ${grown} bytes more`);
    assert.ok(grown < maxLeftBytes, `${grown} bytes more after ${threads - from} threads`);
  } finally {
    await client.close();
    await broker.close();
  }
});

test(
  'when threads with a producer and a consumer are killed, their records are sent and their members leave',
  tests,
  async (t) => {
    const seed = chooseSeed();
    t.diagnostic(`SEED=${seed}`);
    const random = new Random(seed);
    const broker = await startEmbeddedBroker({ topics: { lives: {} } });
    const client = await KafkaClient.start({
      ...patient,
      bootstrapServers: broker.bootstrapServers,
      workerUrl,
      closeTimeoutMs: 30_000,
    });
    try {
      let threads = 0;
      let written = 0;
      const batch = async (): Promise<void> => {
        const counts = Array.from({ length: atOnce }, () => random.below(40));
        // Groups of several members, of which each dies.
        await Promise.all(counts.map((records) => liveWithRoles(client, records, `group-${threads % 3}`, random)));
        threads += atOnce;
        for (const records of counts) written += records;
        await waitFor('every record', async () => (await broker.log('lives', 0)).endOffset === written);
      };
      for (let i = 0; i < 2; i++) await batch();
      collect();
      const before = process.memoryUsage();
      await repeat(0.3, batch);
      await waitFor('all members to leave', async () => {
        const groups = await Promise.all([0, 1, 2].map((i) => broker.describeGroup(`group-${i}`)));
        return groups.every((group) => (group?.members.length ?? 0) === 0);
      });
      await waitFor('their connections to end', async () => (await broker.stats()).openConnections <= maxConnections);
      const grown = await grownSince(before, maxLeftOfRolesBytes);
      t.diagnostic(`${threads} threads, ${written} records, ${grown} bytes more`);
      assert.ok(grown < maxLeftOfRolesBytes, `${grown} bytes more`);
    } finally {
      await client.close();
      await broker.close();
    }
  },
);

async function liveWithRoles(client: KafkaClient, records: number, groupId: string, random: Random): Promise<void> {
  const handle = client.share();
  const largeBytes = 0;
  const workerData: RolesData = {
    handle,
    name: 'life',
    topic: 'lives',
    groupId,
    records,
    largeBytes,
    mayBeUnassigned: true,
  };
  const worker = new Worker(new URL(scriptUrl('roles')), { workerData, transferList: [...handle.transferList] });
  worker.on('error', (error) => assert.match(error.message, /as told/));
  const exit = new Promise((resolve) => worker.once('exit', resolve));
  await once(worker, 'message');
  const end = (['close', 'exit', 'throw', 'terminate'] as const)[random.below(4)]!;
  if (end === 'terminate') await worker.terminate();
  else worker.postMessage(end satisfies RolesEnd);
  await exit;
}

/** Bytes of buffers that this thread has more, once both threads have collected. */
async function grownSince(before: NodeJS.MemoryUsage, maxBytes = maxLeftBytes): Promise<number> {
  const channel = new BroadcastChannel('collect');
  const grown = (): number => {
    channel.postMessage(null);
    collect();
    return grownNow(before);
  };
  await waitFor('memory to come back', () => grown() < maxBytes).catch(() => {});
  channel.close();
  return grownNow(before);
}

function grownNow(before: NodeJS.MemoryUsage): number {
  return process.memoryUsage().arrayBuffers - before.arrayBuffers;
}

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
