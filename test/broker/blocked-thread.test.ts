// A main thread that is blocked while the broker answers: nothing times out, connections stay, memory is limited, and all responses come
// in order after that.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fetch, Metadata, Produce } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { type Child, startChild } from './support/child.ts';
import type { Cleanup } from './support/client.ts';
import type { BlockedArguments, BlockedReport } from './support/scripts/blocked.ts';

const MiB = 1024 * 1024;
/** Long enough to be answered on a busy machine, short enough to be blocked for twice as long. */
const requestTimeoutMs = 4000;
const batches = 20;
const batchBytes = 4 * MiB;

// Mostly waiting, so they do it side by side, each with a broker of its own whose counts are theirs.
describe('a blocked main thread', { concurrency: 6 }, () => {
  async function startBroker(t: Cleanup): Promise<EmbeddedBroker> {
    const broker = await startEmbeddedBroker({ topics: { logs: 1, written: 1 }, messageMaxBytes: 2 * batchBytes });
    t.after(() => broker.close());
    return broker;
  }

  /** Starts the program, and blocks it `blocks` times for more than twice as long as a request may live. */
  async function run(
    t: Cleanup,
    broker: EmbeddedBroker,
    args: Omit<BlockedArguments, 'options'>,
    options: BlockedArguments['options'],
    whileBlocked: (child: Child) => Promise<void> = async () => {},
  ): Promise<BlockedReport> {
    const all = { bootstrapServers: broker.bootstrapServers, requestTimeoutMs, ...options };
    const child = startChild(t, 'blocked', { ...args, options: all });
    for (let i = 1; i <= args.blocks; i++) {
      await waitFor('the thread to block', () => child.stdout.split('blocked\n').length > i || child.hasEnded);
      // What it said at its end is told below.
      if (child.hasEnded) break;
      const blockedAt = performance.now();
      await whileBlocked(child);
      await waitFor('two lives of a request', () => performance.now() - blockedAt > 2 * requestTimeoutMs + 50);
      child.tell('');
    }
    const { stdout, stderr, exitCode } = await child.ended;
    assert.equal(stderr, '');
    assert.equal(exitCode, 0);
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as BlockedReport;
  }

  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  test('gets all small answers that came in the meantime, in order', { timeout: 300_000 }, async (t) => {
    const broker = await startBroker(t);
    const count = 300;
    const report = await run(t, broker, { what: 'metadata', count, blocks: 1 }, {}, async () => {
      await broker.waitForRequests(Metadata, count);
    });
    assert.deepEqual(report.failures, []);
    assert.deepEqual(report.answers, upTo(count));
    // The bootstrap connection, which is closed once node 0 is connected, and that to node 0.
    assert.equal((await broker.stats()).acceptedConnections, 2);
  });

  test('gets answers that did not fit into the response link', { timeout: 300_000 }, async (t) => {
    const broker = await startBroker(t);
    const count = 600;
    const report = await run(
      t,
      broker,
      { what: 'metadata', count, blocks: 1 },
      { responseRingBytes: 8192, spillBytes: 1024 },
    );
    assert.deepEqual(report.failures, []);
    assert.deepEqual(report.answers, upTo(count));
  });

  test('has its requests written while it is blocked', { timeout: 300_000 }, async (t) => {
    const broker = await startBroker(t);
    const count = 100;
    const report = await run(t, broker, { what: 'produce', count, blocks: 1 }, {}, async (child) => {
      await broker.waitForRequests(Produce, count);
      assert.equal(child.stdout, 'blocked\n');
    });
    assert.deepEqual(report.failures, []);
    assert.deepEqual(
      report.answers,
      upTo(count).map((i) => i + 1),
    );
  });

  test('goes on without taking the network thread for stuck, and so does a process that was stopped', {
    timeout: 300_000,
  }, async (t) => {
    const broker = await startBroker(t);
    const count = 10;
    let blocks = 0;
    // Something is under way all the time, and what counts as stuck lasts half as long as a block.
    await broker.control(Produce, { holdUntil: 'blocked' }, { times: 1, skip: 1 });
    const options = { networkThreadTimeoutMs: requestTimeoutMs, requestTimeoutMs: 600_000 };
    const report = await run(t, broker, { what: 'produce', count, blocks: 2 }, options, async (child) => {
      await broker.waitForHeld('blocked');
      // After the first block the program looks, before the second.
      if (++blocks === 2) return void broker.release('blocked');
      child.signal('SIGSTOP');
      const stoppedAt = performance.now();
      await waitFor('the stop to last', () => performance.now() - stoppedAt > 2 * requestTimeoutMs);
      child.signal('SIGCONT');
    });
    assert.deepEqual(report.failures, []);
    assert.deepEqual(
      report.answers,
      upTo(count).map((i) => i + 1),
    );
  });

  for (const [name, options, least, most] of [
    // One answer is moved to the application, one is decoded, and the frame behind it is read.
    ['the smallest budget', { spillBudgetBytes: 65_536 }, 0, 45 * MiB],
    ['a budget of three answers', { spillBudgetBytes: 3 * batchBytes + MiB }, 2 * batchBytes, 55 * MiB],
    // Nothing is held back here: so much it is that the others do not take.
    ['a budget for all of them', {}, batches * batchBytes * 0.8, Number.POSITIVE_INFINITY],
  ] as const) {
    test(`does not make the client keep more of large answers than ${name} allows`, { timeout: 300_000 }, async (t) => {
      const broker = await startBroker(t);
      const value = Buffer.alloc(batchBytes, 7);
      for (let i = 0; i < batches; i++) await broker.append('logs', 0, [{ value }]);
      // All of them, but for the one that is fetched first: an answer that was read before the block is nobody's to hold back.
      await broker.control(Fetch, { holdUntil: 'blocked' }, { times: 1, skip: 1 });
      const report = await run(t, broker, { what: 'fetch', count: batches, blocks: 1 }, options, async () => {
        await broker.waitForHeld('blocked');
        await broker.release('blocked');
        await broker.waitForRequests(Fetch, batches);
        assert.equal((await broker.stats()).openByNode[0], 1, 'connections');
      });
      assert.deepEqual(report.failures, []);
      assert.deepEqual(report.answers, upTo(batches));
      assert.equal((await broker.stats()).acceptedConnections, 2);
      const grown = `grew by ${Math.round(report.grownBytes / MiB)} MiB while ${(batches * batchBytes) / MiB} MiB waited`;
      t.diagnostic(grown);
      assert.ok(report.grownBytes <= most, grown);
      assert.ok(report.grownBytes >= least, grown);
    });
  }
});
