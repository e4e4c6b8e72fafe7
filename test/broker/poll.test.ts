// poll and pollSync: what they wait for, what they return, and what ends them early.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Fetch, type KafkaClient, KafkaConnectionError, Metadata, Produce } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { calm, closedByHand, openConnected } from './support/client.ts';
import { byName, fetchRequest, produceRequest } from './support/requests.ts';

/** So long that a test which waits for it fails by its own limit. */
const never = 600_000;

describe('polling', () => {
  let broker: EmbeddedBroker;
  let client: KafkaClient;
  let gate = 0;

  before(async () => {
    broker = await startEmbeddedBroker({ topics: { logs: 1 } });
    client = await openConnected(closedByHand, broker, {
      maxInFlightRequestsPerConnection: 100,
      retryBackoffMs: 1,
    });
  });

  after(async () => {
    await client.close();
    await broker.close();
  });

  /** A fetch that the broker answers when told so. */
  async function held() {
    const name = `gate-${gate++}`;
    await broker.control(Fetch, { holdUntil: name }, { times: 1 });
    const future = client.send(0, Fetch, fetchRequest('logs', { maxWaitMs: 0 }), byName);
    await broker.waitForHeld(name);
    return { future, release: () => broker.release(name) };
  }

  const metadata = () => client.send(0, Metadata, { topics: [] });

  /** A connection that is lost asks for metadata, which may have come by then. */
  function broughtNothing(responses: readonly unknown[]): void {
    for (const response of responses) assert.ok('brokers' in (response as object), String(response));
  }

  describe('poll', () => {
    test('returns the responses that came, in order, and leaves the futures done', { timeout: 300_000 }, async () => {
      const { future, release } = await held();
      const second = metadata();
      const third = client.send(0, Produce, produceRequest('logs', [{ value: 'x' }]), byName);
      void release();
      const responses: unknown[] = [...(await client.poll(never, third))];
      assert.deepEqual([future.isDone, second.isDone, third.isDone], [true, true, true]);
      assert.equal(responses.length, 3);
      assert.equal(responses[0], future.value);
      assert.equal(responses[1], second.value);
      assert.equal(responses[2], third.value);
    });

    test('without a future returns when any response came', { timeout: 300_000 }, async () => {
      const future = metadata();
      const responses = await client.poll(never);
      assert.deepEqual(responses, [future.value]);
    });

    test('ends at its time limit with nothing, and the request goes on', { timeout: 300_000 }, async () => {
      const { future, release } = await held();
      const began = performance.now();
      assert.deepEqual(await client.poll(30), []);
      assert.ok(performance.now() - began >= 29);
      assert.deepEqual(await client.poll(30, future), []);
      assert.equal(future.isDone, false);
      await release();
      await future;
    });

    test('with limit 0 does not wait for an answer, but writes what was sent', { timeout: 300_000 }, async () => {
      const { future, release } = await held();
      const arrived = (await broker.stats()).requests[Metadata.key] ?? 0;
      const behind = metadata();
      await client.poll(0);
      assert.equal(future.isDone, false);
      assert.equal(behind.isDone, false);
      await broker.waitForRequests(Metadata, arrived + 1);
      await release();
      await behind;
    });

    test('with limit 0 again and again delivers what has arrived', { timeout: 300_000 }, async () => {
      const future = metadata();
      const responses: unknown[] = [];
      while (!future.isDone) responses.push(...(await client.poll(0)));
      assert.deepEqual(responses, [future.value]);
    });

    test('with a negative limit is the same as with limit 0', { timeout: 300_000 }, async () => {
      assert.deepEqual(await client.poll(-5), []);
      assert.deepEqual(await client.poll(Number.NEGATIVE_INFINITY), []);
    });

    test('without a limit waits for the answer, at most requestTimeoutMs', { timeout: 300_000 }, async () => {
      const future = metadata();
      assert.deepEqual(await client.poll(undefined, future), [future.value]);
      const another = metadata();
      assert.deepEqual(await client.poll(null), [another.value]);
      const third = metadata();
      assert.deepEqual(await client.poll(Number.POSITIVE_INFINITY, third), [third.value]);
    });

    test('without a limit and without an answer ends at requestTimeoutMs', { timeout: 300_000 }, async (t) => {
      const client = await openConnected(t, broker, { requestTimeoutMs: 1000 });
      for (const limit of [undefined, null]) {
        const began = performance.now();
        assert.deepEqual(await client.poll(limit), []);
        assert.deepEqual(client.pollSync(limit), []);
        assert.ok(performance.now() - began >= 1999);
      }
    });

    test('for a future that is already done reads once', { timeout: 300_000 }, async () => {
      const done = metadata();
      await done;
      assert.deepEqual(await client.poll(never, done), []);
    });

    test('for a future that fails returns without that future', { timeout: 300_000 }, async () => {
      const { future } = await held();
      setImmediate(() => void broker.closeConnections('reset', 0));
      broughtNothing(await client.poll(never, future));
      assert.ok(future.exception instanceof KafkaConnectionError);
      await calm(client, broker);
    });

    test('for a future that this thread completes itself returns', { timeout: 300_000 }, async () => {
      const { future, release } = await held();
      setImmediate(() => client.close(0));
      assert.deepEqual(await client.poll(never, future), []);
      assert.equal(future.exception?.name, 'Cancelled');
      await release();
      await calm(client, broker);
    });

    test('refuses a limit that is not a number', async () => {
      await assert.rejects(client.poll('soon' as never), TypeError);
      await assert.rejects(client.poll(Number.NaN), TypeError);
      assert.throws(() => client.pollSync({} as never), TypeError);
    });

    test('lists metadata refreshes', { timeout: 300_000 }, async () => {
      const { updateId } = client.cluster;
      const polled = client.poll(never);
      const refreshed = client.refreshMetadata();
      const [response] = (await polled) as { readonly clusterId: string }[];
      assert.equal(response!.clusterId, 'embedded-cluster-000000');
      assert.equal(client.cluster.updateId, updateId + 1);
      await refreshed;
    });

    test('can be called several times at once, and each call sees the response', { timeout: 300_000 }, async () => {
      const { future, release } = await held();
      const polls = [client.poll(never), client.poll(never, future), client.poll(never)];
      await release();
      for (const responses of await Promise.all(polls)) assert.deepEqual(responses, [future.value]);
    });

    test('ends by its abort signal with the responses that have come', { timeout: 300_000 }, async () => {
      const { future, release } = await held();
      const controller = new AbortController();
      const polled = client.poll(never, future, { signal: controller.signal });
      controller.abort();
      assert.deepEqual(await polled, []);
      assert.deepEqual(await client.poll(never, future, { signal: AbortSignal.abort() }), []);
      assert.deepEqual(await client.poll(never, future, { signal: AbortSignal.timeout(5) }), []);
      await release();
      await future;
    });

    test('ends by wakeup', { timeout: 300_000 }, async () => {
      const { future, release } = await held();
      const polls = [client.poll(never), client.poll(never, future)];
      setImmediate(() => client.wakeup());
      assert.deepEqual(await Promise.all(polls), [[], []]);
      await release();
      await future;
    });

    test('does not lose a response to a wakeup', { timeout: 300_000 }, async () => {
      for (let i = 0; i < 50; i++) {
        const future = metadata();
        const polled = client.poll(never, future);
        if (i % 2 === 0) setImmediate(() => client.wakeup());
        await polled;
        await future;
      }
    });

    test('is not needed for futures to complete', { timeout: 300_000 }, async () => {
      await metadata();
    });
  });

  describe('pollSync', () => {
    test('blocks until the future is done and its callbacks have run', { timeout: 300_000 }, () => {
      const future = metadata();
      const seen: unknown[] = [];
      future.addCallback((response) => seen.push(response));
      const responses = client.pollSync(never, future);
      assert.deepEqual(responses, [future.value]);
      assert.deepEqual(seen, [future.value]);
    });

    test('without a future returns when any response came', { timeout: 300_000 }, () => {
      const future = metadata();
      assert.deepEqual(client.pollSync(never), [future.value]);
    });

    test('ends at its time limit', { timeout: 300_000 }, async () => {
      const { future, release } = await held();
      const began = performance.now();
      assert.deepEqual(client.pollSync(30, future), []);
      assert.ok(performance.now() - began >= 29);
      await release();
      // The answer may have come already, while the release was awaited.
      const wasDone = future.isDone;
      assert.deepEqual(client.pollSync(never, future), wasDone ? [] : [future.value]);
      assert.ok(future.succeeded);
    });

    test('with limit 0 does not wait for an answer', { timeout: 300_000 }, async () => {
      const { future, release } = await held();
      assert.deepEqual(client.pollSync(0), []);
      assert.equal(future.isDone, false);
      await release();
      while (!future.isDone) client.pollSync(0);
      assert.equal(future.succeeded, true);
    });

    test('works for thousands of requests in a row without the event loop', { timeout: 300_000 }, () => {
      let bytes = 0;
      for (let i = 0; i < 2000; i++) {
        const future = metadata();
        client.pollSync(never, future);
        bytes += future.value!.clusterId!.length;
      }
      assert.equal(bytes, 2000 * 'embedded-cluster-000000'.length);
    });

    test('works inside a callback, and beside poll', { timeout: 300_000 }, async () => {
      const first = metadata();
      let inner: readonly unknown[] = [];
      first.addCallback(() => {
        const second = metadata();
        inner = client.pollSync(never, second);
        assert.deepEqual(inner, [second.value]);
      });
      const polled = await client.poll(never, first);
      assert.equal(inner.length, 1);
      assert.ok(polled.includes(first.value));
    });

    test('works while the doorbell of the event loop is armed, and the event loop goes on afterwards', {
      timeout: 300_000,
    }, async () => {
      for (let i = 0; i < 20; i++) {
        await metadata();
        // The await above left an armed wait behind, or is about to.
        client.pollSync(never, metadata());
        client.pollSync(0);
        const polled = client.poll(never);
        const future = metadata();
        assert.deepEqual(await polled, [future.value]);
      }
    });

    test('for a future that fails returns', { timeout: 300_000 }, async () => {
      const rule = await broker.control(Fetch, { answer: 'reset' }, { times: 1 });
      const future = client.send(0, Fetch, fetchRequest('logs'), byName);
      broughtNothing(client.pollSync(never, future));
      assert.ok(future.exception instanceof KafkaConnectionError);
      await rule.remove();
      await calm(client, broker);
    });

    test('for a future that times out returns at its deadline', { timeout: 300_000 }, async () => {
      const rule = await broker.control(Fetch, { answer: 'never' }, { times: 1 });
      const future = client.send(0, Fetch, fetchRequest('logs'), { ...byName, timeoutMs: 50 });
      broughtNothing(client.pollSync(never, future));
      assert.equal(future.exception?.name, 'RequestTimedOutError');
      await rule.remove();
      await calm(client, broker);
    });
  });
});
