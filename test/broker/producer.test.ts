// A producer with the embedded broker: records go from this thread through shared memory into the log, and their outcomes come back.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import {
  BufferExhaustedError,
  KafkaClient,
  KafkaConfigurationError,
  Produce,
  type Producer,
  ProducerClosedError,
  type ProducerOptions,
  RecordTooLargeError,
  SerializationError,
} from '../../src/index.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { patient } from '../helpers/patience.ts';
import { type LogRecord, readLog, readValues } from '../helpers/read-log.ts';
import { waitFor } from '../helpers/wait-for.ts';

let broker: EmbeddedBroker;
let client: KafkaClient;
let topics = 0;
const open: Producer<never, never>[] = [];

before(async () => {
  broker = await startEmbeddedBroker({ nodes: 2 });
  client = await KafkaClient.start({ ...patient, bootstrapServers: broker.bootstrapServers });
});

afterEach(async () => {
  for (const producer of open.splice(0)) await producer.close({ timeoutMs: 1000 });
});

after(async () => {
  await client?.close();
  await broker?.close();
});

async function producerOf<K, V>(options: ProducerOptions<K, V> = {}): Promise<Producer<K, V>> {
  const producer = await client.producer<K, V>(options);
  open.push(producer as unknown as Producer<never, never>);
  return producer;
}

async function newTopic(partitions = 1): Promise<string> {
  topics++;
  const name = `topic-${topics}`;
  await broker.createTopic(name, { partitions });
  return name;
}

const read = (topic: string, partition?: number): Promise<LogRecord[]> => readLog(client, topic, partition);

const valuesOf = (topic: string, partition?: number): Promise<(string | null)[]> =>
  readValues(client, topic, partition);

test('a record that is sent is in the log as it was given, and its Future says where', async () => {
  const topic = await newTopic();
  const producer = await producerOf();
  const before = Date.now();
  const first = await producer.send(topic, {
    key: 'k',
    value: 'v\u00e9',
    headers: [
      ['a', '1'],
      ['b', null],
      ['a', Buffer.of(50)],
    ],
  });
  const second = await producer.send(topic, { key: null, value: null, timestamp: 1234 });
  assert.deepEqual([first.topic, first.partition, first.offset.toNumber()], [topic, 0, 0]);
  assert.ok(first.timestampMs >= before && first.timestampMs <= Date.now());
  assert.deepEqual([second.offset.toNumber(), second.timestampMs], [1, 1234]);
  const records = await read(topic);
  assert.deepEqual(records[0], {
    key: 'k',
    value: 'v\u00e9',
    headers: [
      ['a', '1'],
      ['b', null],
      ['a', '2'],
    ],
    timestamp: first.timestampMs,
    offset: 0,
  });
  assert.deepEqual(records[1], { key: null, value: null, headers: [], timestamp: 1234, offset: 1 });
  assert.deepEqual(await producer.close(), { records: 2, failed: 0, failures: [] });
});

test('records of one turn go in one batch, in order, each with its own offset', async () => {
  const topic = await newTopic();
  const producer = await producerOf();
  const sent = await Promise.all(Array.from({ length: 50 }, (_, i) => producer.send(topic, { value: `${i}` })));
  assert.deepEqual(
    sent.map(({ offset }) => offset.toNumber()),
    Array.from({ length: 50 }, (_, i) => i),
  );
  assert.deepEqual(
    await valuesOf(topic),
    Array.from({ length: 50 }, (_, i) => `${i}`),
  );
});

test('append writes bytes and text of every length, in order; flush ends when all is acknowledged', async () => {
  const topic = await newTopic();
  const producer = await producerOf({ batchSizeBytes: 2000 });
  const values = [0, 1, 24, 25, 63, 64, 127, 128, 1000, 8191, 8192, 20_000, 70_000, 200_000].flatMap((length) => [
    'x'.repeat(length),
    '\u00e9'.repeat(length / 2),
    '\u65e5'.repeat(length / 3),
  ]);
  for (const value of values) assert.ok(producer.append(topic, Buffer.from('key'), value));
  const report = await producer.flush();
  assert.deepEqual(report, { records: values.length, failed: 0, failures: [] });
  assert.deepEqual(await valuesOf(topic), values);
  assert.deepEqual(producer.counters, {
    appended: values.length,
    acknowledged: values.length,
    failed: 0,
    retried: 0,
    usedBytes: 0,
  });
});

