// Brokers that stop and come back: connections are tried again at a limited rate, and other work goes on in the meantime.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  Fetch,
  type KafkaClient,
  KafkaClientError,
  KafkaConnectionError,
  Metadata,
  NodeNotReadyError,
  Produce,
} from '../../src/index.ts';
import { failureOf, openClient } from '../broker/support/client.ts';
import { byName, fetchedRecords, fetchRequest, produceRequest } from '../broker/support/requests.ts';
import { Settlements } from '../broker/support/settlements.ts';
import { startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { startProxiedBroker } from './support/proxied.ts';

const watchedMs = 1500;
const backoff = { reconnectBackoffMs: 50, reconnectBackoffMaxMs: 200 };
/** Attempts at 50, 100, 200, 200, ... ms, less 20 % of jitter, and the one that was there before. */
const maxAttempts = (passedMs: number): number => 3 + Math.ceil(passedMs / (200 * 0.8)) + 1;

describe('connections', { concurrency: 4 }, () => {
  for (const [name, doWhat] of [
    ['asks again and again', (client: KafkaClient) => void client.ready(0)],
    ['sends again and again', (client: KafkaClient) => void client.send(0, Metadata, { topics: [] })],
    ['does nothing', () => {}],
    ['refreshes metadata again and again', (client: KafkaClient) => void client.refreshMetadata()],
  ] as const) {
    test(`that are dropped before they are ready stay few, even if the application ${name}`, async (t) => {
      const proxied = await startProxiedBroker();
      t.after(() => proxied.close());
      const client = await openClient(t, { bootstrapServers: proxied.bootstrapServers, retryBackoffMs: 1, ...backoff });
      await client.awaitReady(0);
      const [proxy] = proxied.proxies;
      proxy!.onConnection((connection) => connection.end());
      const before = proxy!.connections.length;
      proxy!.resetAll();
      const began = performance.now();
      const attempts = (): number => proxy!.connections.length - before;
      await waitFor('the time to pass, and some attempts', () => {
        doWhat(client);
        return performance.now() - began >= watchedMs && attempts() >= 3;
      });
      const made = attempts();
      const passedMs = performance.now() - began;
      // Node 0 and the bootstrap server that it is, each with a backoff of its own.
      assert.ok(made <= 2 * maxAttempts(passedMs), `${made} attempts in ${passedMs} ms`);
      proxy!.onConnection(null);
      await client.awaitReady(0);
      await client.send(0, Metadata, { topics: [] });
    });
  }

  test('that are refused are tried again, and work when the broker is back', async (t) => {
    const broker = await startEmbeddedBroker({ topics: { logs: 1 } });
    t.after(() => broker.close());
    const client = await openClient(t, { bootstrapServers: broker.bootstrapServers, ...backoff });
    await client.awaitReady(0);
    const { updateId } = client.cluster;
    const settlements = new Settlements(client);
    await broker.control(Fetch, { answer: 'never' }, { times: 3 });
    for (let i = 0; i < 3; i++) settlements.send(0, Fetch, fetchRequest('logs'), byName);
    await broker.waitForRequests(Fetch, 3);
    await broker.stopListener(0);
    await broker.closeConnections('reset');
    const { errors } = await settlements.finish();
    assert.equal(errors.length, 3);
    for (const error of errors) assert.ok(error instanceof KafkaConnectionError, String(error));
    await waitFor('a refused attempt', () => client.isDisconnected(0));
    const refused = await failureOf(client.send(0, Metadata, { topics: [] }));
    assert.ok(refused instanceof NodeNotReadyError);
    await broker.startListener(0);
    // Nobody asks for it: the metadata that a lost connection calls for bring the node back.
    await waitFor('a refresh', () => client.cluster.updateId > updateId);
    await client.awaitReady(0);
    await client.send(0, Metadata, { topics: [] });
  });

  test('that are idle too long are closed without harm, and opened when needed', async (t) => {
    const broker = await startEmbeddedBroker();
    t.after(() => broker.close());
    const client = await openClient(t, { bootstrapServers: broker.bootstrapServers, connectionsMaxIdleMs: 2000 });
    await client.awaitReady(0);
    await broker.waitForConnections(0);
    assert.equal(client.isDisconnected(0), false);
    assert.equal(client.connectionDelay(0), 0);
    await client.awaitReady(0);
    await client.send(0, Metadata, { topics: [] });
  });

  test('with requests in flight are not idle', async (t) => {
    const broker = await startEmbeddedBroker({ topics: { logs: 1 } });
    t.after(() => broker.close());
    const client = await openClient(t, { bootstrapServers: broker.bootstrapServers, connectionsMaxIdleMs: 1500 });
    await client.awaitReady(0);
    const response = await client.send(0, Fetch, fetchRequest('logs', { maxWaitMs: 4000 }), byName);
    assert.equal(fetchedRecords(response).length, 0);
  });

  test('that the broker closes while they are idle cost no request', async (t) => {
    const broker = await startEmbeddedBroker();
    t.after(() => broker.close());
    const client = await openClient(t, { bootstrapServers: broker.bootstrapServers, ...backoff });
    await client.awaitReady(0);
    const { acceptedConnections } = await broker.stats();
    await broker.closeConnections('close');
    // A client that refreshes its metadata may be back before anybody has looked.
    await waitFor('another connection', async () => {
      if (!client.connected(0)) client.maybeConnect(0);
      return (await broker.stats()).acceptedConnections > acceptedConnections;
    });
    await client.awaitReady(0);
    await client.send(0, Metadata, { topics: [] });
  });

  test('of a cluster that restarts node by node deliver every record, with as many attempts as needed', {
    timeout: 300_000,
  }, async (t) => {
    const broker = await startEmbeddedBroker({ nodes: 3, topics: { logs: { assignments: [[0], [1], [2]] } } });
    t.after(() => broker.close());
    const client = await openClient(t, {
      bootstrapServers: broker.bootstrapServers,
      reconnectBackoffMs: 5,
      reconnectBackoffMaxMs: 50,
    });
    const perPartition = 60;
    let isRestarting = true;
    const restarts = (async () => {
      for (let round = 0; round < 4; round++) {
        const id = round % 3;
        await broker.stopListener(id);
        await broker.closeConnections(round % 2 === 0 ? 'reset' : 'close', id);
        await waitFor('the client to notice', () => !client.isReady(id));
        await broker.startListener(id);
        await client.awaitReady(id);
      }
      isRestarting = false;
    })();
    /** One after another, so that their order can be told. */
    const writer = async (partition: number): Promise<void> => {
      for (let i = 0; i < perPartition || isRestarting; i++) {
        for (;;) {
          try {
            await client.awaitReady(partition);
            await client.send(partition, Produce, produceRequest('logs', [{ value: `${i}` }], { partition }), byName);
            break;
          } catch (error) {
            assert.ok(error instanceof KafkaClientError && error.retriable, String(error));
          }
        }
      }
    };
    await Promise.all([restarts, ...[0, 1, 2].map(writer)]);
    for (const partition of [0, 1, 2]) {
      await client.awaitReady(partition);
      const response = await client.send(partition, Fetch, fetchRequest('logs', { partition, maxWaitMs: 0 }), byName);
      const values = fetchedRecords(response).map(({ value }) => Number(value!.toString()));
      // What was tried again may be there twice, one behind the other.
      const distinct = values.filter((value, i) => value !== values[i - 1]);
      assert.ok(distinct.length >= perPartition);
      assert.deepEqual(
        distinct,
        distinct.map((_, i) => i),
      );
    }
  });
});
