// Big compressed batches through the whole client with its real codec pool: the bytes, their order and the errors are the same as
// without a pool.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  Cancelled,
  CorruptRecordError,
  Fetch,
  type Future,
  type KafkaClient,
  KafkaConnectionError,
  KafkaProtocolError,
  Metadata,
  Produce,
  type RecordInput,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { assertRecords, KiB, noisyBatch } from '../unit/worker/support/big-messages.ts';
import { fetchWhole, topicWith } from './support/big-fetches.ts';
import { type AnyFuture, failureOf, openConnected } from './support/client.ts';
import { byName, fetchedRecords, produceRequest } from './support/requests.ts';

const MiB = 1024 * KiB;
const codecs = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
/** Everything above the smallest there may be goes to the pool. */
const pooled = { codecPoolThresholdBytes: 64 * KiB, codecPoolThreads: 2, maxInFlightRequestsPerConnection: 100 };
const unpooled = { ...pooled, codecPoolThreads: 0 };

describe('codec pool', () => {
  let broker: EmbeddedBroker;

  before(async () => {
    broker = await startEmbeddedBroker({ messageMaxBytes: 16 * MiB });
  });

  after(async () => {
    await broker.close();
  });

  async function produce(client: KafkaClient, topic: string, batch: ReturnType<typeof noisyBatch>): Promise<number> {
    const response = await client.send(0, Produce, produceRequest(topic, batch), byName);
    const { errorCode, baseOffset } = response.responses.at(0).partitionResponses.at(0);
    assert.equal(errorCode, 0);
    return baseOffset.toNumber();
  }

  for (const codec of codecs) {
    test(`stores and reads ${codec} as a client without a pool does`, async (t) => {
      const [with2, without] = [await openConnected(t, broker, pooled), await openConnected(t, broker, unpooled)];
      const [topic, other] = [await topicWith(broker), await topicWith(broker)];
      const batch = noisyBatch(300 * KiB, 7, codec);
      await produce(with2, topic, batch);
      await produce(without, other, batch);
      const stored = Buffer.from(await broker.contents(topic, 0));
      assert.ok(stored.length > pooled.codecPoolThresholdBytes);
      assert.ok(stored.equals(Buffer.from(await broker.contents(other, 0))));
      for (const client of [with2, without]) assertRecords(await fetchWhole(client, topic), [batch]);
    });
  }

  for (const codec of codecs) {
    test(`decodes big ${codec} batches of a consumer, in order, as the network thread does`, async (t) => {
      const topic = await topicWith(broker);
      const batches = Array.from({ length: 6 }, (_, i) => noisyBatch(200 * KiB, 20 + i, codec));
      const writer = await openConnected(t, broker, pooled);
      for (const batch of batches) await produce(writer, topic, batch);
      const inputs = batches.flatMap(({ records }) => [...(records as Iterable<RecordInput>)]);
      const expected = inputs.map(({ value }) => String(value));
      for (const options of [pooled, unpooled]) {
        const client = await openConnected(t, broker, options);
        const consumer = await client.consumer({ assign: [{ topic, partition: 0, offset: 'earliest' }] });
        const seen: string[] = [];
        while (seen.length < expected.length) {
          const batch = await consumer.poll(120_000);
          for (const { value } of batch!) seen.push(String(value));
          batch!.done();
        }
        assert.deepEqual(seen, expected);
        await consumer.close();
      }
    });
  }

  for (const codec of codecs) {
    test(`compresses big batches of a producer by ${codec}, in order`, async (t) => {
      const client = await openConnected(t, broker, pooled);
      const topic = await topicWith(broker);
      const producer = await client.producer({ compressionType: codec, batchSizeBytes: 256 * KiB });
      const lines = Array.from({ length: 20_000 }, (_, i) => `${i} ${'some words '.repeat(i % 7)}`);
      for (const line of lines) while (!producer.append(topic, null, line)) await producer.ready();
      await producer.flush();
      assert.equal(producer.counters.failed, 0);
      const { records } = (await fetchWhole(client, topic)).responses.at(0).partitions.at(0);
      const seen = [...records].map(({ value }) => Buffer.from(value!).toString());
      assert.deepEqual(seen, lines);
    });
  }

  test('keeps the order of responses of a node, big and small, whatever each of them costs', async (t) => {
    const client = await openConnected(t, broker, pooled);
    const seeds = [1, 2, 3];
    const sizes = [2 * MiB, 100 * KiB, 700 * KiB];
    const names = await Promise.all(seeds.map(() => topicWith(broker)));
    const batches = seeds.map((seed, i) => noisyBatch(sizes[i]!, seed, codecs[i]));
    for (const [i, name] of names.entries()) await broker.append(name, 0, batches[i]!);
    const order: number[] = [];
    const sent: AnyFuture[] = [];
    const note = <T>(future: Future<T>): void => {
      const number = sent.length;
      sent.push(future.addCallback(() => order.push(number)));
    };
    const fetches: Future<Awaited<ReturnType<typeof fetchWhole>>>[] = [];
    for (let round = 0; round < 6; round++) {
      for (const name of names) {
        const future = fetchWhole(client, name);
        fetches.push(future);
        note(future);
        if (round % 2 === 0) note(client.send(0, Metadata, { topics: [] }));
      }
    }
    await Promise.all(sent);
    assert.deepEqual(
      order,
      sent.map((_, i) => i),
    );
    for (const [i, future] of fetches.entries()) assertRecords(future.value!, [batches[i % 3]!]);
  });

  test('keeps the order of requests to a node, big and small', async (t) => {
    const client = await openConnected(t, broker, pooled);
    const topic = await topicWith(broker);
    const before = (await broker.arrivedRequests()).length;
    const sizes = [2 * MiB, 10, 200 * KiB, 10, 10, 100 * KiB, 10, 1 * MiB, 10];
    const batches = sizes.map((size, i) => noisyBatch(size, i + 1, codecs[i % 4]));
    const futures = batches.map((batch) => client.send(0, Produce, produceRequest(topic, batch), byName));
    const responses = await Promise.all(futures);
    let offset = 0;
    for (const [i, response] of responses.entries()) {
      const { errorCode, baseOffset } = response.responses.at(0).partitionResponses.at(0);
      assert.equal(errorCode, 0);
      assert.equal(baseOffset.toNumber(), offset, `batch ${i} of ${sizes[i]} bytes`);
      offset += [...(batches[i]!.records as Iterable<unknown>)].length;
    }
    const ids = (await broker.arrivedRequests())
      .slice(before)
      .filter(({ apiKey }) => apiKey === Produce.key)
      .map(({ correlationId }) => correlationId);
    assert.equal(ids.length, sizes.length);
    for (const [i, id] of ids.entries()) assert.equal(id, ids[0]! + i);
  });

  test('pollSync gets what the pool has decoded, because decoding does not need the application thread', async (t) => {
    const client = await openConnected(t, broker, pooled);
    const topic = await topicWith(broker);
    const batch = noisyBatch(500 * KiB, 3, 'zstd');
    await produce(client, topic, batch);
    const future = fetchWhole(client, topic);
    const deadline = performance.now() + 120_000;
    while (!future.isDone && performance.now() < deadline) client.pollSync(1000, future);
    assertRecords(future.value!, [batch]);
  });

  test('a damaged batch is an error of its partition, with and without the pool', async (t) => {
    const client = await openConnected(t, broker, pooled);
    const topic = await topicWith(broker);
    await broker.append(topic, 0, noisyBatch(200 * KiB, 3));
    const rule = await broker.control(Fetch, { wire: { corrupt: { offset: -1000 } } }, { times: 1 });
    const records = fetchedRecords(await fetchWhole(client, topic));
    assert.ok(records.error instanceof CorruptRecordError);
    assert.equal(await rule.uses(), 1);
    assert.equal(client.connected(0), true);
  });

  test('a body that cannot be read fails its request and ends the connection, and the client goes on', async (t) => {
    const client = await openConnected(t, broker, pooled);
    const topic = await topicWith(broker);
    const batch = noisyBatch(200 * KiB, 3);
    await broker.append(topic, 0, batch);
    // The count of tagged fields at the very end: one more than there are.
    await broker.control(Fetch, { wire: { corrupt: { offset: -1, mask: 1 } } }, { skip: 1, times: 1 });
    await broker.control(Metadata, { answer: 'never' }, { times: 1 });
    const futures = [
      fetchWhole(client, topic),
      fetchWhole(client, topic),
      client.send(0, Metadata, { topics: [] }),
    ] as const;
    const error = await failureOf(futures[1]);
    assert.ok(error instanceof KafkaProtocolError, String(error));
    assert.equal(error.apiKey, Fetch.key);
    assert.equal(error.nodeId, 0);
    assertRecords(await futures[0], [batch]);
    const other = await failureOf(futures[2]);
    assert.ok(other instanceof KafkaConnectionError);
    assert.ok(other.cause instanceof KafkaProtocolError);
    await client.awaitReady(0);
    assertRecords(await fetchWhole(client, topic), [batch]);
  });

  test('a request with acks 0 is complete when the pool has made it, and its records are stored in order', async (t) => {
    const client = await openConnected(t, broker, pooled);
    const topic = await topicWith(broker);
    const batches = [noisyBatch(1 * MiB, 1, 'gzip'), noisyBatch(10, 2, 'gzip'), noisyBatch(200 * KiB, 3, 'gzip')];
    const futures = batches.map((batch) => client.send(0, Produce, produceRequest(topic, batch, { acks: 0 }), byName));
    for (const future of futures) assert.equal(await future, null);
    await waitFor('all of them to be stored', async () => (await broker.log(topic, 0)).batches === 3);
    const records = fetchedRecords(await fetchWhole(client, topic));
    const keys = batches.flatMap(({ records: given }) =>
      [...(given as Iterable<{ key: string }>)].map(({ key }) => key),
    );
    assert.deepEqual(
      records.map(({ key }) => key!.toString()),
      keys,
    );
  });

  test('results wait for an application that does not read, and it gets all of them later', async (t) => {
    const client = await openConnected(t, broker, { ...pooled, spillBudgetBytes: 1 * MiB });
    const topic = await topicWith(broker);
    const batch = noisyBatch(700 * KiB, 3, 'lz4');
    await broker.append(topic, 0, batch);
    const before = (await broker.stats()).requests[Fetch.key] ?? 0;
    const futures = Array.from({ length: 12 }, () => fetchWhole(client, topic));
    client.pollSync(0);
    // This thread reads nothing until the broker has answered as much as it is let.
    await broker.waitForRequests(Fetch, before + 12);
    for (const future of futures) assertRecords(await future, [batch]);
  });

  test('close settles requests that the pool works on, and ends the thread', async (t) => {
    const client = await openConnected(t, broker, pooled);
    const topic = await topicWith(broker);
    await broker.append(topic, 0, noisyBatch(4 * MiB, 3, 'gzip'));
    await fetchWhole(client, topic);
    const futures: AnyFuture[] = [];
    for (let i = 0; i < 4; i++) {
      futures.push(fetchWhole(client, topic));
      futures.push(client.send(0, Produce, produceRequest(topic, noisyBatch(1 * MiB, i + 5, 'gzip')), byName));
    }
    client.pollSync(0);
    await client.close();
    for (const future of futures) {
      assert.equal(future.isDone, true);
      if (future.exception !== null) assert.ok(future.exception instanceof Cancelled, String(future.exception));
    }
  });

  test('close waits for requests that the pool works on, if closeTimeoutMs allows it', async (t) => {
    const client = await openConnected(t, broker, { ...pooled, closeTimeoutMs: 30_000 });
    const topic = await topicWith(broker);
    const batch = noisyBatch(1 * MiB, 3, 'gzip');
    const produced = client.send(0, Produce, produceRequest(topic, batch), byName);
    await client.close();
    assert.equal(produced.succeeded, true);
    const reader = await openConnected(t, broker, pooled);
    const future = fetchWhole(reader, topic);
    await broker.waitForRequests(Fetch, 1);
    await reader.poll(0);
    await reader.close();
    if (future.succeeded) assertRecords(future.value!, [batch]);
    else assert.ok(future.exception instanceof Cancelled);
  });
});
