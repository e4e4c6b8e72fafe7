// An attached thread that ends with an open producer and consumer: its complete records are sent, and its member leaves the group,
// however the thread ended. Time stands still for groups here, so no member leaves because of a session timeout.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Consumer, type ConsumerHandle, type KafkaClient, Metadata, Producer } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { readValues } from '../helpers/read-log.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { scriptUrl } from './support/child.ts';
import { type Cleanup, openClient } from './support/client.ts';
import type { RolesData, RolesEnd } from './support/scripts/roles.ts';

const library = new URL('../../src/index.js', import.meta.url).href;
const ends = ['close', 'exit', 'throw', 'terminate'] as const;
const records = 50;
/** Moved beside the ring, and on its way when the thread ends. */
const largeBytes = 200_000;

describe('an attached thread that ends with a producer and a consumer', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    const topics = Object.fromEntries([...ends, 'left', 'read', 'shared'].map((name) => [name, {}]));
    broker = await startEmbeddedBroker({ topics });
  });
  after(() => broker.close());

  const open = (t: Cleanup): Promise<KafkaClient> =>
    openClient(t, { bootstrapServers: broker.bootstrapServers, closeTimeoutMs: 30_000 });

  async function membersOf(groupId: string): Promise<number> {
    return (await broker.describeGroup(groupId))?.members.length ?? 0;
  }

  async function start(t: Cleanup, client: KafkaClient, topic: string, groupId: string): Promise<Worker> {
    const handle = client.share();
    const workerData: RolesData = { handle, name: 'gone', topic, groupId, records, largeBytes };
    const worker = new Worker(new URL(scriptUrl('roles')), { workerData, transferList: [...handle.transferList] });
    t.after(() => worker.terminate());
    worker.on('error', (error) => assert.match(error.message, /as told/));
    await once(worker, 'message');
    return worker;
  }

  async function end(worker: Worker, how: RolesEnd): Promise<void> {
    // Not `once` of node:events, which rejects at an error.
    const exit = new Promise((resolve) => worker.once('exit', resolve));
    if (how === 'terminate') await worker.terminate();
    else worker.postMessage(how satisfies RolesEnd);
    await exit;
  }

  for (const how of ends) {
    test(`by ${how}: its records are in the log, and its member has left the group`, async (t) => {
      const client = await open(t);
      const worker = await start(t, client, how, `group-${how}`);
      assert.equal(await membersOf(`group-${how}`), 1);
      await end(worker, how);
      await waitFor('the records', async () => (await broker.log(how, 0)).endOffset === records + 1);
      await waitFor('the member to leave', async () => (await membersOf(`group-${how}`)) === 0);
      const values = await readValues(client, how);
      assert.deepEqual(
        values.slice(0, records),
        Array.from({ length: records }, (_, i) => `gone ${i}`),
      );
      assert.equal(values[records]!.length, 'gone large '.length + largeBytes);
      await client.awaitReady(0);
      assert.equal((await client.send(0, Metadata, { topics: [] })).brokers.length, 1);
    });
  }

  test('a consumer lives on without the thread that made it while another thread reads it, and leaves its group when the last thread ends', async (t) => {
    const client = await open(t);
    const handle = client.share();
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      (async () => {
        const { KafkaClient } = await import(${JSON.stringify(library)});
        const client = await KafkaClient.attach(workerData);
        const consumer = await client.consumer({ groupId: 'last', topics: ['read'], autoOffsetReset: 'earliest' });
        const shared = consumer.share();
        parentPort.postMessage(shared, [...shared.transferList]);
      })();`;
    const maker = new Worker(code, { eval: true, workerData: handle, transferList: [...handle.transferList] });
    const [shared] = (await once(maker, 'message')) as [ConsumerHandle];
    const consumer = await Consumer.attach(shared);
    await maker.terminate();
    await broker.append('read', 0, [{ value: 'one' }, { value: 'two' }]);
    await waitFor('a batch', async () => (await consumer.poll(20))?.done() === 'ok');
    assert.equal(await membersOf('last'), 1);
    await consumer.close();
    await waitFor('the member to leave', async () => (await membersOf('last')) === 0);
    assert.equal(await broker.committedOffset('last', 'read', 0), 2, 'what was done is committed first');
  });

  test('a shared producer goes on after a thread is killed, and first sends the records of that thread', async (t) => {
    const client = await open(t);
    const producer = await client.producer({ lingerMs: 3_600_000, deliveryTimeoutMs: 7_200_000 });
    const handle = producer.share();
    const code = `
      const { parentPort, workerData } = require('node:worker_threads');
      (async () => {
        const { Producer } = await import(${JSON.stringify(library)});
        const producer = await Producer.attach(workerData);
        for (let i = 0; i < 10; i++) producer.append('shared', null, 'gone ' + i);
        producer.append('shared', null, Buffer.alloc(${largeBytes}, 'x'));
        parentPort.postMessage('written');
      })();`;
    const worker = new Worker(code, { eval: true, workerData: handle, transferList: [...handle.transferList] });
    await once(worker, 'message');
    await worker.terminate();
    await waitFor('the records', async () => (await broker.log('shared', 0)).endOffset === 11);
    const { offset } = await producer.send('shared', { value: 'goes on' });
    assert.equal(offset.toNumber(), 11);
    await producer.close();
    await assert.rejects(Producer.attach(handle), /attached before|closed/);
  });
});
