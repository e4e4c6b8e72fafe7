// A producer with the embedded broker: what it refuses, what fails, and how it is closed.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import {
  BufferExhaustedError,
  Cancelled,
  KafkaClient,
  KafkaClientError,
  KafkaConfigurationError,
  Produce,
  ProducerClosedError,
  RecordTooLargeError,
} from '../../src/index.ts';
import { patient } from '../helpers/patience.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { ProducerBench } from './support/producer-bench.ts';

let bench: ProducerBench;

before(async () => {
  bench = await ProducerBench.start();
});

afterEach(() => bench.closeProducers());

after(() => bench?.close());

test('wrong arguments throw, and the error names the field', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf();
  const bad = (record: object, pattern: RegExp): void =>
    assert.throws(() => producer.send(topic, record as { value: string }), pattern);
  bad({ value: 5 }, /value must be a string, a Uint8Array or null, not 5/);
  bad({ value: 'v', key: {} }, /key must be a string, a Uint8Array or null, not an object/);
  bad({ value: '\ud800' }, /value is a text with half of a surrogate pair/);
  bad({ value: 'v', timestamp: -1 }, /timestamp must be a whole number of ms since the epoch, 0 or more, not -1/);
  bad({ value: 'v', partition: 1.5 }, /partition must be an integer from 0 to 2147483647, not 1.5/);
  bad({ value: 'v', headers: [[1, 'x']] }, /headers\[0\]: the name must be a string, not 1/);
  bad({ value: 'v', headers: { h: 1 } }, /header 'h' must be a string, a Uint8Array or null, not 1/);
  assert.throws(() => producer.send('no spaces', { value: 'v' }), /topic name 'no spaces' is invalid/);
  assert.throws(() => producer.append(5 as never, null, 'v'), /topic must be a string, not 5/);
  assert.throws(
    () => producer.append(topic, null, undefined as never),
    /value must be a string, a Uint8Array or null, not undefined/,
  );
  assert.throws(() => producer.append(topic, null, 'x'.repeat(2_000_000)), RecordTooLargeError);
  await assert.rejects(async () => producer.send(topic, { value: 'x'.repeat(2_000_000) }), RecordTooLargeError);
  await assert.rejects(bench.client.producer({ 'batch.size': 1 } as never), (error: KafkaConfigurationError) => {
    assert.ok(error instanceof KafkaConfigurationError);
    assert.match(error.message, /did you mean 'batchSizeBytes'/);
    return true;
  });
  assert.deepEqual(await producer.flush(), { records: 0, failed: 0, failures: [] });
});

test('a send without room fails at once with a clear error, and the records before it are delivered', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf({ bufferMemoryBytes: 64 * 1024 });
  const sent = Array.from({ length: 300 }, () => producer.send(topic, { value: 'x'.repeat(1000) }));
  const results = await Promise.allSettled(sent.map(async (each) => each));
  const errors = results
    .filter(({ status }) => status === 'rejected')
    .map((each) => (each as PromiseRejectedResult).reason);
  assert.ok(errors.length > 0);
  for (const error of errors) {
    assert.ok(error instanceof BufferExhaustedError);
    assert.equal(error.maybeWritten, false);
  }
  assert.equal((await bench.valuesOf(topic)).length, 300 - errors.length);
});

test('a wait for room fails after maxBlockMs with the limit and its option, and room tells what is free', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf({ bufferMemoryBytes: 64 * 1024, maxBlockMs: 200 });
  await producer.send(topic, { value: 'first' });
  const { room } = producer;
  assert.ok(room > 1000 && room <= 64 * 1024, `${room} bytes`);
  const gate = 'room';
  await bench.broker.control(Produce, { holdUntil: gate });
  const value = Buffer.alloc(1500, 1);
  let appended = 1;
  // The network thread takes records for as long as it has memory for batches.
  for (let isFull = false; !isFull; ) {
    while (producer.append(topic, null, value)) appended++;
    isFull = await producer.ready(value.length).then(
      () => false,
      (error: unknown) => {
        assert.ok(error instanceof BufferExhaustedError, String(error));
        assert.match(error.message, /no room for 1500 bytes within 200 ms \(maxBlockMs\); bufferMemoryBytes is 65536/);
        return true;
      },
    );
  }
  assert.ok(producer.room < room / 2, `${producer.room} of ${room} bytes`);
  assert.equal(producer.waitSync(value.length, 20), false);
  await bench.broker.clearRules();
  await bench.broker.release(gate);
  const report = await producer.flush();
  assert.deepEqual([report.records, report.failed], [appended, 0]);
  assert.equal(producer.room, room);
});

test('a wait for room ends when there is room, also while the broker takes nothing', async () => {
  const topic = await bench.newTopic();
  const gate = 'some room';
  await bench.broker.control(Produce, { holdUntil: gate });
  // How much of the ring is free when the memory is full depends on the sizes and on which thread is faster.
  for (const bytes of [100, 200, 450, 700]) {
    const producer = await bench.producerOf({ bufferMemoryBytes: 64 * 1024, maxBlockMs: 600_000 });
    const value = Buffer.alloc(bytes, 1);
    for (let hadRoom = true; hadRoom; ) {
      while (producer.append(topic, null, value));
      let isWaiting = true;
      const onEnd = (): void => {
        isWaiting = false;
      };
      void producer.ready(bytes).then(onEnd, onEnd);
      // With the answer, the network thread has taken the records for which it has memory.
      await bench.client.refreshMetadata();
      hadRoom = !isWaiting || producer.room > 2 * (bytes + 100);
      if (hadRoom) await waitFor('the wait for room to end', () => !isWaiting);
    }
  }
  await bench.broker.clearRules();
  await bench.broker.release(gate);
});

