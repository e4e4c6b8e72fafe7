// A worker that attaches to a client of another thread, sends requests without a pause, and ends as it is told. It counts in
// shared memory, which outlives it.

import { parentPort, workerData } from 'node:worker_threads';
import { type ClientHandle, KafkaClient, Metadata } from '../../../../src/index.ts';

/** `loop`: sends from the event loop; `sync`: by pollSync alone; `deaf`: sends and never reads. */
export type Work = 'loop' | 'sync' | 'deaf';
export type Order = 'close' | 'exit' | 'throw' | 'block';

export interface AttachedData {
  readonly handle: ClientHandle;
  readonly work: Work;
  readonly counts: SharedArrayBuffer;
  readonly connections?: 'shared' | 'own';
}

export interface Said {
  readonly brokers: number;
  readonly nodeId: number;
}

/** Words of `counts`. */
export const ACCEPTED = 0;
export const SUCCEEDED = 1;
export const FAILED = 2;
/** How the client ended, or 0: 1 with Cancelled, 2 with NetworkThreadError, 3 otherwise. */
export const ENDED = 3;
/** How often a Future failed with what ended the client. */
export const ORDERS = 4;

const inFlightGoal = 3;

async function run({ handle, work, counts, connections }: AttachedData): Promise<void> {
  const words = new Int32Array(counts);
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  const client = await KafkaClient.attach(handle, { logger, connections });
  const brokers = client.cluster.brokers();
  const { nodeId } = brokers[0]!;
  await client.awaitReady(nodeId);
  let order: Order | null = null;
  let failure: Error | null = null;
  parentPort!.on('message', (told: Order) => {
    order = told;
    if (told === 'exit') process.exit(0);
    if (told === 'throw') throw new Error('as told');
    if (told === 'block') for (;;);
  });
  parentPort!.postMessage({ brokers: brokers.length, nodeId } satisfies Said);
  const send = (): void => {
    const future = client.send(nodeId, Metadata, { topics: [] });
    // What is refused at once was not accepted.
    if (future.failed) {
      failure = future.exception;
      return;
    }
    Atomics.add(words, ACCEPTED, 1);
    future.addCallback(() => Atomics.add(words, SUCCEEDED, 1));
    future.addErrback((error) => {
      failure = error;
      Atomics.add(words, FAILED, 1);
    });
  };
  const isEnded = (): boolean => failure?.name === 'Cancelled' || failure?.name === 'NetworkThreadError';
  while (order !== 'close' && !isEnded()) {
    while (client.isReady(nodeId) && client.inFlightRequestCount(nodeId) < inFlightGoal) send();
    if (work === 'sync') client.pollSync(5);
    else if (work === 'loop') await client.poll(5);
    else Atomics.wait(words, ORDERS, 0, 5);
    if (work !== 'loop') await new Promise((resolve) => setImmediate(resolve));
    if (!client.isReady(nodeId)) send();
  }
  if (isEnded()) Atomics.store(words, ENDED, failure!.name === 'Cancelled' ? 1 : 2);
  await client.close();
  parentPort!.close();
}

if (parentPort !== null && (workerData as Partial<AttachedData> | null)?.counts !== undefined) {
  await run(workerData as AttachedData);
}
