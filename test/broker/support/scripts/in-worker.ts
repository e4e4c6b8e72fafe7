// A worker that is an application of its own: its client lives in it, and so does that client's network thread.

import { parentPort, workerData } from 'node:worker_threads';
import { KafkaClient, type KafkaClientOptions, Metadata } from '../../../../src/index.ts';

const client = await KafkaClient.start(workerData as KafkaClientOptions);
await client.awaitReady(0);
parentPort!.postMessage((await client.send(0, Metadata, { topics: [] })).clusterId);
const future = client.send(0, Metadata, { topics: [] });
client.pollSync(60_000, future);
parentPort!.postMessage(future.value?.clusterId);
parentPort!.postMessage('still open');
// Keeps the worker there until it is ended from outside, the client open.
parentPort!.on('message', () => {});
