// A producer with the embedded broker: records go from this thread through shared memory into the log, and their outcomes come back.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { IllegalArgumentError, Produce, RecordTooLargeError, SerializationError } from '../../src/index.ts';
import { ProducerBench } from './support/producer-bench.ts';

let bench: ProducerBench;

before(async () => {
  bench = await ProducerBench.start();
});

afterEach(() => bench.closeProducers());

after(() => bench?.close());

test('a record that is sent is in the log unchanged, and its Future tells its offset', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf();
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
  assert.equal(JSON.stringify(second), `{"topic":"${topic}","partition":0,"offset":1,"timestampMs":1234}`);
  const records = await bench.read(topic);
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

test('records that are sent in one turn go in one batch, in order, each with its own offset', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf();
  const sent = await Promise.all(Array.from({ length: 50 }, (_, i) => producer.send(topic, { value: `${i}` })));
  assert.deepEqual(
    sent.map(({ offset }) => offset.toNumber()),
    Array.from({ length: 50 }, (_, i) => i),
  );
  assert.deepEqual(
    await bench.valuesOf(topic),
    Array.from({ length: 50 }, (_, i) => `${i}`),
  );
});

test('append writes bytes and text of every length, in order; flush ends when all records are acknowledged', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf({ batchSizeBytes: 2000 });
  const values = [0, 1, 24, 25, 63, 64, 127, 128, 1000, 8191, 8192, 20_000, 70_000, 200_000].flatMap((length) => [
    'x'.repeat(length),
    '\u00e9'.repeat(length / 2),
    '\u65e5'.repeat(length / 3),
  ]);
  for (const value of values) assert.ok(producer.append(topic, Buffer.from('key'), value));
  const report = await producer.flush();
  assert.deepEqual(report, { records: values.length, failed: 0, failures: [] });
  assert.deepEqual(await bench.valuesOf(topic), values);
  assert.deepEqual(producer.counters, {
    appended: values.length,
    acknowledged: values.length,
    failed: 0,
    retried: 0,
    usedBytes: 0,
  });
});

test('a hundred thousand records go through little memory: append returns false without room, and ready waits for room', async () => {
  const topic = await bench.newTopic(3);
  const producer = await bench.producerOf({ bufferMemoryBytes: 256 * 1024 });
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
    const numbers = (await bench.valuesOf(topic, partition)).map((value) => Number(value!.slice(6)));
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      'in order',
    );
    total += new Set(numbers).size;
  }
  assert.equal(total, 100_000);
});

test('a loop that never yields fills the memory, waits with waitSync, and ends with flushSync', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf({ bufferMemoryBytes: 128 * 1024 });
  await bench.client.addTopic(topic);
  for (let i = 0; i < 20_000; i++) {
    while (!producer.append(topic, null, `${i}`)) assert.ok(producer.waitSync(100, 120_000));
  }
  const report = producer.flushSync(120_000);
  assert.deepEqual([report.records, report.failed], [20_000, 0]);
  assert.deepEqual(
    await bench.valuesOf(topic),
    Array.from({ length: 20_000 }, (_, i) => `${i}`),
  );
});

test('a limit or a size that is no number of 0 or more is refused at the call, and nothing waits', async () => {
  const producer = await bench.producerOf();
  for (const wrong of [Number.NaN, -1, '5', null] as number[]) {
    const limits: Record<string, () => unknown> = {
      flush: () => producer.flush({ timeoutMs: wrong }),
      flushSync: () => producer.flushSync(wrong),
      pollSync: () => producer.pollSync(wrong),
      waitSync: () => producer.waitSync(100, wrong),
      close: () => producer.close({ timeoutMs: wrong }),
    };
    for (const [name, call] of Object.entries(limits))
      assert.throws(call, IllegalArgumentError, `${name} with ${String(wrong)}`);
    assert.throws(() => producer.ready(wrong), TypeError, `ready with ${String(wrong)}`);
    assert.throws(() => producer.waitSync(wrong), TypeError, `waitSync with ${String(wrong)}`);
  }
  assert.throws(() => producer.flush(Number.NaN), IllegalArgumentError);
});

test('sendAll refuses at the call what gives no records', async () => {
  const producer = await bench.producerOf();
  for (const wrong of [null, undefined, 5, 'text', {}, Object.create(null)])
    assert.throws(
      () => producer.sendAll('any', wrong as never),
      /^TypeError: records must be a list, an iterable or a function, not /,
    );
});

test('a flush may have a limit that is longer than a timer of Node can be', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf();
  assert.ok(producer.append(topic, null, 'waits for the metadata of its topic'));
  const { records, failed } = await producer.flush(2 ** 31);
  assert.deepEqual([records, failed], [1, 0]);
});

test('records are delivered although their thread does not return to the event loop', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf();
  await producer.send(topic, { value: 'first' });
  const compute = (until: number): void => {
    const deadline = performance.now() + 120_000;
    while (producer.counters.acknowledged < until && performance.now() < deadline);
    assert.equal(producer.counters.acknowledged, until);
  };
  const sent = producer.send(topic, { value: 'sent' });
  compute(2);
  assert.ok(producer.append(topic, null, 'appended'));
  compute(3);
  assert.equal((await sent).offset.toNumber(), 1);
});

