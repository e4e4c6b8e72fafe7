// A pool of workers that compute. Each worker reads its own partitions and writes its own results: no record passes through this thread.
// To Kafka all of them are one member of the group, on one network thread, with one set of connections.
//   npm run example -- piscina-pool

import { setTimeout as delay } from 'node:timers/promises';
import { Piscina } from 'piscina';
import { KafkaClient } from '../../src/index.ts';
import type { Task, TaskResult } from './worker.ts';

const threads = 4;
const numbers = 4000;
const client = await KafkaClient.start({ bootstrapServers: process.env.KAFKA_BOOTSTRAP_SERVERS ?? 'localhost:9092' });
await client.admin().createTopics(
  [
    { name: 'questions', partitions: 8 },
    { name: 'answers', partitions: 8 },
  ],
  { waitForLeaders: true },
);
const producer = await client.producer();
const consumer = await client.consumer({
  groupId: 'pool',
  topics: ['questions'],
  autoOffsetReset: 'earliest',
  // Small batches, so that a worker does not take what others could compute.
  batchMaxBytes: 4096,
});

const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
const pool = new Piscina({ filename: new URL(file, import.meta.url).href, minThreads: threads, maxThreads: threads });
let attached = 0;
const allAttached = new Promise<void>((resolve) => {
  pool.on('message', () => {
    if (++attached === threads) resolve();
  });
});
const work = Array.from({ length: threads }, (): Promise<TaskResult> => {
  // One handle for each thread. Their ports go into the transfer list.
  const task: Task = { consumer: consumer.share(), producer: producer.share() };
  return pool.run(task, { transferList: [...task.consumer.transferList, ...task.producer.transferList] });
});

// Otherwise the thread that is there first may have read everything before the others are.
await Promise.race([allAttached, ...work]);
for (let number = 1; number <= numbers; number++) {
  while (!producer.append('questions', String(number), String(number))) await producer.ready();
}
await producer.flush();

// A batch is committed when its answers are written.
const questions = Array.from({ length: 8 }, (_, partition) => ({ topic: 'questions', partition }));
for (;;) {
  await delay(50);
  const report = await consumer.commit();
  if (report.error !== null) throw report.error;
  const committed = await consumer.committed(questions);
  const done = committed.reduce((sum, row) => sum + Number(row?.offset ?? 0), 0);
  if (done >= numbers) break;
}
// It ends the loops of all workers.
await consumer.close();
const results = await Promise.all(work);
await pool.destroy();

const read = results.reduce((sum, result) => sum + result.read, 0);
const written = results.reduce((sum, result) => sum + result.written, 0);
const busy = results.filter((result) => result.read > 0).length;
console.log(`${read} questions read by ${busy} threads, ${written} answers written`);
await client.close();