test('a hundred thousand records through little memory: append says when there is no room, ready when there is', async () => {
  const topic = await newTopic(3);
  const producer = await producerOf({ bufferMemoryBytes: 256 * 1024 });
  let refusals = 0;
  for (let i = 0; i < 100_000; i++) {
    while (!producer.append(topic, `${i % 100}`, `value ${i}`)) {
      refusals++;
      await producer.ready();
    }
  }
  await producer.flush();
  assert.ok(refusals > 0);
  assert.equal(producer.counters.acknowledged, 100_000);
  let total = 0;
  for (const partition of [0, 1, 2]) {
    const numbers = (await valuesOf(topic, partition)).map((value) => Number(value!.slice(6)));
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      'in order',
    );
    total += new Set(numbers).size;
  }
  assert.equal(total, 100_000);
});

test('a loop that never yields fills the memory, waits in waitSync, and ends in flushSync', async () => {
  const topic = await newTopic();
  const producer = await producerOf({ bufferMemoryBytes: 128 * 1024 });
  await client.addTopic(topic);
  for (let i = 0; i < 20_000; i++) {
    while (!producer.append(topic, null, `${i}`)) assert.ok(producer.waitSync(100, 120_000));
  }
  const report = producer.flushSync(120_000);
  assert.deepEqual([report.records, report.failed], [20_000, 0]);
  assert.deepEqual(
    await valuesOf(topic),
    Array.from({ length: 20_000 }, (_, i) => `${i}`),
  );
});

test('pollSync runs callbacks without the event loop', async () => {
  const topic = await newTopic();
  const producer = await producerOf();
  let offset = -1;
  producer.send(topic, { value: 'a' }).addCallback((metadata) => {
    offset = metadata.offset.toNumber();
  });
  const deadline = performance.now() + 120_000;
  while (offset < 0 && performance.now() < deadline) producer.pollSync(1000);
  assert.equal(offset, 0);
});

