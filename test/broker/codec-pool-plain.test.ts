// Big batches without compression through the whole client with its real codec pool (`codecPoolPlainBytes`): the bytes, their order, the errors
// and the limits of memory are the same as without a pool.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CorruptRecordError, Fetch, Metadata } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { assertRecords, KiB, noisyBatch } from '../unit/worker/support/big-messages.ts';
import { fetchWhole, topicWith } from './support/big-fetches.ts';
import { type AnyFuture, openConnected } from './support/client.ts';
import { fetchedRecords } from './support/requests.ts';

const MiB = 1024 * KiB;
const pooled = {
  codecPoolPlainBytes: 64 * KiB,
  codecPoolThresholdBytes: 64 * KiB,
  codecPoolThreads: 2,
  maxInFlightRequestsPerConnection: 100,
};
const unpooled = { ...pooled, codecPoolThreads: 0 };

describe('the codec pool, for plain batches', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({ messageMaxBytes: 16 * MiB });
  });

  after(async () => {
    await broker.close();
  });

  test('keeps the order of responses of a node: plain, compressed and small', async (t) => {
    const client = await openConnected(t, broker, pooled);
    const batches = [
      noisyBatch(2 * MiB, 1, 'none'),
      noisyBatch(100 * KiB, 2, 'gzip'),
      noisyBatch(300 * KiB, 3, 'none'),
    ];
    const names: string[] = [];
    for (const batch of batches) names.push(await topicWith(broker, batch));
    const order: number[] = [];
    const sent: AnyFuture[] = [];
    const fetches: ReturnType<typeof fetchWhole>[] = [];
    for (let round = 0; round < 6; round++) {
      for (const name of names) {
        const future = fetchWhole(client, name);
        fetches.push(future);
        const [at, metadataAt] = [sent.length, sent.length + 1];
        sent.push(future.addCallback(() => order.push(at)));
        sent.push(client.send(0, Metadata, { topics: [] }).addCallback(() => order.push(metadataAt)));
      }
    }
    await Promise.all(sent);
    assert.deepEqual(
      order,
      sent.map((_, i) => i),
    );
    for (const [i, future] of fetches.entries()) assertRecords(future.value!, [batches[i % 3]!]);
  });

  test('a damaged batch is the same error of its partition, with and without the pool', async (t) => {
    const topic = await topicWith(broker, noisyBatch(200 * KiB, 3, 'none'));
    const messages: string[] = [];
    for (const options of [pooled, unpooled]) {
      const client = await openConnected(t, broker, options);
      await broker.control(Fetch, { wire: { corrupt: { offset: -1000 } } }, { times: 1 });
      const { error } = fetchedRecords(await fetchWhole(client, topic));
      assert.ok(error instanceof CorruptRecordError);
      messages.push(error.message);
      assert.equal(client.connected(0), true);
    }
    assert.equal(messages[0], messages[1]);
  });

  test('results wait for an application that does not read, within the limits of memory', async (t) => {
    const client = await openConnected(t, broker, { ...pooled, spillBudgetBytes: 1 * MiB });
    const batch = noisyBatch(700 * KiB, 3, 'none');
    const topic = await topicWith(broker, batch);
    const before = (await broker.stats()).requests[Fetch.key] ?? 0;
    const futures = Array.from({ length: 12 }, () => fetchWhole(client, topic));
    client.pollSync(0);
    // This thread reads nothing until the broker has answered as much as it is let.
    await broker.waitForRequests(Fetch, before + 12);
    for (const future of futures) {
      assertRecords(await future, [batch]);
      const { parts } = await client.memory();
      for (const [name, { usedBytes, maxBytes }] of Object.entries(parts))
        assert.ok(usedBytes <= maxBytes, `${name}: ${usedBytes} of ${maxBytes}`);
    }
  });
});
