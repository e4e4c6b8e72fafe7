// Producer and consumer as streams of node:stream, against the embedded broker.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, afterEach, before, describe, it } from 'node:test';
import { type Consumer, type ConsumerBatch, KafkaClient, Produce, RecordTooLargeError } from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { waitFor } from '../helpers/wait-for.ts';

let broker: EmbeddedBroker;
let client: KafkaClient;
const consumers: Consumer[] = [];

before(async () => {
  broker = await startEmbeddedBroker({ topics: { lines: 1, small: 1, late: 1, gone: 1, t: 2, given: 1, ended: 1 } });
  client = await KafkaClient.start({ ...patient, bootstrapServers: broker.bootstrapServers });
});

afterEach(async () => {
  for (const consumer of consumers.splice(0)) await consumer.close({ timeoutMs: 2000 });
});

after(async () => {
  await client?.close();
  await broker?.close();
});

async function reading(topic: string, partitions = 1): Promise<Consumer> {
  const assign = Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 }));
  const consumer = await client.consumer({ assign, batchMaxBytes: 1 });
  consumers.push(consumer);
  return consumer;
}

async function values(topic: string, count: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const batch of await reading(topic)) {
    for (const { value } of batch) seen.push(String(value));
    if (seen.length >= count) break;
  }
  return seen;
}

describe('producer.writable', () => {
  it('writes every chunk in order, and finishes when all are in the log', async () => {
    await using producer = await client.producer();
    const lines = Array.from({ length: 500 }, (_, i) => `line ${i}`);
    await pipeline(Readable.from(lines), producer.writable('lines'));
    assert.equal(producer.counters.acknowledged, 500);
    assert.deepEqual(await values('lines', 500), lines);
  });

  it('slows down its source when the producer has no room', async () => {
    const bufferMemoryBytes = 256 * 1024;
    await using producer = await client.producer({ bufferMemoryBytes, batchSizeBytes: 16 * 1024 });
    await broker.control(Produce, { holdUntil: 'room' }, { times: 1 });
    let pulled = 0;
    function* source(): Generator<{ key: string; value: Buffer }> {
      for (; pulled < 200; pulled++) yield { key: `k${pulled}`, value: Buffer.alloc(10_000, 1) };
    }
    const stream = producer.writable('small', { highWaterMark: 4 });
    const done = pipeline(Readable.from(source(), { highWaterMark: 1 }), stream);
    await broker.waitForHeld('room');
    await waitFor('the first records', () => pulled > 5);
    // Nothing is acknowledged, whatever time passes.
    for (let i = 0; i < 100; i++) await new Promise(setImmediate);
    assert.ok(pulled < 100, `${pulled} of 200 records of 10 KB were taken while 256 KiB are the limit`);
    await broker.release('room');
    await done;
    assert.equal(producer.counters.acknowledged, 200);
  });

  it('is destroyed by the first record that fails, with its error', async () => {
    await using producer = await client.producer({ maxRequestSizeBytes: 2000 });
    const stream = producer.writable('late');
    const chunks = ['fine', Buffer.alloc(5000), 'never'];
    await assert.rejects(pipeline(Readable.from(chunks), stream), RecordTooLargeError);
    await assert.rejects(pipeline(Readable.from([{ value: 1 }]), producer.writable('late')), (error: Error) =>
      /value/.test(error.message),
    );
    assert.deepEqual(await values('late', 1), ['fine']);
  });

  it('accepts no records after it was destroyed', async () => {
    await using producer = await client.producer({ bufferMemoryBytes: 256 * 1024, batchSizeBytes: 16 * 1024 });
    await broker.delay(Produce, 300);
    const stream = producer.writable('gone', { highWaterMark: 200 });
    stream.on('error', () => {});
    stream.cork();
    for (let i = 0; i < 100; i++) stream.write(Buffer.alloc(10_000, 1));
    stream.uncork();
    await waitFor('the first records', () => producer.counters.appended > 5);
    stream.destroy(new Error('the application has had enough'));
    // Who waits for room is served in order: the stream would be served before each of these.
    for (let i = 0; i < 20; i++) {
      await producer.ready(10_000);
      await producer.flush();
    }
    assert.ok(producer.counters.appended < 50, `${producer.counters.appended} of 100 records were taken`);
  });
});

describe('consumer.readable', () => {
  it('gives batches when they are asked for, and a batch that is done does not come again', async () => {
    for (let i = 0; i < 20; i++) await broker.append('t', i % 2, [{ value: `${i}` }]);
    const consumer = await reading('t', 2);
    const seen: string[] = [];
    for await (const batch of consumer.readable() as AsyncIterable<ConsumerBatch>) {
      for (const { value } of batch) seen.push(String(value));
      assert.equal(batch.done(), 'ok');
      if (seen.length === 20) break;
    }
    assert.equal(new Set(seen).size, 20);
    assert.equal(await consumer.poll(0), null);
  });

  it('gives back batches that are not done when it is destroyed', async () => {
    for (let i = 0; i < 3; i++) await broker.append('given', 0, [{ value: `${i}` }]);
    const consumer = await reading('given');
    const [first] = await consumer.readable().take(1).toArray();
    assert.equal(String([...(first as ConsumerBatch)][0]!.value), '0');
    const again = await consumer.poll(120_000);
    assert.equal(String([...again!][0]!.value), '0');
  });

  it('ends when the consumer is closed, also as a web stream', async () => {
    const consumer = await reading('ended');
    const ended = consumer.readable().toArray();
    const reader = consumer.readableWeb().getReader();
    const read = reader.read();
    await consumer.close();
    assert.deepEqual(await ended, []);
    assert.equal((await read).done, true);
  });
});