test('pollSync runs callbacks without the event loop', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf();
  let offset = -1;
  producer.send(topic, { value: 'a' }).addCallback((metadata) => {
    offset = metadata.offset.toNumber();
  });
  const deadline = performance.now() + 120_000;
  while (offset < 0 && performance.now() < deadline) producer.pollSync(1000);
  assert.equal(offset, 0);
});

test('flushSync in a callback is refused, because it would wait for itself', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf();
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
  const topic = await bench.newTopic();
  const producer = await bench.producerOf({ bufferMemoryBytes: 64 * 1024 });
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
  const values = await bench.valuesOf(topic);
  assert.deepEqual(
    values.slice(0, 3000),
    records.map(({ value }) => value),
  );
  assert.deepEqual(values.slice(-2), ['a', 'b']);
});

test('a source of records that throws fails the Future, and the records before are delivered', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf();
  function* broken(): Generator<{ value: string }> {
    yield { value: 'a' };
    throw new Error('the source is broken');
  }
  await assert.rejects(async () => producer.sendAll(topic, broken()), /the source is broken/);
  await producer.flush();
  assert.deepEqual(await bench.valuesOf(topic), ['a']);
});

test('a record of sendAll that is too large or cannot be serialized fails alone: the others are sent, and the report names it', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf({ maxRequestSizeBytes: 2000 });
  const list = [{ value: 'a' }, { value: Buffer.alloc(5000) }, { value: 'b' }];
  const report = await producer.sendAll(topic, list);
  assert.equal(report.records, 3);
  assert.equal(report.failed, 1);
  assert.ok(report.failures[0]!.error instanceof RecordTooLargeError);
  const picky = await bench.producerOf({
    serializeValue: (value: unknown) => {
      if (value === 'bad') throw new Error('no bytes for this');
      return String(value);
    },
  });
  const second = await picky.sendAll(topic, [{ value: 'c' }, { value: 'bad' }, { value: 'd' }] as never);
  assert.deepEqual([second.records, second.failed], [3, 1]);
  assert.ok(second.failures[0]!.error instanceof SerializationError);
  assert.deepEqual(await bench.valuesOf(topic), ['a', 'b', 'c', 'd']);
});

test('records of sendAll come after records of send whose serializers are still running', async () => {
  const topic = await bench.newTopic();
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const producer = await bench.producerOf({
    serializeValue: (value: unknown) => (value === 'first' ? released.then(() => 'first') : String(value)),
  });
  const first = producer.send(topic, { value: 'first' } as never);
  const rest = producer.sendAll(topic, [{ value: 'second' }, { value: 'third' }] as never);
  release();
  await Promise.all([first, rest]);
  assert.deepEqual(await bench.valuesOf(topic), ['first', 'second', 'third']);
});

for (const compressionType of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
  test(`records compressed by ${compressionType} arrive`, async () => {
    const topic = await bench.newTopic();
    const producer = await bench.producerOf({ compressionType, batchSizeBytes: 4000 });
    const values = Array.from({ length: 2000 }, (_, i) => `the same words again and again, but for ${i}`);
    for (const value of values) while (!producer.append(topic, null, value)) await producer.ready();
    await producer.flush();
    assert.deepEqual(await bench.valuesOf(topic), values);
  });
}

test('callers that wait for room get it one after the other, and each finds its own room', async () => {
  const topic = await bench.newTopic();
  const producer = await bench.producerOf({ bufferMemoryBytes: 64 * 1024 });
  const value = Buffer.alloc(1500, 1);
  await bench.broker.delay(Produce, 300);
  while (producer.append(topic, null, value));
  const found: boolean[] = [];
  const give = async (): Promise<void> => {
    await producer.ready(value.length);
    found.push(producer.append(topic, null, value));
  };
  await Promise.all(Array.from({ length: 20 }, give));
  await bench.broker.clearRules();
  assert.deepEqual(found, Array(20).fill(true));
});

test('a throttle time stops requests for that time, and is no error', async () => {
  const throttleMs = 1500;
  const topic = await bench.newTopic();
  const producer = await bench.producerOf();
  await producer.send(topic, { value: 'before' });
  await bench.broker.control(Produce, { throttleTimeMs: throttleMs }, { times: 1 });
  const startedAt = performance.now();
  await producer.send(topic, { value: 'throttled' });
  await producer.send(topic, { value: 'after' });
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs >= throttleMs, `the next record was written after ${tookMs} ms`);
  assert.equal(producer.counters.retried, 0);
  assert.deepEqual(await bench.valuesOf(topic), ['before', 'throttled', 'after']);
});

test('keys choose the same partition as in Java, and a partitioner function chooses freely', async () => {
  const topic = await bench.newTopic(10);
  const producer = await bench.producerOf();
  assert.equal((await producer.send(topic, { key: 'foobar', value: null })).partition, 6);
  assert.equal((await producer.send(topic, { key: 'foobar', value: null }, { partition: 3 })).partition, 3);
  const seen: unknown[] = [];
  const custom = await bench.producerOf({
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

test('serializers and hooks keep the order even if they are slow, and one that fails fails only its record', async () => {
  const topic = await bench.newTopic();
  const delivered: unknown[] = [];
  const producer = await bench.producerOf<number, { n: number }>({
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
  const records = await bench.read(topic);
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
