// A thread that reads a consumer of another: tells its parent that it is attached (partition -2), then of each batch, then that it is
// done (partition -1). With `holds` it keeps the first one for ever. Its own thread.

import { parentPort, workerData } from 'node:worker_threads';
import { Consumer, type ConsumerHandle } from '../../../../src/index.ts';

const { handle, holds } = workerData as { handle: ConsumerHandle; holds: boolean };
const consumer = await Consumer.attach(handle);
parentPort!.postMessage({ partition: -2, values: [] });
for await (const batch of consumer) {
  parentPort!.postMessage({
    partition: batch.partition,
    values: [...batch].map(({ value }) => String(value)),
  });
  if (holds) await new Promise<void>(() => setInterval(() => {}, 1000));
}
parentPort!.postMessage({ partition: -1, values: [] });
