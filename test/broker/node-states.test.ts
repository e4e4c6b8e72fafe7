// What a client says about its nodes. It agrees at once with what the same thread has just done.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  Cancelled,
  Fetch,
  type KafkaClient,
  type KafkaClientOptions,
  KafkaTimeoutError,
  Metadata,
  NodeNotReadyError,
  Produce,
  RequestTimedOutError,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import {
  type Cleanup,
  calm,
  closedByHand,
  failureOf,
  openClient,
  openConnected,
  unreadyBecause,
} from './support/client.ts';
import { saidOf, saidOfReady, saidOfUnknown } from './support/node-queries.ts';
import { byName, fetchRequest, produceRequest } from './support/requests.ts';

describe('nodes', () => {
  let broker: EmbeddedBroker;
  let client: KafkaClient;

  before(async () => {
    broker = await startEmbeddedBroker({ nodes: 2, topics: { logs: { assignments: [[0], [1]] } } });
    client = await openConnected(closedByHand, broker, { reconnectBackoffMs: 1, retryBackoffMs: 1 });
  });

  afterEach(async () => {
    await broker.clearRules();
    for (const { id } of broker.nodes) await broker.startListener(id);
    // Takes with it what a test has left unanswered.
    for (const { nodeId } of client.cluster.brokers()) client.close(nodeId);
  });

  after(async () => {
    await client.close();
    await broker.close();
  });

  /** One for all tests that ask for nothing special, connected to every node. */
  const shared = (): Promise<KafkaClient> => calm(client, broker);

  const open = (t: Cleanup, options: KafkaClientOptions = {}): Promise<KafkaClient> =>
    openClient(t, { bootstrapServers: broker.bootstrapServers, ...options });

  /** Waits for it, since the network thread may be asking for metadata. */
  async function becomesIdle(client: KafkaClient, nodeId: number): Promise<void> {
    await waitFor(`node ${nodeId} to be idle`, () => client.inFlightRequestCount(nodeId) === 0);
    assert.deepEqual(saidOf(client, nodeId), saidOfReady);
  }

  /** Fetches from node 0 that are never answered, as many as the limit admits. */
  async function unanswered(client: KafkaClient, count: number) {
    await broker.control(Fetch, { answer: 'never' }, { nodeId: 0 });
    return Array.from({ length: count }, () => client.send(0, Fetch, fetchRequest('logs'), byName));
  }

  test('that metadata does not name are refused', async (t) => {
    const client = await open(t);
    assert.deepEqual(saidOf(client, 42), saidOfUnknown);
    assert.equal(client.maybeConnect(42), false);
    assert.equal(client.ready(42), false);
    const error = await failureOf(client.send(42, Metadata, { topics: [] }));
    assert.ok(error instanceof NodeNotReadyError);
    assert.match(error.message, /node 42 is not part of the cluster/);
    await assert.rejects(client.awaitReady(42), NodeNotReadyError);
    client.close(42);
    assert.deepEqual(saidOf(client, 42), saidOfUnknown);
  });

  test('that are known but were not asked for have no connection', async (t) => {
    const client = await open(t, { bootstrapServers: broker.bootstrapServers.slice(0, 1) });
    assert.deepEqual(saidOf(client, 1), saidOfUnknown);
    const error = await failureOf(client.send(1, Metadata, { topics: [] }));
    assert.ok(error instanceof NodeNotReadyError);
    assert.deepEqual([error.retriable, error.nodeId], [true, 1]);
    // The refused send has begun the connection.
    await waitFor('node 1 to become ready', () => client.isReady(1));
    await becomesIdle(client, 1);
  });

  test('become ready after the application asks for a connection', async (t) => {
    const client = await open(t);
    assert.equal(client.ready(1), false);
    await waitFor('node 1 to become ready', () => client.ready(1));
    assert.equal(client.maybeConnect(1), false);
    await becomesIdle(client, 1);
    await client.awaitReady(1);
  });

  test('stay connected under their bootstrap id, beside the connection under their broker id', async () => {
    const client = await shared();
    await waitFor('the first bootstrap connection to be closed', () => !client.bootstrapConnected());
    await client.awaitReady(-2);
    for (let i = 0; i < 3; i++) {
      await client.send(-2, Metadata, { topics: [] });
      await client.poll(0);
    }
    assert.equal(client.bootstrapConnected(), true);
    assert.equal(client.connected(-2), true);
  });

  test('count a request from the call of send until its Future is done', async () => {
    const client = await shared();
    const future = client.send(0, Metadata, { topics: [] });
    assert.equal(client.inFlightRequestCount(0), 1);
    assert.equal(client.inFlightRequestCount(1), 0);
    assert.equal(client.inFlightRequestCount(), 1);
    let within = -1;
    future.addCallback(() => {
      within = client.inFlightRequestCount();
    });
    await future;
    assert.equal(within, 0);
    assert.equal(client.inFlightRequestCount(0), 0);
  });

  test('at their limit refuse the next request at once, until a request is done', async (t) => {
    const client = await openConnected(t, broker, { maxInFlightRequestsPerConnection: 3 });
    await broker.control(Fetch, { holdUntil: 'limit' }, { times: 1 });
    const first = client.send(0, Fetch, fetchRequest('logs', { maxWaitMs: 0 }), byName);
    client.send(0, Metadata, { topics: [] });
    assert.equal(client.isReady(0), true);
    client.send(0, Metadata, { topics: [] });
    assert.deepEqual(saidOf(client, 0), { ...saidOfReady, isReady: false, inFlight: 3 });
    const refused = client.send(0, Metadata, { topics: [] });
    assert.equal(refused.isDone, true);
    assert.ok(refused.exception instanceof NodeNotReadyError);
    assert.match(refused.exception.message, /3 requests in flight, the limit/);
    assert.equal(client.inFlightRequestCount(0), 3);
    assert.equal(client.isReady(1), true);
    await broker.waitForHeld('limit');
    await broker.release('limit');
    await first;
    assert.equal(client.isReady(0), true);
    await client.send(0, Metadata, { topics: [] });
  });

  test('have room again inside a callback for as many requests as were answered', async (t) => {
    const client = await openConnected(t, broker, { maxInFlightRequestsPerConnection: 1 });
    let left = 50;
    const next = (): void => {
      if (left-- === 0) return;
      const future = client.send(0, Metadata, { topics: [] });
      assert.equal(future.isDone, false, `${left} left`);
      future.addCallback(next);
    };
    next();
    await waitFor('all of them', () => left === -1);
  });

  describe('that were closed by close(nodeId)', () => {
    test('fail their requests inside the call, oldest first, and the callbacks see a closed node', async () => {
      const client = await shared();
      const futures = await unanswered(client, 3);
      const seen: unknown[] = [];
      futures.forEach((future, i) => {
        future.addErrback((error) => seen.push([i, error.name, saidOf(client, 0)]));
      });
      const elsewhere = client.send(1, Metadata, { topics: [] });
      client.close(0);
      assert.deepEqual(seen, [
        [0, 'Cancelled', saidOfUnknown],
        [1, 'Cancelled', saidOfUnknown],
        [2, 'Cancelled', saidOfUnknown],
      ]);
      assert.ok(futures[0]!.exception instanceof Cancelled);
      assert.equal(futures[0]!.exception.nodeId, 0);
      await elsewhere;
      assert.equal(client.connected(1), true);
    });

    test('are at once like nodes that were never connected, and stay so', async () => {
      const client = await shared();
      client.close(0);
      assert.deepEqual(saidOf(client, 0), saidOfUnknown);
      await broker.waitForConnections(0, 0);
      await client.poll(0);
      assert.deepEqual(saidOf(client, 0), saidOfUnknown);
    });

    test('can be connected again at once', async () => {
      const client = await shared();
      const { acceptedConnections } = await broker.stats();
      for (let i = 0; i < 5; i++) {
        client.close(0);
        assert.equal(client.maybeConnect(0), true);
        await client.awaitReady(0);
        await client.send(0, Metadata, { topics: [] });
      }
      assert.equal((await broker.stats()).acceptedConnections, acceptedConnections + 5);
    });

    test("ignore the broker's late answer to a request that close has failed", async () => {
      const client = await shared();
      await broker.control(Fetch, { holdUntil: 'late' }, { times: 1 });
      const future = client.send(0, Fetch, fetchRequest('logs', { maxWaitMs: 0 }), byName);
      let settles = 0;
      future.addBoth(() => settles++);
      await broker.waitForHeld('late');
      client.close(0);
      await broker.release('late');
      await client.awaitReady(0);
      await client.send(0, Metadata, { topics: [] });
      await client.poll(0);
      assert.equal(settles, 1);
      assert.ok(future.exception instanceof Cancelled);
    });

    test('fail a request that was not written yet', async () => {
      const client = await shared();
      const { requests } = await broker.stats();
      const future = client.send(0, Produce, produceRequest('logs', [{ value: 'x' }]), byName);
      client.close(0);
      assert.ok(future.exception instanceof Cancelled);
      await client.awaitReady(0);
      await client.send(0, Metadata, { topics: [] });
      const produced = ((await broker.stats()).requests[Produce.key] ?? 0) - (requests[Produce.key] ?? 0);
      assert.ok(produced <= 1, `${produced} requests`);
    });
  });

  describe('that cannot be reached', () => {
    test('are disconnected, back off longer each time, and tell for how long', async (t) => {
      const client = await openConnected(t, broker, { reconnectBackoffMs: 400, reconnectBackoffMaxMs: 60_000 });
      await broker.stopListener(1);
      await broker.closeConnections('reset', 1);
      await waitFor('node 1 to be lost', () => client.isDisconnected(1));
      assert.equal(client.connected(1), false);
      const delays: number[] = [];
      for (let attempt = 0; attempt < 3; attempt++) {
        await waitFor('the backoff to be over', () => client.isDisconnected(1) && client.connectionDelay(1) === 0);
        assert.equal(client.maybeConnect(1), true);
        await waitFor('the attempt to fail', () => {
          const delay = client.connectionDelay(1);
          if (delay > 0 && Number.isFinite(delay)) delays.push(delay);
          return delay > 0 && Number.isFinite(delay);
        });
        assert.equal(client.maybeConnect(1), false);
        const error = await failureOf(client.send(1, Metadata, { topics: [] }));
        assert.ok(error instanceof NodeNotReadyError);
        assert.match(error.message, /not connected; the next attempt may begin in \d+ ms/);
      }
      // 20 % of jitter each way; the connection that was lost counts as the first failure.
      const bounds = [960, 1920, 3840];
      for (const [i, delay] of delays.entries()) assert.ok(delay <= bounds[i]!, `${delays}`);
      assert.ok(delays[2]! > delays[0]!, `${delays}`);
      await broker.startListener(1);
      await client.awaitReady(1);
      await becomesIdle(client, 1);
    });

    test('make awaitReady wait until the time is over, and the error gives the cause', async () => {
      const client = await shared();
      await broker.stopListener(1);
      client.close(1);
      await broker.waitForConnections(0, 1);
      const error = await unreadyBecause(client, 1, /ECONNREFUSED/, 300);
      assert.ok(error instanceof KafkaTimeoutError);
      assert.match(error.message, /node 1 \(\S+\) was not ready within 300 ms/);
    });

    test('make awaitReady wait through their backoff', async (t) => {
      const client = await openConnected(t, broker, { reconnectBackoffMs: 20, reconnectBackoffMaxMs: 100 });
      await broker.stopListener(1);
      client.close(1);
      await broker.waitForConnections(0, 1);
      const waiting = client.awaitReady(1);
      await waitFor('a failed attempt', () => client.isDisconnected(1));
      await broker.startListener(1);
      await waiting;
      await becomesIdle(client, 1);
    });
  });

  describe('when the application asks for the least loaded node', () => {
    test('an idle connected node is chosen before a busy node', async () => {
      const client = await shared();
      await unanswered(client, 1);
      for (let i = 0; i < 20; i++) assert.equal(client.leastLoadedNode(), 1);
    });

    test('every idle node is chosen now and then', async () => {
      const client = await shared();
      const chosen = new Set(Array.from({ length: 200 }, () => client.leastLoadedNode()));
      assert.deepEqual([...chosen].sort(), [0, 1]);
    });

    test('the node with the fewest requests is chosen when all are busy', async () => {
      const client = await shared();
      await broker.control(Fetch, { answer: 'never' });
      for (let i = 0; i < 3; i++) client.send(1, Fetch, fetchRequest('logs', { partition: 1 }), byName);
      for (let i = 0; i < 2; i++) client.send(0, Fetch, fetchRequest('logs'), byName);
      for (let i = 0; i < 20; i++) assert.equal(client.leastLoadedNode(), 0);
    });

    test('no node in backoff is chosen, and the result is null when all are in backoff', async (t) => {
      const client = await openConnected(t, broker, { reconnectBackoffMs: 60_000, reconnectBackoffMaxMs: 60_000 });
      await broker.stopListener(0);
      await broker.closeConnections('reset', 0);
      await waitFor('node 0 to back off', () => client.connectionDelay(0) > 0 && !client.connected(0));
      for (let i = 0; i < 20; i++) assert.equal(client.leastLoadedNode(), 1);
      await broker.stopListener(1);
      await broker.closeConnections('reset', 1);
      await waitFor('node 1 to back off', () => client.connectionDelay(1) > 0 && !client.connected(1));
      assert.equal(client.leastLoadedNode(), null);
    });

    test('a bootstrap server is chosen while no broker is known', async (t) => {
      const client = await open(t, { bootstrapServers: ['127.0.0.1:1', '127.0.0.1:1'], apiVersion: [4, 0] });
      assert.ok([-1, -2, null].includes(client.leastLoadedNode()));
    });
  });

  describe('that are throttled', () => {
    test('answer at once and are then not ready until the throttle time is over; other nodes stay ready', async () => {
      const client = await shared();
      await broker.control(Metadata, { throttleTimeMs: 3000 }, { nodeId: 0, times: 1 });
      // The network thread counts from the moment when it reads the answer, which is later than this.
      const sentAt = performance.now();
      const response = await client.send(0, Metadata, { topics: [] });
      const throttledAt = performance.now();
      assert.equal(response.throttleTimeMs, 3000);
      await waitFor('the throttle to show', () => !client.isReady(0) || performance.now() - throttledAt > 2000);
      // Else the machine is too busy to tell.
      if (performance.now() - sentAt < 1500) {
        assert.equal(client.connected(0), true);
        const error = await failureOf(client.send(0, Metadata, { topics: [] }));
        assert.ok(error instanceof NodeNotReadyError);
        assert.match(error.message, /quota/);
        assert.equal(client.leastLoadedNode(), 1);
      }
      await client.send(1, Metadata, { topics: [] });
      await waitFor('the throttle to end', () => client.isReady(0));
      assert.ok(performance.now() - sentAt >= 2999, 'the node was left alone for its time');
      await client.send(0, Metadata, { topics: [] });
    });

    test('go on with requests in flight, whose deadlines move by the throttle time', async () => {
      const client = await shared();
      await broker.control(Metadata, { throttleTimeMs: 1500 }, { nodeId: 0, times: 1 });
      await broker.control(Fetch, { holdUntil: 'throttled' }, { nodeId: 0, times: 1 });
      const began = performance.now();
      const throttling = client.send(0, Metadata, { topics: [] });
      const limited = client.send(0, Fetch, fetchRequest('logs', { maxWaitMs: 0 }), { ...byName, timeoutMs: 5000 });
      await throttling;
      const error = await failureOf(limited);
      assert.ok(error instanceof RequestTimedOutError);
      assert.ok(performance.now() - began >= 6450, `timed out after ${performance.now() - began} ms`);
      await broker.release('throttled');
    });

    test('wait only from the version on in which the client has to wait', async () => {
      const client = await shared();
      await broker.control(Metadata, { throttleTimeMs: 60_000 }, { nodeId: 0, times: 1 });
      const response = await client.send(0, Metadata, { topics: [] }, { version: 5 });
      assert.equal(response.throttleTimeMs, 60_000);
      await client.poll(0);
      assert.equal(client.isReady(0), true);
    });

    test('ignore a negative throttle time', async () => {
      const client = await shared();
      await broker.control(Metadata, { throttleTimeMs: -5 }, { nodeId: 0, times: 1 });
      await client.send(0, Metadata, { topics: [] });
      await client.poll(0);
      assert.equal(client.isReady(0), true);
    });

    test('get no request for weeks of throttle time, until close(nodeId) makes them new', async () => {
      const client = await shared();
      await broker.control(Metadata, { throttleTimeMs: 2147483647 }, { nodeId: 0, times: 1 });
      await client.send(0, Metadata, { topics: [] });
      await waitFor('the throttle to show', () => !client.isReady(0));
      client.close(0);
      await client.awaitReady(0);
      await client.send(0, Metadata, { topics: [] });
    });
  });
});
