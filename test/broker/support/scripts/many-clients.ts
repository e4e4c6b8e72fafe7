// A worker that starts a client of its own, with options of its own, works, gives its parent a handle, and ends as it is told. Its own
// thread.

import { parentPort, workerData } from 'node:worker_threads';
import { KafkaClient, type KafkaClientOptions, Metadata } from '../../../../src/index.ts';

export interface ManyClientsData {
  readonly options: KafkaClientOptions;
}

async function run({ options }: ManyClientsData): Promise<void> {
  const client = await KafkaClient.start(options);
  await client.awaitReady(0);
  const { clusterId } = await client.send(0, Metadata, { topics: null });
  const producer = await client.producer();
  await producer.send('t', { value: options.clientId! });
  const handle = client.share();
  parentPort!.postMessage({ clusterId, handle }, [...handle.transferList]);
  parentPort!.on('message', async (how: 'close' | 'exit') => {
    if (how === 'exit') process.exit(0);
    await client.close();
    parentPort!.close();
  });
}

if (parentPort !== null && (workerData as Partial<ManyClientsData> | null)?.options !== undefined) {
  await run(workerData as ManyClientsData);
}
