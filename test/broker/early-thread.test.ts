// A network thread that is made before its client's configuration is known, as the command line does.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { Metadata } from '../../src/index.ts';
import { endEarlyThread, startThreadEarly } from '../../src/main/thread/new-thread.ts';
import { type EmbeddedBroker, startEmbeddedBrokerInProcess } from '../helpers/embedded-broker.ts';
import { openClient } from './support/client.ts';

let broker: EmbeddedBroker;
/** The threads that were made during a test. */
const made: Worker[] = [];
const count = (worker: Worker): void => void made.push(worker);

before(async () => {
  broker = await startEmbeddedBrokerInProcess();
});

after(async () => {
  await broker.close();
});

beforeEach(() => {
  made.length = 0;
  process.on('worker', count);
});

afterEach(async () => {
  process.off('worker', count);
  await endEarlyThread();
});

test('the next client takes the thread, and the one after it has its own', async (t) => {
  startThreadEarly();
  startThreadEarly();
  await nextTurn();
  assert.equal(made.length, 1);
  const client = await openClient(t, { bootstrapServers: broker.bootstrapServers });
  assert.equal(made.length, 1);
  await client.awaitReady(0);
  assert.equal((await client.send(0, Metadata, { topics: [] })).brokers.length, 1);
  const other = await openClient(t, { bootstrapServers: broker.bootstrapServers });
  assert.equal(made.length, 2);
  await other.close();
  const ended = once(made[0]!, 'exit');
  await client.close();
  await ended;
});

test('a thread that no client has taken ends', async () => {
  startThreadEarly();
  await nextTurn();
  const ended = once(made[0]!, 'exit');
  await endEarlyThread();
  await ended;
  assert.equal(made.length, 1);
});

test('a thread that has ended is not taken', async (t) => {
  startThreadEarly();
  await nextTurn();
  await made[0]!.terminate();
  const client = await openClient(t, { bootstrapServers: broker.bootstrapServers });
  await client.awaitReady(0);
  assert.equal(made.length, 2);
});
