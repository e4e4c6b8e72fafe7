// A program that counts what clients leave in memory after their end. Needs --expose-gc.

import { writeSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { KafkaClient, type KafkaClientOptions, Metadata } from '../../../../src/index.ts';
import { patient } from '../../../helpers/patience.ts';

export type Manner = 'idle' | 'used' | 'lost' | 'failed-start' | 'roles' | 'lost-roles' | 'attached';

export interface EndedArguments {
  readonly options: KafkaClientOptions;
  /** How its clients live and end. */
  readonly manner: Manner;
  readonly clients: number;
}

const { options, manner, clients } = JSON.parse(process.argv[2]!) as EndedArguments;
const collect = (globalThis as unknown as { gc: () => void }).gc;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The shared memory of every client there was: nothing that stays alive and belongs to one can do without leading to it. */
const memory: WeakRef<SharedArrayBuffer>[] = [];
const RealBuffer = SharedArrayBuffer;
globalThis.SharedArrayBuffer = class extends RealBuffer {
  constructor(byteLength?: number) {
    super(byteLength);
    memory.push(new WeakRef(this));
  }
};

let newestThread: WeakRef<Worker> | undefined;
process.on('worker', (worker: Worker) => {
  newestThread = new WeakRef(worker);
});

async function liveAndEnd(): Promise<void> {
  if (manner === 'failed-start') {
    await KafkaClient.start({ ...options, bootstrapServers: '127.0.0.1:1', apiVersionAutoTimeoutMs: 50 }).then(
      () => Promise.reject(new Error('it started without a broker')),
      () => {},
    );
    return;
  }
  const client = await KafkaClient.start({ ...patient, ...options });
  if (manner === 'used') {
    await client.awaitReady(0);
    for (let i = 0; i < 20; i++) await client.send(0, Metadata, { topics: [] });
  }
  if (manner === 'roles' || manner === 'lost-roles') await useRoles(client);
  if (manner === 'attached') await useAttached(client);
  if (manner === 'lost' || manner === 'lost-roles') {
    const thread = newestThread!.deref()!;
    // The client lets the process end while nothing is under way, from the end of the turn on in which it was started.
    await turn();
    thread.ref();
    await thread.terminate();
    await client.refreshMetadata().then(null, () => {});
    if (!client.send(0, Metadata, { topics: [] }).failed) throw new Error('it can still send');
  }
  await client.close();
}

/** A producer and a consumer that are closed, and one of each that end with the client. */
async function useRoles(client: KafkaClient): Promise<void> {
  for (const isClosed of [true, false]) {
    const producer = await client.producer({ lingerMs: 0 });
    await producer.send('logs', { value: 'x' });
    const consumer = await client.consumer({ groupId: 'ended', topics: ['logs'], autoOffsetReset: 'earliest' });
    await consumer.poll(20);
    if (!isClosed) return;
    await producer.close();
    await consumer.close();
  }
}

/** A client on the same network thread that is closed, and one that ends with the client. */
async function useAttached(client: KafkaClient): Promise<void> {
  for (const isClosed of [true, false]) {
    const attached = await KafkaClient.attach(client.share());
    await attached.awaitReady(0);
    await attached.send(0, Metadata, { topics: [] });
    if (isClosed) await attached.close();
  }
}

for (let i = 0; i < clients; i++) await liveAndEnd();
const alive = (): number => memory.filter((buffer) => buffer.deref() !== undefined).length;
// Finalizers, and threads that end, take turns and time of their own; what is left after this long stays for good.
const deadline = performance.now() + 30_000;
while (alive() > 0 && performance.now() < deadline) {
  // A turn in which a reference was read keeps what it refers to.
  await turn();
  collect();
  await turn();
}
writeSync(1, `${alive()} of ${memory.length} buffers left\n`);