test('flushSync in a callback is refused: it would wait for itself', async () => {
  const topic = await newTopic();
  const producer = await producerOf();
  let thrown: unknown;
  const future = producer.send(topic, { value: 'a' }).addCallback(() => {
    try {
      producer.flushSync();
    } catch (error) {
      thrown = error;
    }
  });
  await future;
  assert.match(String(thrown), /flushSync inside a delivery's callback/);
});

test('sendAll takes a list, an async iterator or a callback, and answers with one report', async () => {
  const topic = await newTopic();
  const producer = await producerOf({ bufferMemoryBytes: 64 * 1024 });
  const records = Array.from({ length: 3000 }, (_, i) => ({ value: `list ${i}` }));
  assert.deepEqual(await producer.sendAll(topic, records), { records: 3000, failed: 0, failures: [] });
  async function* generate(): AsyncGenerator<{ value: string }> {
    for (let i = 0; i < 10; i++) yield { value: `generated ${i}` };
  }
  assert.equal((await producer.sendAll(topic, generate())).records, 10);
  const report = await producer.sendAll(topic, (appender) => {
    assert.ok(appender.append(null, 'a'));
    assert.ok(appender.append('k', 'b', 0));
  });
  assert.deepEqual(report, { records: 2, failed: 0, failures: [] });
  assert.deepEqual(await producer.sendAll(topic, []), { records: 0, failed: 0, failures: [] });
  const values = await valuesOf(topic);
  assert.deepEqual(
    values.slice(0, 3000),
    records.map(({ value }) => value),
  );
  assert.deepEqual(values.slice(-2), ['a', 'b']);
});

test('a source of records that throws fails the Future, and what was taken is delivered', async () => {
  const topic = await newTopic();
  const producer = await producerOf();
  function* broken(): Generator<{ value: string }> {
    yield { value: 'a' };
    throw new Error('the source is broken');
  }
  await assert.rejects(async () => producer.sendAll(topic, broken()), /the source is broken/);
  await producer.flush();
  assert.deepEqual(await valuesOf(topic), ['a']);
});

test('a record of sendAll that is too large, or that has no bytes, fails alone: the others are sent, and the report names it', async () => {
  const topic = await newTopic();
  const producer = await producerOf({ maxRequestSizeBytes: 2000 });
  const list = [{ value: 'a' }, { value: Buffer.alloc(5000) }, { value: 'b' }];
  const report = await producer.sendAll(topic, list);
  assert.equal(report.records, 3);
  assert.equal(report.failed, 1);
  assert.ok(report.failures[0]!.error instanceof RecordTooLargeError);
  const picky = await producerOf({
    serializeValue: (value: unknown) => {
      if (value === 'bad') throw new Error('no bytes for this');
      return String(value);
    },
  });
  const second = await picky.sendAll(topic, [{ value: 'c' }, { value: 'bad' }, { value: 'd' }] as never);
  assert.deepEqual([second.records, second.failed], [3, 1]);
  assert.ok(second.failures[0]!.error instanceof SerializationError);
  assert.deepEqual(await valuesOf(topic), ['a', 'b', 'c', 'd']);
});

test('records of sendAll come behind those of send whose serializers are not done', async () => {
  const topic = await newTopic();
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const producer = await producerOf({
    serializeValue: (value: unknown) => (value === 'first' ? released.then(() => 'first') : String(value)),
  });
  const first = producer.send(topic, { value: 'first' } as never);
  const rest = producer.sendAll(topic, [{ value: 'second' }, { value: 'third' }] as never);
  release();
  await Promise.all([first, rest]);
  assert.deepEqual(await valuesOf(topic), ['first', 'second', 'third']);
});

for (const compressionType of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
  test(`records compressed by ${compressionType} arrive`, async () => {
    const topic = await newTopic();
    const producer = await producerOf({ compressionType, batchSizeBytes: 4000 });
    const values = Array.from({ length: 2000 }, (_, i) => `the same words again and again, but for ${i}`);
    for (const value of values) while (!producer.append(topic, null, value)) await producer.ready();
    await producer.flush();
    assert.deepEqual(await valuesOf(topic), values);
  });
}

test('callers that wait for room are told of it one after the other, so that each finds its own', async () => {
  const topic = await newTopic();
  const producer = await producerOf({ bufferMemoryBytes: 64 * 1024 });
  const value = Buffer.alloc(1500, 1);
  await broker.delay(Produce, 300);
  while (producer.append(topic, null, value));
  const found: boolean[] = [];
  const give = async (): Promise<void> => {
    await producer.ready(value.length);
    found.push(producer.append(topic, null, value));
  };
  await Promise.all(Array.from({ length: 20 }, give));
  await broker.clearRules();
  assert.deepEqual(found, Array(20).fill(true));
});

test('a throttle time mutes the connection for that long, and is no error', async () => {
  const throttleMs = 1500;
  const topic = await newTopic();
  const producer = await producerOf();
  await producer.send(topic, { value: 'before' });
  await broker.control(Produce, { throttleTimeMs: throttleMs }, { times: 1 });
  const startedAt = performance.now();
  await producer.send(topic, { value: 'throttled' });
  await producer.send(topic, { value: 'after' });
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs >= throttleMs, `the next record was written after ${tookMs} ms`);
  assert.equal(producer.counters.retried, 0);
  assert.deepEqual(await valuesOf(topic), ['before', 'throttled', 'after']);
});

test('keys decide the partition as Java does; a function decides it as it likes', async () => {
  const topic = await newTopic(10);
  const producer = await producerOf();
  assert.equal((await producer.send(topic, { key: 'foobar', value: null })).partition, 6);
  assert.equal((await producer.send(topic, { key: 'foobar', value: null }, { partition: 3 })).partition, 3);
  const seen: unknown[] = [];
  const custom = await producerOf({
    partitioner: (...args) => {
      seen.push(args);
      return 7;
    },
  });
  assert.equal((await custom.send(topic, { key: 'k', value: 'v' })).partition, 7);
  assert.deepEqual(seen, [[topic, 'k', 'v', 10]]);
  assert.ok(custom.append(topic, null, 'w'));
  assert.throws(() => custom.append('never-seen', null, 'w'), /await partitionsFor\('never-seen'\) first/);
});

