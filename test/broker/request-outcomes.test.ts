// How requests end through the whole client: their deadlines, and their Futures.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  Fetch,
  Future,
  IllegalStateError,
  type KafkaClient,
  KafkaConnectionError,
  Metadata,
  RequestTimedOutError,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { calm, closedByHand, failureOf, openConnected } from './support/client.ts';
import { byName, fetchRequest } from './support/requests.ts';

describe('requests', () => {
  let broker: EmbeddedBroker;
  let client: KafkaClient;

  before(async () => {
    broker = await startEmbeddedBroker({
      nodes: [{ id: 0 }, { id: 7, rack: 'b' }, { id: 2147483647 }],
      topics: {
        logs: { assignments: [[0], [7], [2147483647]] },
      },
    });
    client = await openConnected(closedByHand, broker, { reconnectBackoffMs: 1, retryBackoffMs: 1 });
  });

  afterEach(async () => {
    await broker.clearRules();
  });

  after(async () => {
    await client.close();
    await broker.close();
  });

  /** One for all tests that ask for nothing special, connected to every node whatever the test before did to it. */
  const shared = (): Promise<KafkaClient> => calm(client, broker);

  describe('without an answer', () => {
    test('time out by their own limit; other requests on the connection fail with that error as the cause', async () => {
      const client = await shared();
      const rule = await broker.control(Fetch, { answer: 'never' }, { nodeId: 0 });
      const began = performance.now();
      const patient = client.send(0, Fetch, fetchRequest('logs'), { ...byName, timeoutMs: 60_000 });
      const hasty = client.send(0, Fetch, fetchRequest('logs'), { ...byName, timeoutMs: 100 });
      const elsewhere = client.send(7, Metadata, { topics: [] });
      const error = await failureOf(hasty);
      assert.ok(performance.now() - began >= 99, 'not before its time');
      await rule.remove();
      assert.ok(error instanceof RequestTimedOutError);
      assert.match(error.message, /Fetch to node 0 .* no response within 100 ms/);
      assert.deepEqual([error.retriable, error.nodeId, error.apiKey], [true, 0, Fetch.key]);
      const other = await failureOf(patient);
      assert.ok(other instanceof KafkaConnectionError);
      assert.ok(other.cause instanceof RequestTimedOutError);
      await elsewhere;
      assert.equal(client.connected(7), true);
    });

    test('time out by requestTimeoutMs unless they have their own limit', async (t) => {
      const client = await openConnected(t, broker, { requestTimeoutMs: 1000 });
      const rule = await broker.control(Fetch, { answer: 'never' }, { nodeId: 0 });
      const error = await failureOf(client.send(0, Fetch, fetchRequest('logs'), byName));
      await rule.remove();
      assert.ok(error instanceof RequestTimedOutError);
      assert.match(error.message, /within 1000 ms/);
    });

    test('time out even if the answer comes byte by byte', async () => {
      const client = await shared();
      const rule = await broker.control(Metadata, { wire: { trickleBytes: 1, trickleMs: 20 } }, { nodeId: 0 });
      const error = await failureOf(client.send(0, Metadata, { topics: [] }, { timeoutMs: 150 }));
      await rule.remove();
      assert.ok(error instanceof RequestTimedOutError);
    });
  });

  describe('settle Futures', () => {
    test('whose callbacks run before the code that awaits them', async () => {
      const client = await shared();
      const seen: string[] = [];
      const future = client.send(0, Metadata, { topics: [] });
      assert.deepEqual(
        [future.isDone, future.succeeded, future.failed, future.value],
        [false, false, false, undefined],
      );
      const awaited = future.then(() => seen.push('await'));
      future.addCallback((prefix: string, response) => seen.push(`${prefix} ${response.brokers.length}`), 'callback');
      future.addErrback(() => seen.push('errback'));
      future.addBoth(() => seen.push('both'));
      await awaited;
      assert.deepEqual(seen, ['callback 3', 'both', 'await']);
      assert.deepEqual([future.isDone, future.succeeded, future.failed, future.exception], [true, true, false, null]);
      future.addCallback(() => seen.push('late'));
      assert.equal(seen.at(-1), 'late');
    });

    test('only once', async () => {
      const client = await shared();
      const future = client.send(0, Metadata, { topics: [] });
      const response = await future;
      assert.throws(() => future.success(response), IllegalStateError);
      assert.throws(() => future.failure(new Error('late')), IllegalStateError);
      assert.equal(future.value, response);
    });

    test('that pass their outcome to another Future', async () => {
      const client = await shared();
      const other = new Future<{ readonly clusterId: string | null }>();
      const response = await client.send(0, Metadata, { topics: [] }).chain(other as never);
      assert.equal(await other, response);
    });

    test('whose callbacks send and close their node', async () => {
      const client = await shared();
      const second = new Future<string | null>();
      client.send(0, Metadata, { topics: [] }).addCallback(() => {
        client.send(0, Metadata, { topics: [] }).addCallback((response) => {
          client.close(0);
          second.success(response.clusterId);
        });
      });
      assert.equal(await second, 'embedded-cluster-000000');
      assert.equal(client.connected(0), false);
    });

    test('of which one callback throws, and all others run', async (t) => {
      const client = await shared();
      const warnings: string[] = [];
      const listen = (warning: Error): void => {
        warnings.push(warning.message);
      };
      process.on('warning', listen);
      t.after(() => process.off('warning', listen));
      const order: string[] = [];
      const bad = client.send(0, Metadata, { topics: [] });
      bad.addCallback(() => {
        throw new Error('thrown by a callback');
      });
      bad.addCallback(() => order.push('same future'));
      const good = client.send(0, Metadata, { topics: [] }).addCallback(() => order.push('next future'));
      await Promise.all([bad, good]);
      assert.deepEqual(order, ['same future', 'next future']);
      await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(warnings, ['offthread-kafka: a callback or listener threw: thrown by a callback']);
    });
  });
});
