// A program that lets go of a client without closing it, and says what became of it. Needs --expose-gc.

import { writeSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { type Cluster, Fetch, KafkaClient, type KafkaClientOptions } from '../../../../src/index.ts';
import { byName, fetchRequest } from '../requests.ts';

export interface DroppedArguments {
  readonly options: KafkaClientOptions;
  /** A request is in flight when the client is dropped. */
  readonly isAsked: boolean;
}

const { options, isAsked } = JSON.parse(process.argv[2]!) as DroppedArguments;
const collect = (globalThis as unknown as { gc: () => void }).gc;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const say = (line: string): void => void writeSync(1, `${line}\n`);

let threads = 0;
process.on('worker', (worker: Worker) => {
  threads++;
  worker.once('exit', () => threads--);
});

/** What an application may well keep of a client. */
interface Kept {
  readonly reference: WeakRef<KafkaClient>;
  readonly cluster: Cluster;
}

async function startAndDrop(): Promise<Kept> {
  const nothing = (): void => {};
  const warn = ({ event }: { event: string }): void => say(event);
  const client = await KafkaClient.start({ ...options, logger: { debug: nothing, info: nothing, warn, error: warn } });
  await client.awaitReady(0);
  if (isAsked) client.send(0, Fetch, fetchRequest('logs'), byName).addBoth(() => say('answered'));
  return { reference: new WeakRef(client), cluster: client.cluster };
}

const { reference, cluster } = await startAndDrop();
do {
  // A turn in which the reference was read keeps the client.
  await turn();
  collect();
} while (reference.deref() !== undefined);
say('collected');
while (threads > 0) await turn();
say(`ended, ${cluster.brokers().length} broker known`);
