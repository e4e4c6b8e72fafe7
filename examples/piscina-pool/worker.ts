// What one thread of the pool does: it reads batches of the partitions that are dealt to it, computes, and writes the results. A batch is done
// when its results are written; what a thread that ends has not done goes to the other threads.

import { parentPort } from 'node:worker_threads';
import { Consumer, type ConsumerHandle, Producer, type ProducerHandle } from '../../src/index.ts';

export interface Task {
  readonly consumer: ConsumerHandle;
  readonly producer: ProducerHandle;
}

export interface TaskResult {
  readonly read: number;
  readonly written: number;
}

/** Ends when the consumer is closed, by whichever thread. */
export default async function work(task: Task): Promise<TaskResult> {
  const producer = await Producer.attach(task.producer);
  const consumer = await Consumer.attach(task.consumer);
  // Its partitions are dealt to it from now on. The pool emits this as `message`.
  parentPort!.postMessage('attached');
  let read = 0;
  let written = 0;
  for await (const batch of consumer) {
    for (const { key, value } of batch) {
      const answer = String(divisorsOf(Number(value)));
      while (!producer.append('answers', key, answer)) await producer.ready();
    }
    const report = await producer.flush();
    if (report.failed > 0) throw new Error(`${report.failed} answers were not written: the batch comes again`);
    read += batch.count;
    written += report.records;
  }
  await producer.close();
  return { read, written };
}

function divisorsOf(number: number): number {
  let count = 0;
  for (let divisor = 1; divisor <= number; divisor++) if (number % divisor === 0) count++;
  return count;
}
