// Several threads that read one consumer: each record goes to one thread, each partition has one thread at a time, and other threads
// first get the unfinished records of a thread that has ended.

import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Consumer, IllegalStateError } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { waitFor } from '../helpers/wait-for.ts';

interface Told {
  readonly partition: number;
  readonly values: readonly string[];
}

const script = new URL(
  import.meta.url.endsWith('.ts') ? './support/scripts/consuming.ts' : './support/scripts/consuming.js',
  import.meta.url,
);
const partitions = [0, 1, 2, 3];
let broker: EmbeddedBroker;
let consumer: Consumer;
const workers: Worker[] = [];

/** A thread that is attached. */
async function thread(holds: boolean): Promise<{ readonly worker: Worker; readonly told: Told[] }> {
  const handle = consumer.share();
  const worker = new Worker(script, { workerData: { handle, holds }, transferList: [...handle.transferList] });
  workers.push(worker);
  const told: Told[] = [];
  await new Promise<void>((resolve, reject) => {
    worker.on('error', reject);
    worker.on('message', (message: Told) => {
      if (message.partition === -2) resolve();
      else told.push(message);
    });
  });
  return { worker, told };
}

async function fill(from: number): Promise<void> {
  for (const partition of partitions)
    for (let i = 0; i < 5; i++) await broker.append('t', partition, [{ value: `${partition}:${from + i}` }]);
}

afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.terminate();
  await consumer.close({ timeoutMs: 2000 });
  await broker.close();
});

describe('threads that share one consumer', () => {
  it('share its partitions; when one thread dies, the others get what it had, in order', async () => {
    broker = await startEmbeddedBroker({ topics: { t: partitions.length } });
    consumer = await Consumer.start({
      ...patient,
      bootstrapServers: broker.bootstrapServers,
      groupId: 'g',
      topics: ['t'],
      autoOffsetReset: 'earliest',
      batchMaxBytes: 1,
    });
    const first = await thread(true);
    await fill(0);
    await waitFor('a batch that is held', () => first.told.length === 1);
    const { memberId, epoch } = consumer.group;
    const second = await thread(false);
    const third = await thread(false);
    const held = first.told[0]!.partition;
    const read = (partition: number): string[] =>
      [...second.told, ...third.told].filter((one) => one.partition === partition).flatMap(({ values }) => values);
    const others = partitions.filter((partition) => partition !== held);
    await first.worker.terminate();
    await waitFor('all that was left', () => partitions.every((partition) => read(partition).length === 5));
    for (const partition of [held, ...others])
      assert.deepEqual(
        [...read(partition)].sort(),
        [0, 1, 2, 3, 4].map((i) => `${partition}:${i}`),
        `partition ${partition}`,
      );
    assert.equal(read(held).length, 5, 'the batch that was held came again, once');
    assert.equal(consumer.assignment.length, 4);
    // Threads come and go without a rebalance.
    assert.deepEqual([consumer.group.memberId, consumer.group.epoch], [memberId, epoch]);
    await consumer.close();
    await waitFor('the others to be told of the end', () =>
      [second, third].every(({ told }) => told.at(-1)?.partition === -1),
    );
  });

  it('have handles that can be opened only once', async () => {
    broker = await startEmbeddedBroker({ topics: { t: 1 } });
    consumer = await Consumer.start({ ...patient, bootstrapServers: broker.bootstrapServers });
    const handle = consumer.share();
    const attached = await Consumer.attach(handle);
    await assert.rejects(Consumer.attach(handle), IllegalStateError);
    await assert.rejects(Consumer.attach(consumer as never), TypeError);
    await attached.close();
  });
});
