// When a process with a client ends: by itself while the client is idle, and not while something is under way.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Fetch, Metadata } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker, startEmbeddedBrokerInProcess } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { type Child, scriptUrl, startChild } from './support/child.ts';
import type { Cleanup } from './support/client.ts';

// Most of the time is that of processes starting, so they do it side by side; rules go by client id.
describe('a process with a client', { concurrency: 3 }, () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({ topics: { logs: 1 } });
  });

  after(async () => {
    await broker.close();
  });

  const run = (t: Cleanup, how: string, more: object = {}): Child =>
    startChild(
      t,
      'end-of-process',
      { how, options: { bootstrapServers: broker.bootstrapServers, clientId: how, ...more } },
      { execArgv: how === 'poll0-behind' ? ['--import', scriptUrl('thread-hook')] : [] },
    );

  for (const [how, what] of [
    ['start-only', 'that has only been started'],
    ['idle', 'that has nothing in flight'],
    ['closed', 'that has been closed'],
  ]) {
    test(`ends by itself with a client ${what}`, { timeout: 300_000 }, async (t) => {
      const { exitCode, stdout, stderr } = await run(t, how!).ended;
      assert.equal(stderr, '');
      assert.equal(stdout, 'started\nend of program\n');
      assert.equal(exitCode, 0);
    });
  }

  for (const [how, expected] of [
    ['callback', 'started\nend of program\nanswered\n'],
    ['await', 'started\nanswered\nend of program\n'],
    ['poll', 'started\npolled 1\nend of program\n'],
  ]) {
    test(`lives while a request is pending, and ends after it (${how})`, { timeout: 300_000 }, async (t) => {
      const gate = `pending-${how}`;
      await broker.control(Fetch, { holdUntil: gate }, { times: 1, clientId: how! });
      const child = run(t, how!);
      await broker.waitForHeld(gate);
      if (how === 'callback') await waitFor('the end of the program', () => child.stdout.includes('end of program'));
      // Whatever the broker does for others meanwhile, the child must still be there to be answered.
      await broker.createTopic(`made-while-${how}`);
      assert.equal(child.hasEnded, false);
      await broker.release(gate);
      const { exitCode, stdout, stderr } = await child.ended;
      assert.equal(stderr, '');
      assert.equal(stdout, expected);
      assert.equal(exitCode, 0);
    });
  }

  test('lives while poll(0) waits for its fence', { timeout: 300_000 }, async (t) => {
    const { exitCode, stdout } = await run(t, 'poll0').ended;
    assert.equal(stdout, 'started\npolled\nend of program\n');
    assert.equal(exitCode, 0);
  });

  test('lives while poll(0) waits for its fence after it has read the last answer', {
    timeout: 300_000,
  }, async (t) => {
    const { exitCode, stdout, stderr } = await run(t, 'poll0-behind', { metrics: true }).ended;
    assert.equal(stderr, '');
    assert.equal(stdout, 'started\npolled\nend of program\n');
    assert.equal(exitCode, 0);
  });

  test('lives while a metadata refresh is awaited', { timeout: 300_000 }, async (t) => {
    // The one before it is part of the start.
    await broker.control(Metadata, { holdUntil: 'refresh' }, { times: 1, skip: 1, clientId: 'refresh' });
    const child = run(t, 'refresh');
    await broker.waitForHeld('refresh');
    assert.equal(child.hasEnded, false);
    await broker.release('refresh');
    const { exitCode, stdout } = await child.ended;
    assert.equal(stdout, 'started\nrefreshed\nend of program\n');
    assert.equal(exitCode, 0);
  });

  test('lives while a node is awaited', { timeout: 300_000 }, async (t) => {
    const late = await startEmbeddedBrokerInProcess();
    t.after(() => late.close());
    await late.stopListener(0);
    const child = run(t, 'await-ready', {
      bootstrapServers: late.bootstrapServers,
      apiVersion: [4, 0],
      reconnectBackoffMaxMs: 100,
    });
    await waitFor('the program to start', () => child.stdout.includes('started'));
    await late.startListener(0);
    const { exitCode, stdout } = await child.ended;
    assert.equal(stdout, 'started\nready\nend of program\n');
    assert.equal(exitCode, 0);
  });
});
