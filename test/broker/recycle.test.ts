// Memory of responses that an application gives back: what it may still read, and what comes after.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';
import { Fetch, type FetchResponseView, type KafkaClient, Metadata, Produce } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { closedByHand, openConnected } from './support/client.ts';
import { byName, fetchedRecords, fetchRequest, produceRequest } from './support/requests.ts';

const topic = 'recycled';
const valueBytes = 300_000;
const records = 8;

let broker: EmbeddedBroker;
let client: KafkaClient;

before(async () => {
  broker = await startEmbeddedBroker();
  await broker.createTopic(topic, { partitions: 1 });
  client = await openConnected(closedByHand, broker);
  for (let i = 0; i < records; i++) {
    await client.send(0, Produce, produceRequest(topic, [{ value: Buffer.alloc(valueBytes, i) }]), byName);
  }
});

after(async () => {
  await client.close();
  await broker.close();
});

function fetchFrom(offset: number): PromiseLike<FetchResponseView> {
  return client.send(0, Fetch, fetchRequest(topic, { maxWaitMs: 0, offset, maxBytes: valueBytes }), byName);
}

test('responses in memory that was given back are right, many times', async () => {
  for (let round = 0; round < 50; round++) {
    const offset = round % records;
    const response = await fetchFrom(offset);
    const { value } = fetchedRecords(response).at(0);
    assert.equal(value!.length, valueBytes);
    assert.ok(value!.every((byte) => byte === offset));
    client.recycle(response);
    assert.equal(value!.length, 0, 'its memory is gone');
  }
});

test('reading a recycled response throws, and recycling it again does nothing', async () => {
  const response = await fetchFrom(0);
  const read = fetchedRecords(response);
  const record = read.at(0);
  const cursor = read.cursor();
  assert.ok(cursor.next());
  client.recycle(response);
  client.recycle(response);
  const fault = { name: 'IllegalStateError', message: /recycled/ };
  assert.throws(() => cursor.valueLength, fault);
  assert.throws(() => cursor.value, fault);
  assert.throws(() => cursor.bytes[0], fault);
  assert.throws(() => response.throttleTimeMs, fault);
  assert.throws(() => record.offset, fault);
  assert.throws(() => record.value, fault);
  assert.throws(() => read.at(0).key, fault);
  assert.match(inspect(response), /^FetchResponseView \(this response was recycled/);
});

test('responses that are kept stay unchanged when others are recycled', async () => {
  const kept = await fetchFrom(3);
  for (let i = 0; i < 20; i++) client.recycle(await fetchFrom(i % records));
  assert.ok(
    fetchedRecords(kept)
      .at(0)
      .value!.every((byte) => byte === 3),
  );
});

test('small responses share memory and stay readable', async () => {
  const response = await client.send(0, Metadata, { topics: [] });
  client.recycle(response);
  assert.equal(response.brokers.length, 1);
});

test('metadata that the client itself needs is not recycled, even if poll returns it', async () => {
  const topics = Array.from({ length: 400 }, (_, i) => `${'t'.repeat(200)}-${i}`);
  for (const name of topics) await broker.createTopic(name, { partitions: 1 });
  const refreshed = client.setTopics(topics);
  const seen: unknown[] = [];
  while (!refreshed.isDone) seen.push(...(await client.poll(1000)));
  assert.ok(seen.length > 0);
  for (const response of seen) client.recycle(response as FetchResponseView);
  assert.equal(client.cluster.topics().size, topics.length);
  assert.equal(client.cluster.leaderForPartition({ topic: topics[399]!, partition: 0 }), 0);
});

test('a value that is not a response is refused', () => {
  assert.throws(() => client.recycle({} as FetchResponseView), TypeError);
});
