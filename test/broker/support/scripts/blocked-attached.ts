// A thread with an attached client that blocks until it is told to go on. Worker thread of a test.

import { parentPort, workerData } from 'node:worker_threads';
import { type ClientHandle, KafkaClient } from '../../../../src/index.ts';

export interface BlockedData {
  readonly handle: ClientHandle;
  /** One word: 1 when the thread may go on. */
  readonly gate: SharedArrayBuffer;
}

const { handle, gate } = workerData as BlockedData;
const client = await KafkaClient.attach(handle);
parentPort!.postMessage('attached');
// Nothing of Node runs in this thread meanwhile.
Atomics.wait(new Int32Array(gate), 0, 0);
parentPort!.postMessage('awake');
await client.close();
