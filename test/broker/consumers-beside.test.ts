// Consumers beside each other on one client: none waits behind what the broker keeps for another, and none is disturbed by another's end.

import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { type Consumer, type ConsumerOptions, Fetch, type KafkaClient } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { openClient } from './support/client.ts';

/** The broker would keep a fetch for longer than any test may last. */
const endless = { fetchMaxWaitMs: 900_000, autoOffsetReset: 'earliest' } as const;
let broker: EmbeddedBroker;
let client: KafkaClient;
let closings: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closings.splice(0)) await close();
  await broker.close();
});

async function begin(): Promise<void> {
  broker = await startEmbeddedBroker({
    topics: { quiet: 1, busy: 1, shared: 4 },
    groups: { consumerHeartbeatIntervalMs: 100 },
  });
  const ending = {
    after: (close: () => Promise<void>) => {
      closings = [close];
    },
  };
  client = await openClient(ending as never, { bootstrapServers: broker.bootstrapServers, metrics: true });
}

const reading = (topic: string): Promise<Consumer> =>
  client.consumer({ ...endless, assign: [{ topic, partition: 0 }] });
const fetches = async (): Promise<number> => (await broker.stats()).requests[Fetch.key] ?? 0;
const ownConnections = (): string[] => [...client.metricsSnapshot()!.nodes.keys()].filter((name) => name.includes('@'));

/** Two consumers whose fetches the broker keeps. */
async function waiting(): Promise<[Consumer, Consumer]> {
  const pair: [Consumer, Consumer] = [await reading('quiet'), await reading('busy')];
  await waitFor('two fetches that wait', async () => (await fetches()) === 2);
  return pair;
}

for (const groupProtocol of ['classic', 'consumer'] as const) {
  describe(`members of one group, protocol ${groupProtocol}`, () => {
    test('join and leave beside each other', async () => {
      await begin();
      const options: ConsumerOptions = { groupId: 'g', topics: ['shared'], groupProtocol };
      const members = await Promise.all([client.consumer(options), client.consumer(options), client.consumer(options)]);
      // Each join is answered when all have joined. One that is behind another on a connection would come too late.
      const counts = (): number[] => members.map(({ assignment }) => assignment.length).sort();
      await waitFor('all partitions', () => counts().join() === '1,1,2');
      await members.pop()!.close();
      await waitFor('the partitions of the third', () => counts().join() === '2,2');
    });
  });
}

test('a consumer gets its records while the fetch of another waits', async () => {
  await begin();
  const [, busy] = await waiting();
  for (let i = 0; i < 3; i++) {
    await broker.append('busy', 0, [{ value: String(i) }]);
    const batch = (await busy.poll(120_000))!;
    assert.deepEqual(
      [...batch].map(({ value }) => String(value)),
      [String(i)],
    );
    batch.done();
  }
});

for (const which of [0, 1]) {
  test(`the end of the ${which === 0 ? 'first' : 'second'} consumer does not disturb the fetch of the other`, async () => {
    await begin();
    const pair = await waiting();
    const before = await fetches();
    await pair[which]!.close();
    const left = pair[1 - which]!;
    await broker.append(which === 0 ? 'busy' : 'quiet', 0, [{ value: 'later' }]);
    const batch = (await left.poll(120_000))!;
    assert.equal(batch.count, 1);
    // Its fetch of before has brought the record, and one more follows it.
    assert.ok((await fetches()) <= before + 1, 'no fetch was lost');
  });
}

test('the connections of a consumer beside another end with it, and the next one can have those of the client', async () => {
  await begin();
  const [first, second] = await waiting();
  await waitFor('connections of its own', () => ownConnections().length > 0);
  assert.ok(
    ownConnections().every((name) => /^0-fetch(-2)?@\d+$/.test(name)),
    ownConnections().join(),
  );
  await second.close();
  await waitFor('their end', () => ownConnections().length === 0);
  await first.close();
  const third = await reading('quiet');
  await waitFor('its fetch', async () => (await fetches()) >= 3);
  assert.deepEqual(ownConnections(), []);
  await third.close();
});

test('a consumer that ends leaves requests of the application in its lane alone', async () => {
  await begin();
  const consumer = await reading('quiet');
  await waitFor('its fetch', async () => (await fetches()) === 1);
  await client.awaitReady(0, { lane: 'fetch' });
  const topics = [{ topic: 'busy', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }] }];
  const request = { maxWaitMs: 900_000, minBytes: 1, topics };
  const sent = client.send(0, Fetch, request, { lane: 'fetch', version: 12 });
  await client.poll(0);
  await consumer.close();
  await broker.append('quiet', 0, [{ value: 'x' }]);
  await broker.append('busy', 0, [{ value: 'y' }]);
  assert.equal((await sent).responses.at(0).partitions.at(0).errorCode, 0);
});