test('serializers and hooks run, in order also when they take their time; one that fails fails its record alone', async () => {
  const topic = await newTopic();
  const delivered: unknown[] = [];
  const producer = await producerOf<number, { n: number }>({
    serializeKey: (key) => `k${key}`,
    serializeValue: async (value) => {
      if (value.n === 2) throw new Error('two is too much');
      if (value.n === 1) await new Promise((resolve) => setImmediate(resolve));
      return JSON.stringify(value);
    },
    hooks: {
      beforeAppend: (_topic, record) => ({ ...record, headers: { seen: 'yes' } }),
      afterDelivery: (_topic, record, result) => delivered.push([record.value?.n, result instanceof Error]),
    },
  });
  const sent = [1, 2, 3].map((n) => producer.send(topic, { key: n, value: { n } }));
  await assert.rejects(async () => sent[1], SerializationError);
  await producer.flush();
  const records = await read(topic);
  assert.deepEqual(
    records.map(({ key, value }) => [key, value]),
    [
      ['k1', '{"n":1}'],
      ['k3', '{"n":3}'],
    ],
  );
  assert.deepEqual(records[0]!.headers, [['seen', 'yes']]);
  assert.deepEqual(delivered.toSorted(), [
    [1, false],
    [2, true],
    [3, false],
  ]);
});

test('wrong arguments throw, naming the field', async () => {
  const topic = await newTopic();
  const producer = await producerOf();
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
  await assert.rejects(client.producer({ 'batch.size': 1 } as never), (error: KafkaConfigurationError) => {
    assert.ok(error instanceof KafkaConfigurationError);
    assert.match(error.message, /did you mean 'batchSizeBytes'/);
    return true;
  });
  assert.deepEqual(await producer.flush(), { records: 0, failed: 0, failures: [] });
});

test('a send without room fails at once, and says so; the records before it are delivered', async () => {
  const topic = await newTopic();
  const producer = await producerOf({ bufferMemoryBytes: 64 * 1024 });
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
  assert.equal((await valuesOf(topic)).length, 300 - errors.length);
});

test('an unknown topic fails after maxBlockMs with topic and cause; failures are told as events and in reports', async () => {
  const producer = await producerOf({ maxBlockMs: 200 });
  const failures: string[] = [];
  producer.on('failure', ({ topic, records, error }) => failures.push(`${topic} ${records} ${error.name}`));
  const future = producer.send('does-not-exist', { value: 'v' }, { partition: 99 });
  await assert.rejects(async () => future, /not present in metadata after 200 ms \(maxBlockMs\)/);
  assert.ok(producer.append('does-not-exist', null, 'v', 99));
  const report = await producer.flush();
  assert.deepEqual([report.failed, report.failures.length, report.failures[0]!.topic], [2, 2, 'does-not-exist']);
  assert.equal(failures.length, 2);
});

test('a closed producer takes nothing more, and closing again is the same close', async () => {
  const topic = await newTopic();
  const producer = await producerOf();
  assert.ok(producer.append(topic, null, 'a'));
  const closing = producer.close();
  assert.equal(producer.close(), closing);
  assert.throws(() => producer.append(topic, null, 'b'), ProducerClosedError);
  await assert.rejects(async () => producer.send(topic, { value: 'b' }), ProducerClosedError);
  assert.equal((await closing).records, 1);
  assert.deepEqual(await valuesOf(topic), ['a']);
});

test('closing the client closes its producers first', async () => {
  const topic = await newTopic();
  const own = await KafkaClient.start({ ...patient, bootstrapServers: broker.bootstrapServers });
  const producer = await own.producer({ lingerMs: 60_000, deliveryTimeoutMs: 120_000 });
  const future = producer.send(topic, { value: 'a' }, { lingerMs: 60_000 });
  await own.close();
  assert.equal((await future).offset.toNumber(), 0);
});

test('a leader that moves and a broker that loses connections cost no record and change no order', async () => {
  const topic = await newTopic();
  const producer = await producerOf({ batchSizeBytes: 500, retryBackoffMs: 10 });
  const count = 5000;
  const { acknowledged } = producer.counters;
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < count / 10; i++) {
      while (!producer.append(topic, null, `${round * (count / 10) + i}`)) await producer.ready();
    }
    await waitFor('a record to be acknowledged', () => producer.counters.acknowledged > acknowledged);
    if (round % 2 === 0) await broker.moveLeader(topic, 0, round % 4 === 0 ? 1 : 0);
    else await broker.closeConnections('reset');
  }
  const report = await producer.flush();
  assert.deepEqual([report.records, report.failed], [count, 0]);
  assert.deepEqual(
    await valuesOf(topic),
    Array.from({ length: count }, (_, i) => `${i}`),
  );
});
