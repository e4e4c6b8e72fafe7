// One producer for several application threads: they share batches and producer id, the records of each thread keep their order, and the
// records of a thread that has ended are sent.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Consumer, KafkaClient, KafkaConfigurationError, Producer } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { readValues } from '../helpers/read-log.ts';
import { waitFor } from '../helpers/wait-for.ts';

const library = new URL('../../src/index.js', import.meta.url).href;
let broker: EmbeddedBroker;
let client: KafkaClient;

before(async () => {
  broker = await startEmbeddedBroker({ topics: { shared: {}, ended: {}, alone: {}, packed: {}, transacted: {} } });
  client = await KafkaClient.start({ ...patient, bootstrapServers: broker.bootstrapServers });
});

after(async () => {
  await client?.close();
  await broker?.close();
});

function workerOf(producer: Producer, name: string, body: string): Worker {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    (async () => {
      const { Producer } = await import(${JSON.stringify(library)});
      const { handle, name } = workerData;
      const producer = await Producer.attach(handle);
      ${body}
    })();`;
  const handle = producer.share();
  return new Worker(code, { eval: true, workerData: { handle, name }, transferList: [...handle.transferList] });
}

test('threads write through one producer, each in its own order, with its own counters and reports', async () => {
  const producer = await client.producer();
  const body = `
    for (let i = 0; i < 2000; i++) while (!producer.append('shared', null, name + ' ' + i)) await producer.ready();
    const report = await producer.close();
    parentPort.postMessage(report);`;
  const workers = ['a', 'b', 'c'].map((name) => workerOf(producer, name, body));
  const reports = await Promise.all(
    workers.map(async (worker) => (await once(worker, 'message'))[0] as { records: number }),
  );
  assert.deepEqual(
    reports.map(({ records }) => records),
    [2000, 2000, 2000],
  );
  assert.ok(producer.append('shared', null, 'own 0'));
  assert.equal((await producer.flush()).records, 1);
  const values = await readValues(client, 'shared');
  for (const name of ['a', 'b', 'c', 'own']) {
    const numbers = values
      .filter((value) => value!.startsWith(`${name} `))
      .map((value) => Number(value!.split(' ')[1]));
    assert.deepEqual(
      numbers,
      Array.from({ length: name === 'own' ? 1 : 2000 }, (_, i) => i),
      name,
    );
  }
  await producer.close();
});

test('the complete records that a thread has written are delivered, even if the thread ends before it can close', async () => {
  const producer = await client.producer({ lingerMs: 60_000, deliveryTimeoutMs: 120_000 });
  const body = `
    for (let i = 0; i < 50; i++) producer.append('ended', null, name + ' ' + i);
    parentPort.postMessage('written');`;
  const worker = workerOf(producer, 'gone', body);
  await once(worker, 'message');
  await worker.terminate();
  await waitFor('the records of the thread', async () => (await broker.log('ended', 0)).endOffset === 50);
  const { offset } = await producer.send('ended', { value: 'still here' });
  assert.equal(offset.toNumber(), 50);
  await producer.close();
});

for (const how of ['closes its producer', 'ends'] as const) {
  test(`the open transaction of a thread that ${how} is aborted, and another thread's begins`, async () => {
    const producer = await client.producer({ transactionalId: `of a thread that ${how}`, maxBlockMs: 20_000 });
    const body = `
      const tx = await producer.begin();
      await tx.send('transacted', { value: name });
      parentPort.once('message', () => producer.close());
      parentPort.postMessage('open');`;
    const worker = workerOf(producer, how, body);
    await once(worker, 'message');
    const beginning = producer.begin();
    if (how === 'ends') await worker.terminate();
    else worker.postMessage('close');
    const tx = await beginning;
    await tx.send('transacted', { value: `after one that ${how}` });
    await tx.commit();
    const committed = await readValues(client, 'transacted', 0, { committedOnly: true });
    assert.equal(committed.at(-1), `after one that ${how}`);
    assert.ok(!committed.includes(how));
    await producer.close();
  });
}

test('a handle serves one thread, and other values are refused', async () => {
  const producer = await client.producer();
  const handle = producer.share();
  const attached = await Producer.attach(handle);
  assert.equal((await attached.send('shared', { value: 'from the same thread' })).partition, 0);
  await assert.rejects(Producer.attach(handle), /attached before/);
  await assert.rejects(Producer.attach({} as never), TypeError);
  await attached.close();
  assert.ok((await producer.send('shared', { value: 'goes on' })).offset.toNumber() > 0);
  await producer.close();
});

test('Producer.start and Consumer.start have zstd from their first record on', async (t) => {
  const { bootstrapServers } = broker;
  const value = 'the same words again '.repeat(200);
  const producer = await Producer.start({ ...patient, bootstrapServers, compressionType: 'zstd' });
  t.after(() => producer.close());
  assert.equal((await producer.send('packed', { value })).offset.toNumber(), 0);
  const assign = [{ topic: 'packed', partition: 0, offset: 'earliest' as const }];
  const consumer = await Consumer.start({ ...patient, bootstrapServers, assign });
  t.after(() => consumer.close());
  for await (const batch of consumer) {
    assert.deepEqual(
      [...batch].map((record) => `${record.value}`),
      [value],
    );
    break;
  }
});

test('Producer.start makes a client, takes the options of client and producer, and close ends both', async () => {
  const producer = await Producer.start({
    ...patient,
    bootstrapServers: broker.bootstrapServers,
    clientId: 'alone',
    lingerMs: 1,
    requestTimeoutMs: 7000,
  });
  assert.deepEqual([producer.config.lingerMs, producer.config.requestTimeoutMs], [1, 7000]);
  assert.equal((await producer.send('alone', { value: 'v' })).offset.toNumber(), 0);
  const open = (await broker.stats()).openConnections;
  await producer.close();
  assert.throws(() => producer.append('alone', null, 'w'));
  await waitFor('its connections to close', async () => (await broker.stats()).openConnections < open);
  await assert.rejects(
    Producer.start({ ...patient, bootstrapServers: broker.bootstrapServers, 'linger.ms': 5 } as never),
    (error: Error) => error instanceof KafkaConfigurationError && /did you mean 'lingerMs'/.test(error.message),
  );
});
