// A program that lets go of a client without closing it, and says what became of it. Needs --expose-gc.

import { writeSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { type Cluster, Fetch, KafkaClient, type KafkaClientOptions, Metadata } from '../../../../src/index.ts';
import { patient } from '../../../helpers/patience.ts';
import { byName, fetchRequest } from '../requests.ts';

export interface DroppedArguments {
  readonly options: KafkaClientOptions;
  /** A request is in flight when the client is dropped. */
  readonly isAsked: boolean;
  /** A loop over responses goes on when the client is dropped, and ends later. */
  readonly isIterating?: boolean;
  /** What else refers to the client, or waits for it, when it is dropped: a listener of its cluster, an iterator in mid-step. */
  readonly leaves?: 'listener' | 'iterator';
}

const { options, isAsked, isIterating = false, leaves } = JSON.parse(process.argv[2]!) as DroppedArguments;
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
  readonly endLoop: (() => Promise<unknown>) | null;
}

/** Apart, since closures of one scope share what they hold: a logger would hold the client of a listener beside it. */
function leave(client: KafkaClient): void {
  if (leaves === 'listener') client.cluster.addListener(() => client.wakeup());
  if (leaves === 'iterator') void client.responses().next();
}

async function startAndDrop(): Promise<Kept> {
  const nothing = (): void => {};
  const warn = ({ event }: { event: string }): void => say(event);
  const client = await KafkaClient.start({
    ...patient,
    ...options,
    logger: { debug: nothing, info: nothing, warn, error: warn },
  });
  await client.awaitReady(0);
  if (isAsked) client.send(0, Fetch, fetchRequest('logs'), byName).addBoth(() => say('answered'));
  leave(client);
  let endLoop: Kept['endLoop'] = null;
  if (isIterating) {
    const responses = client.responses();
    client.send(0, Metadata, { topics: [] });
    await responses.next();
    endLoop = () => responses.return();
  }
  return { reference: new WeakRef(client), cluster: client.cluster, endLoop };
}

/** Whether the client is collected within so many turns. */
async function isCollected(reference: WeakRef<KafkaClient>, turns: number): Promise<boolean> {
  for (let i = 0; i < turns; i++) {
    // A turn in which the reference was read keeps the client.
    await turn();
    collect();
    if (reference.deref() === undefined) return true;
  }
  return false;
}

const kept: { -readonly [K in keyof Kept]: Kept[K] } = await startAndDrop();
const { reference, cluster } = kept;
if (kept.endLoop !== null) {
  say((await isCollected(reference, 20)) ? 'collected inside the loop' : 'kept');
  await kept.endLoop();
  kept.endLoop = null;
}
await isCollected(reference, Number.POSITIVE_INFINITY);
say('collected');
while (threads > 0) await turn();
say(`ended, ${cluster.brokers().length} broker known`);
