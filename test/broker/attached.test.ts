// Clients of several threads on one network thread: each has everything, and the end of a thread does not affect the others.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { MessageChannel, Worker } from 'node:worker_threads';
import {
  Cancelled,
  Consumer,
  IllegalStateError,
  KafkaClient,
  Metadata,
  NetworkThreadError,
  Producer,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { attachWorker } from './support/attached-worker.ts';
import { scriptUrl } from './support/child.ts';
import { type Cleanup, failureOf, openClient } from './support/client.ts';
import {
  ACCEPTED,
  type AttachedData,
  ENDED,
  FAILED,
  type Order,
  type Said,
  SUCCEEDED,
} from './support/scripts/attached.ts';

describe('attached clients', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({ topics: { logs: { assignments: [[0]] }, 'of-one': {} } });
  });
  after(() => broker.close());

  const open = (t: Cleanup, options = {}): Promise<KafkaClient> =>
    openClient(t, {
      bootstrapServers: broker.bootstrapServers,
      metrics: true,
      maxInFlightRequestsPerConnection: 1000,
      ...options,
    });

  const attach = attachWorker;

  async function works(client: KafkaClient): Promise<void> {
    await client.awaitReady(0);
    assert.equal((await client.send(0, Metadata, { topics: [] })).brokers.length, 1);
  }

  test('a client in a worker does everything on the same connections', async (t) => {
    const client = await open(t);
    await client.awaitReady(0);
    await works(client);
    const before = client.metricsSnapshot()!.client['connection-creation-total']!;
    const one = await attach(t, client);
    const two = await attach(t, client, 'sync');
    assert.deepEqual(one.said, { brokers: 1, nodeId: 0 }, 'the cluster is known at once');
    await Promise.all([one.works(), two.works(), works(client)]);
    assert.equal(client.metricsSnapshot()!.client['connection-creation-total'], before, 'no connection was made');
    for (const each of [one, two]) {
      each.tell('close');
      await each.exit;
      assert.equal(each.count(ACCEPTED), each.count(SUCCEEDED) + each.count(FAILED));
    }
    await works(client);
  });

  for (const order of ['exit', 'throw', 'block', 'terminate'] as const) {
    test(`a thread that ends by ${order} is noticed, and other clients go on`, async (t) => {
      const client = await open(t);
      await works(client);
      const one = await attach(t, client);
      const other = await attach(t, client);
      await one.works();
      if (order !== 'terminate') one.tell(order);
      if (order === 'throw') assert.match((await one.problem).message, /as told/);
      if (order === 'block') await other.works(50);
      if (order === 'block' || order === 'terminate') await one.worker.terminate();
      await one.exit;
      await other.works(50);
      await works(client);
      other.tell('close');
      await other.exit;
      await waitFor('the accounts to be even', () => client.metricsSnapshot()!.client['requests-open'] === 0);
    });
  }

  test('a client that never reads does not delay other clients', async (t) => {
    const client = await open(t, { responseRingBytes: 4096, spillBytes: 1024, spillBudgetBytes: 65536 });
    await works(client);
    const deaf = await attach(t, client, 'deaf');
    const other = await attach(t, client);
    await other.works(200);
    await works(client);
    deaf.tell('close');
    other.tell('close');
    await Promise.all([deaf.exit, other.exit]);
  });

  /** Of this network thread. The broker's count would have those that earlier tests close just now. */
  const connectionsOf = (client: KafkaClient): number => client.metricsSnapshot()!.client['connection-count']!;
  const nodesOf = (client: KafkaClient): string[] => [...client.metricsSnapshot()!.nodes.keys()];

  for (const how of ['close', 'terminate'] as const) {
    test(`own connections are visible to all clients and end with their thread, by ${how}`, async (t) => {
      const client = await open(t);
      await works(client);
      const before = 1;
      await waitFor('the bootstrap connection to go', () => connectionsOf(client) === before);
      const one = await attach(t, client, 'loop', 'own');
      const deaf = await attach(t, client, 'deaf', 'own');
      await one.works(50);
      await works(client);
      await waitFor('two more connections', () => connectionsOf(client) === before + 2);
      const own = nodesOf(client).filter((name) => name.includes('@'));
      assert.equal(own.length, 2);
      assert.ok(
        own.every((name) => /^0@\d+$/.test(name)),
        own.join(),
      );
      for (const each of [one, deaf]) {
        if (how === 'close') each.tell('close');
        else await each.worker.terminate();
        await each.exit;
      }
      await waitFor('their connections to end', () => connectionsOf(client) === before);
      await waitFor('their rows to go', () => !nodesOf(client).some((name) => name.includes('@')));
      await works(client);
    });
  }

  test('producers and consumers of a client with own connections use them too, until they have ended', async (t) => {
    const client = await open(t);
    await works(client);
    const own = await KafkaClient.attach(client.share(), { connections: 'own' });
    const before = connectionsOf(client);
    const producer = await own.producer();
    await producer.send('logs', { value: 'by its own connection' });
    const consumer = await own.consumer({ assign: [{ topic: 'logs', partition: 0 }], autoOffsetReset: 'earliest' });
    await waitFor('a batch', async () => (await consumer.poll(50)) !== null);
    await producer.send('logs', { value: 'beside a fetch that waits' });
    await waitFor('connections of its own', () => connectionsOf(client) > before);
    const names = nodesOf(own).filter((name) => name.includes('@'));
    assert.deepEqual(
      nodesOf(client).filter((name) => name.includes('@')),
      names,
      'seen alike by all',
    );
    const lanes = names.map((name) => name.replace(/@\d+$/, ''));
    for (const lane of ['0-produce', '0-fetch']) assert.ok(lanes.includes(lane), lanes.join());
    const shared = await Producer.attach(producer.share());
    await own.close();
    // Another thread still uses the producer, so its connection stays.
    assert.ok((await shared.send('logs', { value: 'by the same connection' })).offset.toNumber() > 1);
    assert.ok(nodesOf(client).some((name) => name.startsWith('0-produce@')));
    await shared.close();
    await waitFor('the last connection to end', () => !nodesOf(client).some((name) => name.includes('@')));
    await works(client);
  });

  test('an unknown value of connections is refused, and the handle can still be used', async (t) => {
    const client = await open(t);
    const handle = client.share();
    for (const connections of ['other', null, 1]) {
      await assert.rejects(KafkaClient.attach(handle, { connections } as never), {
        name: 'TypeError',
        message: /connections must be 'shared' or 'own'/,
      });
    }
    await assert.rejects(KafkaClient.attach(handle, { connection: 'own' } as never), TypeError);
    const attached = await KafkaClient.attach(handle, { connections: 'own' });
    await attached.awaitReady(0);
    assert.ok(attached.isReady(0));
    await attached.close(0);
    assert.ok(!attached.isReady(0));
    await attached.close();
  });

  test('closing the first client ends all attached clients with Cancelled; closing an attached client ends only that client', async (t) => {
    const client = await open(t);
    await works(client);
    const others = [await attach(t, client), await attach(t, client, 'sync')];
    const here = await KafkaClient.attach(client.share());
    await works(here);
    await here.close();
    assert.ok((await failureOf(here.send(0, Metadata, { topics: [] }))) instanceof Error);
    await works(client);
    const second = await KafkaClient.attach(client.share());
    await client.close();
    for (const { exit, count } of others) {
      await exit;
      assert.equal(count(ENDED), 1);
      assert.equal(count(ACCEPTED), count(SUCCEEDED) + count(FAILED));
    }
    await waitFor('the other client to notice', () => !second.isReady(0));
    assert.ok((await failureOf(second.send(0, Metadata, { topics: [] }))) instanceof Cancelled);
    await second.close();
  });

  test('every client gets an error when the network thread fails', async (t) => {
    const created = once(process, 'worker') as Promise<[Worker]>;
    const client = await open(t);
    const [network] = await created;
    await works(client);
    const others = [await attach(t, client), await attach(t, client, 'sync')];
    await Promise.all(others.map((other) => other.works()));
    await network.terminate();
    for (const { exit, count } of others) {
      await exit;
      assert.equal(count(ENDED), 2);
      assert.equal(count(ACCEPTED), count(SUCCEEDED) + count(FAILED));
    }
    assert.ok((await failureOf(client.send(0, Metadata, { topics: [] }))) instanceof NetworkThreadError);
  });

  test('a value that is not a handle and a handle that was used already are refused with a reason', async (t) => {
    const client = await open(t);
    await works(client);
    await assert.rejects(KafkaClient.attach(client as never), {
      name: 'TypeError',
      message: /client\.share\(\).*not a client/,
    });
    for (const wrong of [null, undefined, 3, {}]) await assert.rejects(KafkaClient.attach(wrong as never), TypeError);
    const handle = client.share();
    const attached = await KafkaClient.attach(handle);
    await assert.rejects(KafkaClient.attach(handle), { name: 'IllegalStateError', message: /was attached before/ });
    await assert.rejects(KafkaClient.attach({ ...client.share(), layout: 99 } as never), /another version/);
    assert.throws(() => structuredClone(client.share()), 'its ports have to be in the transfer list');
    await attached.close();
    assert.throws(() => attached.share(), IllegalStateError);
    const late = client.share();
    await client.close();
    assert.throws(() => client.share(), IllegalStateError);
    await assert.rejects(
      KafkaClient.attach(late),
      (error) => error instanceof Cancelled || error instanceof NetworkThreadError,
    );
  });

  test('a handle that was sent to another thread works there, and is refused here', async (t) => {
    const client = await open(t);
    await works(client);
    const handle = client.share();
    const counts = new SharedArrayBuffer(32);
    const workerData: AttachedData = { handle, work: 'loop', counts };
    const worker = new Worker(new URL(scriptUrl('attached')), { workerData, transferList: [...handle.transferList] });
    t.after(() => worker.terminate());
    const here = KafkaClient.attach(handle);
    await assert.rejects(here, { name: 'IllegalStateError', message: /sent to another thread|attached before/ });
    const [said] = (await once(worker, 'message')) as [Said];
    assert.equal(said.brokers, 1);
    worker.postMessage('close' satisfies Order);
    await once(worker, 'exit');
    const consumer = await client.consumer({ assign: [{ topic: 'logs', partition: 0 }] });
    const shared = consumer.share();
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(shared, [...shared.transferList]);
    await assert.rejects(Consumer.attach(shared), { name: 'IllegalStateError', message: /sent to another thread/ });
    // The other one would stay open with what it has not read.
    port2.close();
  });

  test('attach and share fail while the client closes', async (t) => {
    const client = await open(t);
    await works(client);
    const handles = [client.share(), client.share()];
    const early = KafkaClient.attach(handles[0]!);
    const closing = client.close();
    const late = KafkaClient.attach(handles[1]!);
    assert.throws(() => client.share(), IllegalStateError);
    const outcomes = await Promise.allSettled([early, late]);
    for (const outcome of outcomes) {
      // Either may have been attached just before; then it ends with the client.
      if (outcome.status === 'fulfilled') await outcome.value.close();
      else assert.ok(outcome.reason instanceof Cancelled || outcome.reason instanceof NetworkThreadError);
    }
    await closing;
  });

  test('an attached client can share itself again, and can be closed inside a callback', async (t) => {
    const client = await open(t);
    await works(client);
    const one = await KafkaClient.attach(client.share());
    const two = await KafkaClient.attach(one.share());
    await one.close();
    await works(two);
    const closed = new Promise<void>((resolve) => {
      two.send(0, Metadata, { topics: [] }).addCallback(() => void two.close().then(resolve));
    });
    await closed;
    await works(client);
  });

  test('the topics of all clients are tracked, and those of a client that has ended no longer are', async (t) => {
    const client = await open(t);
    await client.setTopics(['logs']);
    const one = await KafkaClient.attach(client.share());
    assert.ok(one.cluster.topics().has('logs'), 'seen alike in all');
    await one.setTopics([]);
    await client.refreshMetadata();
    assert.ok(client.cluster.topics().has('logs'));
    await one.setTopics(['of-one']);
    for (const each of [client, one]) assert.deepEqual([...each.cluster.topics()].sort(), ['logs', 'of-one']);
    await one.close();
    await waitFor('its topics to be forgotten', async () => {
      await client.refreshMetadata();
      return !client.cluster.topics().has('of-one');
    });
    assert.ok(client.cluster.topics().has('logs'));
  });

  test('metrics and node states are seen alike by all, whoever did what', async (t) => {
    const client = await open(t);
    await works(client);
    const one = await KafkaClient.attach(client.share());
    const seen = (each: KafkaClient) => {
      const { client: totals, nodes } = each.metricsSnapshot()!;
      return [totals['request-accepted-total'], totals['request-succeeded-total'], [...nodes.keys()].sort()];
    };
    const before = seen(client)[0] as number;
    for (let i = 0; i < 5; i++) await works(one);
    await waitFor('the requests to be counted', () => (seen(client)[1] as number) >= before + 5);
    assert.deepEqual(seen(client), seen(one));
    await one.close(0);
    await waitFor('the connection to be closed for all', () => !client.isReady(0));
    await one.close();
  });
});