test('a record larger than bufferMemoryBytes fails alone, and the error names the option', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf({ bufferMemoryBytes: 64 * 1024 });
  const large = producer.send(topic, { value: Buffer.alloc(100_000) });
  const small = producer.send(topic, { value: 'small' });
  await assert.rejects(
    async () => large,
    (error: Error) => error instanceof RecordTooLargeError && /bufferMemoryBytes/.test(error.message),
  );
  assert.equal((await small).offset.toNumber(), 0);
});

for (const [name, turns] of [
  ['at once', 0],
  ['in the next turn of the event loop', 1],
  ['some turns later', 5],
] as const) {
  test(`a client that is closed ${name} while a producer or consumer is being opened leaves neither open`, async () => {
    const topic = await bench.newTopic();
    const { bootstrapServers } = bench.broker;
    const client = await KafkaClient.start({ ...patient, bootstrapServers });
    // Each ends in order or fails as closed: an opening may have come before the close.
    const produced = client
      .producer()
      .then((producer) =>
        Promise.allSettled(Array.from({ length: 20 }, () => producer.send(topic, { value: 'v' }).then())),
      );
    const consumed = client.consumer({ groupId: topic, topics: [topic] }).then((consumer) => consumer.poll(60_000));
    const ends = Promise.allSettled([produced, consumed]);
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
    await client.close();
    const [sent, read] = await ends;
    if (sent.status === 'rejected') assert.ok(sent.reason instanceof Cancelled, String(sent.reason));
    else assert.equal(sent.value.length, 20, 'every record has an outcome');
    if (read.status === 'rejected') assert.ok(read.reason instanceof KafkaClientError, String(read.reason));
  });
}

test('calls at once that need the number of partitions of a new topic all wait for it', async () => {
  const [asked, written] = [await bench.newTopic(3), await bench.newTopic(3)];
  const producer = await bench.producerOf({ partitioner: (_topic, _key, _value, count) => count - 1 });
  assert.deepEqual(await Promise.all([producer.partitionsFor(asked), producer.partitionsFor(asked)]), [3, 3]);
  const reports = await Promise.all(['a', 'b', 'c'].map((value) => producer.sendAll(written, [{ value }])));
  assert.deepEqual(
    reports.map(({ records, failed }) => [records, failed]),
    [
      [1, 0],
      [1, 0],
      [1, 0],
    ],
  );
  assert.equal((await bench.valuesOf(written, 2)).length, 3);
});

test('an unknown topic fails after maxBlockMs with topic and cause; events and reports tell the failures', async () => {
  const producer = await bench.producerOf({ maxBlockMs: 200 });
  const failures: string[] = [];
  producer.on('failure', ({ topic, records, error }) => failures.push(`${topic} ${records} ${error.name}`));
  const future = producer.send('does-not-exist', { value: 'v' }, { partition: 99 });
  await assert.rejects(async () => future, /not present in metadata after 200 ms \(maxBlockMs\)/);
  assert.ok(producer.append('does-not-exist', null, 'v', 99));
  const report = await producer.flush();
  assert.deepEqual([report.failed, report.failures.length, report.failures[0]!.topic], [2, 2, 'does-not-exist']);
  assert.equal(failures.length, 2);
});

test('a closed producer takes no more records, and a second close returns the same result', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf();
  assert.ok(producer.append(topic, null, 'a'));
  const closing = producer.close();
  assert.equal(producer.close(), closing);
  assert.throws(() => producer.append(topic, null, 'b'), ProducerClosedError);
  await assert.rejects(async () => producer.send(topic, { value: 'b' }), ProducerClosedError);
  assert.equal((await closing).records, 1);
  assert.deepEqual(await bench.valuesOf(topic), ['a']);
});

test('closing the client closes its producers first', async () => {
  const topic = await bench.newTopic();
  const own = await KafkaClient.start({ ...patient, bootstrapServers: bench.broker.bootstrapServers });
  const producer = await own.producer({ lingerMs: 60_000, deliveryTimeoutMs: 120_000 });
  const future = producer.send(topic, { value: 'a' }, { lingerMs: 60_000 });
  await own.close();
  assert.equal((await future).offset.toNumber(), 0);
});

test('no record is lost or out of order when a leader moves and when a broker loses connections', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf({ batchSizeBytes: 500, retryBackoffMs: 10 });
  const count = 5000;
  const { acknowledged } = producer.counters;
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < count / 10; i++) {
      while (!producer.append(topic, null, `${round * (count / 10) + i}`)) await producer.ready();
    }
    await waitFor('a record to be acknowledged', () => producer.counters.acknowledged > acknowledged);
    if (round % 2 === 0) await bench.broker.moveLeader(topic, 0, round % 4 === 0 ? 1 : 0);
    else await bench.broker.closeConnections('reset');
  }
  const report = await producer.flush();
  assert.deepEqual([report.records, report.failed], [count, 0]);
  assert.deepEqual(
    await bench.valuesOf(topic),
    Array.from({ length: count }, (_, i) => `${i}`),
  );
});

test('a flush whose time passes while the thread is blocked tells what was delivered meanwhile', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf();
  await producer.send(topic, { value: 'first' });
  for (let i = 0; i < 10; i++) assert.ok(producer.append(topic, null, `${i}`));
  const limitMs = 200;
  const flushed = producer.flush({ timeoutMs: limitMs });
  // What was asked for in this turn is told to the network thread.
  for (let i = 0; i < 5; i++) await Promise.resolve();
  const word = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 0; i < 3000 && producer.counters.acknowledged < 11; i++) Atomics.wait(word, 0, 0, 10);
  assert.equal(producer.counters.acknowledged, 11);
  Atomics.wait(word, 0, 0, 5 * limitMs);
  assert.equal((await flushed).failed, 0);
});
