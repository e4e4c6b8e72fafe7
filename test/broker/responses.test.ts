// Async iteration over responses: what it yields, that nothing is lost between two steps, and what ends it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Fetch, type KafkaClient, Metadata } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { closedByHand, openConnected } from './support/client.ts';
import { byName, fetchRequest } from './support/requests.ts';

describe('iterating over responses', { timeout: 300_000 }, () => {
  let broker: EmbeddedBroker;
  let client: KafkaClient;

  before(async () => {
    broker = await startEmbeddedBroker({ topics: { logs: 1 } });
  });

  after(() => broker.close());

  const open = () => openConnected(closedByHand, broker, { maxInFlightRequestsPerConnection: 100 });
  const ask = () => client.send(0, Metadata, { topics: [] });

  describe('of a client', () => {
    before(async () => {
      client = await open();
    });

    after(() => client.close());

    test('yields each response in order, also those that come while the loop is busy', async () => {
      const futures = Array.from({ length: 20 }, ask);
      const seen: unknown[] = [];
      for await (const response of client.responses()) {
        seen.push(response);
        // Answered before the next step, which then finds its response and all since.
        if (seen.length === 1) await Promise.all(futures);
        if (seen.length === 5) {
          const more = ask();
          futures.push(more);
          await more;
        }
        if (seen.length === futures.length) break;
      }
      assert.deepEqual(
        seen,
        futures.map(({ value }) => value),
      );
    });

    test('yields the same responses that polls return', async () => {
      const iterator = client.responses();
      const next = iterator.next();
      const future = ask();
      assert.deepEqual(await client.poll(null, future), [future.value]);
      assert.deepEqual(await next, { value: future.value, done: false });
      await iterator.return();
    });

    test('begins with the first response after its first step', async () => {
      await ask();
      const first = client.responses();
      const taken = first.next();
      await Promise.all([ask(), ask()]);
      await taken;
      await first.return();
      const second = client.responses();
      const next = second.next();
      const future = ask();
      assert.equal((await next).value, await future);
      await second.return();
    });

    test('goes on after a wakeup', async () => {
      const iterator = client.responses();
      const next = iterator.next();
      client.wakeup();
      await new Promise((resolve) => setImmediate(resolve));
      const future = ask();
      assert.equal((await next).value, await future);
      await iterator.return();
    });

    test('ends when its signal is aborted, after the responses that have arrived', async () => {
      const controller = new AbortController();
      const { signal } = controller;
      const seen: unknown[] = [];
      const futures = [ask(), ask()];
      for await (const response of client.responses({ signal })) {
        seen.push(response);
        await Promise.all(futures);
        controller.abort();
      }
      assert.equal(seen.length, 2);
      for await (const response of client.responses({ signal })) assert.fail(`${response} after the end`);
    });

    test('ends at once when its signal is aborted while it waits', async () => {
      const controller = new AbortController();
      const next = client.responses({ signal: controller.signal }).next();
      await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      assert.equal((await next).done, true);
    });
  });

  test('ends with the client, also while a request is in flight', async () => {
    client = await open();
    await broker.control(Fetch, { answer: 'never' }, { times: 1 });
    const pending = client.send(0, Fetch, fetchRequest('logs'), byName);
    const iterator = client.responses();
    const next = iterator.next();
    await client.close(0);
    assert.equal(pending.failed, true, 'a failure is no response');
    const closing = client.close();
    assert.equal((await next).done, true);
    await closing;
    assert.equal((await client.responses().next()).done, true);
  });

  test('yields all responses that close() waits for, and then ends', async (t) => {
    const waiting = await openConnected(closedByHand, broker, { closeTimeoutMs: 60_000 });
    t.after(() => broker.release('second'));
    t.after(() => broker.release('first'));
    // Of two rules the later is asked first.
    await broker.control(Fetch, { holdUntil: 'second' }, { times: 1 });
    await broker.control(Fetch, { holdUntil: 'first' }, { times: 1 });
    const futures = [1, 2].map(() => waiting.send(0, Fetch, fetchRequest('logs'), byName));
    const iterator = waiting.responses();
    const first = iterator.next();
    const closing = waiting.close();
    await broker.waitForHeld('first');
    await broker.release('first');
    assert.equal((await first).value, await futures[0]);
    const second = iterator.next();
    await broker.waitForHeld('second');
    await broker.release('second');
    assert.equal((await second).done, false);
    assert.equal((await second).value, await futures[1]);
    assert.equal((await iterator.next()).done, true);
    await closing;
  });
});
