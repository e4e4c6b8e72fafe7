// A worker with a client of its own on another thread's network thread, which opens a producer and a consumer there, writes records
// that nothing sends for an hour, becomes a member of a group, and ends as it is told. Its own thread.

import { parentPort, workerData } from 'node:worker_threads';
import { type ClientHandle, KafkaClient } from '../../../../src/index.ts';

export type RolesEnd = 'close' | 'exit' | 'throw' | 'terminate';

export interface RolesData {
  readonly handle: ClientHandle;
  readonly name: string;
  readonly topic: string;
  readonly groupId: string;
  readonly records: number;
  /** Bytes of one more record, which does not lie in the ring; 0: none. */
  readonly largeBytes: number;
  /** It does not wait for a partition, of which its group may have fewer than members. */
  readonly mayBeUnassigned?: boolean;
}

const hourMs = 3_600_000;

async function run(data: RolesData): Promise<void> {
  const { handle, name, topic, groupId, records, largeBytes, mayBeUnassigned = false } = data;
  const client = await KafkaClient.attach(handle);
  const consumer = await client.consumer({ groupId, topics: [topic], autoOffsetReset: 'earliest' });
  while (!mayBeUnassigned && consumer.assignment.length === 0) await consumer.poll(20);
  const producer = await client.producer({ lingerMs: hourMs, deliveryTimeoutMs: 2 * hourMs });
  for (let i = 0; i < records; i++) producer.append(topic, null, `${name} ${i}`);
  if (largeBytes > 0) producer.append(topic, null, `${name} large ${'x'.repeat(largeBytes)}`);
  parentPort!.on('message', (end: RolesEnd) => {
    if (end === 'exit') process.exit(0);
    if (end === 'throw') throw new Error('as told');
    if (end === 'close') void client.close().then(() => parentPort!.close());
  });
  parentPort!.postMessage('ready');
}

void run(workerData as RolesData);
