// Attached clients beside each other: places on their connection, and one that destroys its own memory.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type KafkaClient, Metadata } from '../../src/index.ts';
import { DATA_OFFSET } from '../../src/ring/layout.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { attachWorker as attach } from './support/attached-worker.ts';
import { type Cleanup, openClient } from './support/client.ts';
import { ACCEPTED, ENDED, FAILED, SUCCEEDED } from './support/scripts/attached.ts';

describe('attached clients beside each other', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker();
  });
  after(() => broker.close());

  const open = (t: Cleanup, options = {}): Promise<KafkaClient> =>
    openClient(t, { bootstrapServers: broker.bootstrapServers, metrics: true, closeTimeoutMs: 60_000, ...options });

  async function works(client: KafkaClient): Promise<void> {
    await client.awaitReady(0);
    assert.equal((await client.send(0, Metadata, { topics: [] })).brokers.length, 1);
  }

  test('threads that want more places than a connection has take turns: none is refused, and none is left out', async (t) => {
    // Each of the workers alone would fill it.
    const client = await open(t, { maxInFlightRequestsPerConnection: 3 });
    await works(client);
    const busy = [await attach(t, client), await attach(t, client, 'sync')];
    await Promise.all(busy.map((each) => each.works()));
    let most = 0;
    for (let i = 0; i < 50; i++) {
      const before = busy.map(({ count }) => count(SUCCEEDED));
      // It would fail with TooManyInFlightRequests if it had no turn.
      assert.equal((await client.send(0, Metadata, { topics: [] })).brokers.length, 1);
      const counts = busy.map(({ count }, n) => count(SUCCEEDED) - before[n]!);
      most = Math.max(most, ...counts);
    }
    t.diagnostic(`at most ${most} answers to another thread while one request was under way`);
    await Promise.all(busy.map((each) => each.works()));
    for (const each of busy) {
      each.tell('close');
      await each.exit;
      assert.equal(each.count(FAILED), 0);
      assert.equal(each.count(ACCEPTED), each.count(SUCCEEDED));
    }
  });

  for (const work of ['loop', 'sync'] as const) {
    test(`a thread with nonsense in its own ring is detached, and other clients go on (${work})`, async (t) => {
      const client = await open(t);
      await works(client);
      const one = await attach(t, client, work);
      const other = await attach(t, client);
      await Promise.all([one.works(), other.works()]);
      // The worker writes its own frames as well, so it takes a few attempts.
      await waitFor('the network thread to refuse it', () => {
        one.requestRing.fill(-1, DATA_OFFSET / 4);
        return one.count(ENDED) !== 0;
      });
      await one.exit;
      assert.equal(one.count(ENDED), 2, 'with NetworkThreadError');
      assert.equal(one.count(ACCEPTED), one.count(SUCCEEDED) + one.count(FAILED));
      await other.works(50);
      await works(client);
      other.tell('close');
      await other.exit;
      assert.equal(other.count(FAILED), 0);
      await waitFor('the accounts to be even', () => client.metricsSnapshot()!.client['requests-open'] === 0);
    });
  }
});
