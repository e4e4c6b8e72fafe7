// Owns one thread of the threads benchmark: opens its client and its producer, and computes and produces when it is told to. Its own thread.

import { parentPort, workerData } from 'node:worker_threads';
import { KafkaClient } from '../../../src/index.ts';
import { type BulkProducer, ourBulkProducer, recordsPerCall, startBulkProducer } from './bulk-producers.ts';
import { isAttached, type ThreadData, type ThreadOrder } from './threads-run.ts';

const { client, place, handle, records, workPerRecord } = workerData as ThreadData;
/** Given at once, a whole call of the peers. The thread computes between. */
const perGive = recordsPerCall(place.valueBytes);
let sum = 0;

async function open(): Promise<BulkProducer | null> {
  if (client === 'no client') return null;
  return isAttached(client) ? ourBulkProducer(attached!, place) : startBulkProducer(client, place);
}

function compute(steps: number): void {
  let value = sum | 1;
  for (let i = 0; i < steps; i++) value = (Math.imul(value, 1664525) + 1013904223) | 0;
  sum = value;
}

async function work(count: number): Promise<void> {
  for (let done = 0; done < count; done += perGive) {
    compute(perGive * workPerRecord);
    await producer?.give(perGive);
  }
  await producer?.settled();
}

const startedAt = performance.now();
const connections = client === 'attached, own' ? 'own' : 'shared';
const attached = handle === null ? null : await KafkaClient.attach(handle, { connections });
// Of an attached client the attach alone; of the others until they can produce, since some connect at that.
const attachedMs = performance.now() - startedAt;
const producer = await open();
const openMs = isAttached(client) ? attachedMs : performance.now() - startedAt;

parentPort!.on('message', (order: ThreadOrder) => {
  void obey(order).then(() => parentPort!.postMessage(order));
});
parentPort!.postMessage(openMs);

async function obey(order: ThreadOrder): Promise<void> {
  if (order === 'warm-up') await work(Math.ceil(records / 4));
  else if (order === 'run') await work(records);
  else if (order === 'rest') globalThis.gc?.();
  else {
    await producer?.close();
    parentPort!.unref();
  }
}
