// A thread that reads a consumer of another: tells its parent of each batch, then says that it is done. With `holds` it keeps the
// first one for ever. Its own thread.

import { parentPort, workerData } from 'node:worker_threads';
import { Consumer, type ConsumerHandle } from '../../../../src/index.ts';

const { handle, holds } = workerData as { handle: ConsumerHandle; holds: boolean };
const consumer = await Consumer.attach(handle);
for await (const batch of consumer) {
  parentPort!.postMessage({
    partition: batch.partition,
    values: [...batch].map(({ value }) => String(value)),
  });
  if (holds) await new Promise<void>(() => setInterval(() => {}, 1000));
}
parentPort!.postMessage({ partition: -1, values: [] });
