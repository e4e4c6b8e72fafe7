// The network thread ends in every way that a thread can: every pending request fails once with the reason, later calls fail at once,
// close works, and the process can end.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import {
  Fetch,
  KafkaClient,
  KafkaClientError,
  type KafkaClientOptions,
  Metadata,
  NetworkThreadError,
} from '../../src/index.ts';
import { scriptUrl, startChild } from '../broker/support/child.ts';
import { type Cleanup, failureOf } from '../broker/support/client.ts';
import { byName, fetchRequest } from '../broker/support/requests.ts';
import type { ThreadEndArguments, ThreadEndReport } from '../broker/support/scripts/thread-end.ts';
import { Settlements } from '../broker/support/settlements.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';

describe('the network thread', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({ nodes: 2, topics: { logs: { assignments: [[0]] } } });
    await broker.stopListener(1);
  });

  after(async () => {
    await broker.close();
  });

  /** A client, and the worker that is its network thread. */
  async function open(t: Cleanup, options: KafkaClientOptions = {}): Promise<{ client: KafkaClient; worker: Worker }> {
    const created = once(process, 'worker') as Promise<[Worker]>;
    const client = await KafkaClient.start({
      ...patient,
      bootstrapServers: broker.bootstrapServers.slice(0, 1),
      closeTimeoutMs: 0,
      ...options,
    });
    t.after(() => client.close());
    const [worker] = await created;
    return { client, worker };
  }

  describe('of a program ends', { concurrency: 3 }, () => {
    interface Run {
      readonly execArgv?: readonly string[];
      readonly more?: KafkaClientOptions;
      readonly isBlocked?: boolean;
    }

    async function run(t: Cleanup, how: ThreadEndArguments['how'], { execArgv = [], more, isBlocked }: Run = {}) {
      const { bootstrapServers } = broker;
      const options = { bootstrapServers, clientId: how, closeTimeoutMs: 0, logLevel: 'silent' as const, ...more };
      await broker.control(Fetch, { answer: 'never' }, { clientId: how });
      const child = startChild(
        t,
        'thread-end',
        { options, how, ...(isBlocked === undefined ? {} : { isBlocked }) },
        { execArgv: ['--import', scriptUrl('thread-hook'), ...execArgv] },
      );
      const { exitCode, stdout, stderr } = await child.ended;
      assert.equal(stderr, '');
      assert.equal(exitCode, 0);
      return JSON.parse(stdout) as ThreadEndReport;
    }

    const afterwards = {
      sendIsDone: true,
      send: 'KAFKA_NETWORK_THREAD',
      isReady: false,
      connected: false,
      maybeConnect: false,
      poll: [],
      pollSync: [],
      inFlight: 0,
      refresh: 'KAFKA_NETWORK_THREAD',
    };
    const rows: readonly (readonly [how: ThreadEndArguments['how'], what: string, cause: RegExp])[] = [
      ['terminate', 'because it was terminated', /undefined/],
      ['throw', 'by an uncaught error', /RangeError: thrown in the network thread/],
      ['throw-undefined', 'by undefined being thrown', /undefined/],
      ['reject', 'by an unhandled rejection', /RangeError: rejected in the network thread/],
      ['exit', 'by process.exit', /undefined/],
      ['out-of-memory', 'for want of memory', /ERR_WORKER_OUT_OF_MEMORY|memory limit/],
    ];
    /** Every request failed once, with this cause, and nothing works afterwards. */
    function assertLost({ pending, after }: ThreadEndReport, because?: RegExp): void {
      assert.equal(pending.length, 4);
      for (const [i, { settled, error, cause }] of pending.entries()) {
        assert.equal(settled, 1);
        assert.equal(error, 'KAFKA_NETWORK_THREAD');
        if (because !== undefined) assert.match(cause, because, `pending ${i}`);
      }
      assert.deepEqual(after, afterwards);
    }

    for (const [how, what, cause] of rows) {
      test(what, { timeout: 300_000 }, async (t) => {
        assertLost(await run(t, how, how === 'out-of-memory' ? { execArgv: ['--max-old-space-size=80'] } : {}), cause);
      });
    }

    for (const isBlocked of [false, true]) {
      const who = isBlocked ? 'a thread that blocks in pollSync' : 'a thread that awaits';
      test(`because the link holds impossible bytes, and ${who} notices`, { timeout: 300_000 }, async (t) => {
        assertLost(await run(t, 'corrupt', { isBlocked }), /RingCorruptError: ring of \d+ bytes/);
      });

      test(`because it is stuck, and ${who} notices`, { timeout: 300_000 }, async (t) => {
        assertLost(await run(t, 'loop', { more: { networkThreadTimeoutMs: 20_000 }, isBlocked }));
      });
    }

    test('by force when close finds it stuck', { timeout: 300_000 }, async (t) => {
      const report = await run(t, 'loop');
      for (const { settled, error } of report.pending) {
        assert.equal(settled, 1);
        assert.equal(error, 'KAFKA_CANCELLED');
      }
      assert.ok(report.closeMs < 20_000, `close took ${report.closeMs} ms`);
    });
  });

  test('ends at any moment, and each request is settled once, by an answer or an error', async (t) => {
    for (let round = 0; round < 6; round++) {
      const { client, worker } = await open(t, { maxInFlightRequestsPerConnection: 1000 });
      await client.awaitReady(0);
      const settlements = new Settlements(client);
      let isEnding = false;
      let refused: Error | null = null;
      // The further the round, the more has been answered by then.
      for (let i = 0; refused === null; i++) {
        const future = settlements.send(0, Metadata, { topics: [] });
        if (future.exception instanceof NetworkThreadError) refused = future.exception;
        if (i > round * 30 && !isEnding) {
          isEnding = true;
          void worker.terminate();
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      const { errors } = await settlements.finish();
      for (const error of errors) assert.ok(error instanceof NetworkThreadError, String(error));
      await client.close();
    }
  });

  test('ends while the client is being started', async () => {
    const created = once(process, 'worker') as Promise<[Worker]>;
    const starting = KafkaClient.start({ bootstrapServers: '127.0.0.1:1', apiVersionAutoTimeoutMs: 600_000 });
    const [worker] = await created;
    void worker.terminate();
    await assert.rejects(starting, NetworkThreadError);
  });

  test('ends while the application is blocked in pollSync, which ends at its time limit', async (t) => {
    const { client, worker } = await open(t);
    await client.awaitReady(0);
    await broker.control(Fetch, { answer: 'never' }, { times: 1 });
    const future = client.send(0, Fetch, fetchRequest('logs'), byName);
    const exited = once(worker, 'exit');
    void worker.terminate();
    assert.deepEqual(client.pollSync(300, future), []);
    await exited;
    assert.ok((await failureOf(future)) instanceof NetworkThreadError);
  });

  test('ends while poll waits, and poll ends at once', async (t) => {
    const { client, worker } = await open(t);
    await client.awaitReady(0);
    const rule = await broker.control(Fetch, { answer: 'never' });
    const future = client.send(0, Fetch, fetchRequest('logs'), byName);
    const polls = [client.poll(600_000, future), client.poll(600_000)];
    void worker.terminate();
    assert.deepEqual(await Promise.all(polls), [[], []]);
    assert.ok(future.exception instanceof NetworkThreadError);
    await rule.remove();
  });

  test('ends during close, and close ends too', async (t) => {
    const { client, worker } = await open(t, { closeTimeoutMs: 600_000 });
    await client.awaitReady(0);
    const rule = await broker.control(Fetch, { answer: 'never' });
    const future = client.send(0, Fetch, fetchRequest('logs'), byName);
    const closed = client.close();
    void worker.terminate();
    await closed;
    assert.ok(future.exception instanceof KafkaClientError);
    await rule.remove();
  });

  test('of one client ends, and other clients go on', async (t) => {
    const one = await open(t);
    const other = await open(t);
    await Promise.all([one.client.awaitReady(0), other.client.awaitReady(0)]);
    // The client takes its reference to the worker back at the end of this turn, and with it the one of terminate().
    await nextTurn();
    await one.worker.terminate();
    assert.equal(one.client.connected(0), false);
    await other.client.send(0, Metadata, { topics: [] });
  });
});
