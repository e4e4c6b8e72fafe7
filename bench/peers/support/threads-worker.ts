// Owns one thread of the threads benchmark: opens its client and its producer, and computes and produces when it is told to. Its own thread.

import { parentPort, workerData } from 'node:worker_threads';
import type { ClientHandle, ProducerHandle } from '../../../src/index.ts';
import { writerOf, writeWith } from './clients/ours.ts';
import type { Writer } from './peer.ts';
import { published } from './published.ts';
import { loadPeer } from './registry.ts';
import { isAttached, type ThreadData, type ThreadOrder, type ThreadTold } from './threads-run.ts';

const { client, place, valueBytes, handle, records, workPerRecord } = workerData as ThreadData;
const settings = { valueBytes, acks: -1, compression: 'none' } as const;
/** Of a thread that only computes. */
const chunkWithoutClient = 1000;
let sum = 0;

async function open(): Promise<Writer | null> {
  if (client === 'no client') return null;
  if (shared !== null) return writerOf(shared, place.topic, settings, onError);
  if (isAttached(client)) return writeWith(attached!, place.topic, settings, onError);
  const peer = await loadPeer(client, place.folder);
  return peer.write!(place, settings, onError);
}

/** The thread ends, and so does the run. */
function onError(error: unknown): never {
  throw error;
}

function compute(steps: number): void {
  let value = sum | 1;
  for (let i = 0; i < steps; i++) value = (Math.imul(value, 1664525) + 1013904223) | 0;
  sum = value;
}

/** Gives whole chunks, and computes between. @returns the number of records */
async function work(count: number): Promise<number> {
  const chunk = producer?.chunk ?? chunkWithoutClient;
  let done = 0;
  for (; done < count; done += chunk) {
    compute(chunk * workPerRecord);
    await producer?.give();
  }
  await producer?.settled();
  return done;
}

// Loaded before it is measured: an application that attaches uses the package already.
const { KafkaClient, Producer } = await published();
const startedAt = performance.now();
const connections = client === 'attached, own' ? 'own' : 'shared';
const isOfProducer = client === 'attached, one producer';
const shared = isOfProducer ? await Producer.attach(handle as ProducerHandle) : null;
const attached =
  handle === null || isOfProducer ? null : await KafkaClient.attach(handle as ClientHandle, { connections });
// Of an attached client the attach alone; of the others until they can produce, since some connect at that.
const attachedMs = performance.now() - startedAt;
const producer = await open();
const openMs = isAttached(client) ? attachedMs : performance.now() - startedAt;

parentPort!.on('message', (order: ThreadOrder) => {
  void obey(order).then((count) => tell(count));
});
tell(0);

function tell(count: number): void {
  parentPort!.postMessage({ openMs, records: count } satisfies ThreadTold);
}

/** @returns the number of records that were produced */
async function obey(order: ThreadOrder): Promise<number> {
  if (order === 'warm-up') return work(Math.ceil(records / 4));
  if (order === 'run') return work(records);
  if (order === 'rest') {
    globalThis.gc?.();
    return 0;
  }
  await producer?.close();
  parentPort!.unref();
  return 0;
}
