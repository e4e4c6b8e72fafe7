// Records through the whole client: produced records come back byte for byte, if they are large, compressed or damaged.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  CorruptRecordError,
  Fetch,
  InvalidRequestError,
  type KafkaClient,
  Metadata,
  Produce,
  type RecordInput,
  type RecordsInput,
  type RecordsView,
} from '../../src/index.ts';
import { buildBatch, type EmbeddedBroker, errorCodes, startEmbeddedBroker } from '../helpers/embedded-broker.ts';
import { closedByHand, openConnected } from './support/client.ts';
import { byName, fetchedRecords, fetchRequest, produceRequest } from './support/requests.ts';

const MiB = 1024 * 1024;
const time = 1_700_000_000_000;

describe('records', () => {
  let broker: EmbeddedBroker;
  let client: KafkaClient;
  let topics = 0;

  before(async () => {
    broker = await startEmbeddedBroker({ messageMaxBytes: 80 * MiB });
    client = await openConnected(closedByHand, broker);
  });

  afterEach(async () => {
    await broker.clearRules();
  });

  after(async () => {
    await client.close();
    await broker.close();
  });

  async function newTopic(partitions = 1): Promise<string> {
    const name = `topic-${topics++}`;
    await broker.createTopic(name, { partitions });
    return name;
  }

  async function produce(topic: string, records: RecordsInput, partition = 0): Promise<number> {
    const response = await client.send(0, Produce, produceRequest(topic, records, { partition }), byName);
    const { errorCode, baseOffset } = response.responses.at(0).partitionResponses.at(0);
    assert.equal(errorCode, 0);
    return baseOffset.toNumber();
  }

  async function fetch(topic: string, options = {}): Promise<RecordsView> {
    const response = await client.send(0, Fetch, fetchRequest(topic, { maxWaitMs: 0, ...options }), byName);
    const { errorCode, records } = response.responses.at(0).partitions.at(0);
    assert.equal(errorCode, 0);
    assert.equal(records.error, null);
    return records;
  }

  const plain = (records: RecordsView) =>
    records.map(({ key, value, timestamp, headers, offset }) => ({
      key: key?.toString() ?? null,
      value: value?.toString() ?? null,
      timestamp: timestamp.toNumber(),
      headers: headers.map((header) => [header.key, header.value?.toString() ?? null]),
      offset: offset.toNumber(),
    }));

  test('of every shape come back unchanged', async () => {
    const topic = await newTopic();
    const given: (RecordInput & { headers: [string, string | null][] })[] = [
      { key: 'key', value: 'value', timestamp: time, headers: [] },
      { key: null, value: 'no key', timestamp: time + 1, headers: [] },
      { key: 'tombstone', value: null, timestamp: time + 2, headers: [] },
      { key: null, value: null, timestamp: time + 3, headers: [] },
      { key: '', value: '', timestamp: time + 4, headers: [['', '']] },
      { key: 'earlier', value: 'than the first', timestamp: time - 1000, headers: [] },
      { key: 'epoch', value: 'zero', timestamp: 0, headers: [] },
      {
        key: 'headers',
        value: 'x',
        timestamp: time,
        headers: [
          ['a', '1'],
          ['a', '2'],
          ['null', null],
          ['ünïcödé ✓', '🎈'],
        ],
      },
      { key: 'ünïcödé ✓ 🎈', value: 'ß'.repeat(1000), timestamp: time, headers: [] },
    ];
    assert.equal(await produce(topic, given), 0);
    assert.deepEqual(
      plain(await fetch(topic)),
      given.map((record, offset) => ({ ...record, offset })),
    );
  });

  test('of bytes keep every byte', async () => {
    const topic = await newTopic();
    const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await produce(topic, [{ key: every, value: every, headers: { bytes: every } }]);
    const [record] = await fetch(topic);
    assert.deepEqual(record!.key, every);
    assert.deepEqual(record!.value, every);
    assert.deepEqual(record!.headers[0]!.value, every);
  });

  test('without a timestamp get the current time', async () => {
    const topic = await newTopic();
    const before = Date.now();
    await produce(topic, [{ value: 'x' }]);
    const timestamp = (await fetch(topic)).at(0).timestamp.toNumber();
    assert.ok(timestamp >= before && timestamp <= Date.now());
  });

  test('can be appended by a callback, directly into the request', async () => {
    const topic = await newTopic();
    await produce(topic, (writer) => {
      for (let i = 0; i < 5000; i++) writer.append(i % 3 === 0 ? null : `key ${i}`, `value ${i}`, time + i);
    });
    const records = await fetch(topic);
    assert.equal(records.length, 5000);
    let i = 0;
    for (const cursor = records.cursor(); cursor.next(); i++) {
      assert.equal(cursor.offset, i);
      assert.equal(cursor.timestamp, time + i);
      assert.equal(cursor.key?.toString() ?? null, i % 3 === 0 ? null : `key ${i}`);
      assert.equal(cursor.value!.toString(), `value ${i}`);
    }
    assert.equal(i, 5000);
  });

  test('can be a finished batch, which is stored unchanged', async () => {
    const topic = await newTopic();
    const batch = buildBatch([{ key: 'k', value: 'v', timestamp: time }]);
    await produce(topic, batch);
    assert.deepEqual(plain(await fetch(topic)), [{ key: 'k', value: 'v', timestamp: time, headers: [], offset: 0 }]);
  });

  test('can be an empty list', async () => {
    const topic = await newTopic();
    const records = await fetch(topic);
    assert.equal(records.length, 0);
    assert.equal(records.nextOffset.toNumber(), -1);
  });

  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    test(`compressed with ${compression} come back unchanged`, async (t) => {
      const topic = await newTopic();
      const given = Array.from({ length: 2000 }, (_, i) => ({
        key: `key ${i % 7}`,
        value: `value ${i}`,
        timestamp: time + i,
      }));
      const future = client.send(0, Produce, produceRequest(topic, { records: given, compression }), byName);
      await Promise.allSettled([future]);
      if (future.exception?.name === 'UnsupportedCodecError') {
        t.skip(future.exception.message);
        return;
      }
      assert.equal(future.exception, null);
      const records = await fetch(topic);
      assert.deepEqual(
        records.map(({ key, value, timestamp }) => ({
          key: key!.toString(),
          value: value!.toString(),
          timestamp: timestamp.toNumber(),
        })),
        given,
      );
      assert.equal(records.batches.at(0).compression, compression);
      if (compression === 'none') return;
      const { length } = await broker.contents(topic, 0);
      assert.ok(length < 30_000, `${length} bytes stored`);
    });
  }

  test('of many batches with mixed codecs come in order with their offsets', async () => {
    const topic = await newTopic();
    let offset = 0;
    for (const compression of ['none', 'gzip', 'none', 'gzip'] as const) {
      const records = Array.from({ length: 100 }, () => ({ value: `${offset++}` }));
      await produce(topic, { records, compression });
    }
    const records = await fetch(topic);
    assert.deepEqual(
      records.map((record) => [record.offset.toNumber(), record.value!.toString()]),
      Array.from({ length: 400 }, (_, i) => [i, `${i}`]),
    );
    assert.equal(records.batches.length, 4);
    assert.equal(records.nextOffset.toNumber(), 400);
    const late = await fetch(topic, { offset: 250 });
    assert.equal(late.at(0).offset.toNumber(), 200, 'whole batches come');
    const cursor = late.cursor(250);
    cursor.next();
    assert.equal(cursor.offset, 250);
  });

  test('of 1 MiB come alone and many in one response', async () => {
    const topic = await newTopic();
    const values = Array.from({ length: 8 }, () => randomBytes(MiB));
    for (const value of values) await produce(topic, [{ key: value.subarray(0, 9), value }]);
    const records = await fetch(topic);
    assert.equal(records.length, 8);
    records.forEach((record, i) => {
      assert.ok(record.value!.equals(values[i]!), `value ${i}`);
      assert.ok(record.key!.equals(values[i]!.subarray(0, 9)), `key ${i}`);
    });
  });

  test('come whole, one batch at a time, although each is larger than the limits of the fetch', async () => {
    const topic = await newTopic();
    const values = Array.from({ length: 3 }, () => randomBytes(MiB));
    for (const value of values) await produce(topic, [{ value }]);
    for (let offset = 0; offset < values.length; offset++) {
      const records = await fetch(topic, { offset, maxBytes: 1000 });
      assert.equal(records.length, 1, 'a broker sends the first batch only');
      assert.ok(records.at(0).value!.equals(values[offset]!), `value ${offset}`);
    }
    const limits = { fetchMaxBytes: 1024, maxPartitionFetchBytes: 1024 };
    const consumer = await client.consumer({ assign: [{ topic, partition: 0, offset: 0 }], ...limits });
    for (const value of values) {
      const batch = (await consumer.poll(120_000))!;
      assert.deepEqual(
        [...batch].map((record) => value.equals(record.value!)),
        [true],
      );
      batch.done();
    }
    await consumer.close();
  });

  test('of tens of MiB come in one request and one response, between small ones', {
    timeout: 300_000,
  }, async () => {
    const topic = await newTopic();
    const value = Buffer.alloc(32 * MiB);
    for (let i = 0; i < value.length; i += 4096) value.writeUInt32LE(i, i);
    const small = Array.from({ length: 3 }, () => client.send(0, Metadata, { topics: [] }));
    const produced = await client.send(0, Produce, produceRequest(topic, [{ value }]), byName);
    assert.equal(produced.responses.at(0).partitionResponses.at(0).errorCode, 0);
    await Promise.all(small);
    const order: string[] = [];
    const sent = [
      client.send(0, Metadata, { topics: [] }).addCallback(() => order.push('small')),
      client.send(0, Fetch, fetchRequest(topic, { maxWaitMs: 0 }), byName).addCallback(() => order.push('big')),
      client.send(0, Metadata, { topics: [] }).addCallback(() => order.push('small')),
      client.send(0, Fetch, fetchRequest(topic, { maxWaitMs: 0 }), byName).addCallback(() => order.push('big')),
    ] as const;
    const responses = await Promise.all(sent);
    assert.deepEqual(order, ['small', 'big', 'small', 'big']);
    for (const response of [responses[1], responses[3]]) {
      assert.ok(fetchedRecords(response).at(0).value!.equals(value));
    }
    await client.send(0, Metadata, { topics: [] });
  });

  test('stay unchanged when later responses are read, many times what the ring has room for', async (t) => {
    const ringBytes = 64 * 1024;
    const ends = { responseRingBytes: ringBytes, spillBytes: ringBytes / 4 };
    const reader = await openConnected(t, broker, ends);
    const [topic, later] = [await newTopic(), await newTopic()];
    const given = Array.from({ length: 100 }, (_, i) => ({ value: `kept ${i}` }));
    await produce(topic, given);
    const bytes = ringBytes / 8;
    await produce(later, [{ value: Buffer.alloc(bytes, 'x') }]);
    const fetchOf = async (name: string): Promise<RecordsView> =>
      fetchedRecords(await reader.send(0, Fetch, fetchRequest(name, { maxWaitMs: 0 }), byName));
    const kept = await fetchOf(topic);
    const early = kept.at(42).value!;
    for (let read = 0; read < 20 * ringBytes; read += bytes) {
      const records = await fetchOf(later);
      assert.equal(records.at(0).value!.length, bytes);
    }
    assert.equal(early.toString(), 'kept 42');
    const again = plain(kept).map(({ value }) => ({ value }));
    assert.deepEqual(again, given);
  });

  describe('of several topics and partitions', () => {
    /** Two topics of three partitions, each with one record that says where it stands. */
    async function filled(): Promise<string[]> {
      const names = [await newTopic(3), await newTopic(3)];
      const topicData = names.map((name) => ({
        name,
        partitionData: [0, 1, 2].map((index) => ({ index, records: [{ value: `${name} ${index}` }] })),
      }));
      const response = await client.send(0, Produce, { acks: -1, timeoutMs: 1000, topicData }, byName);
      for (const topic of response.responses)
        for (const partition of topic.partitionResponses) assert.equal(partition.errorCode, 0);
      return names;
    }

    const fetchAll = (names: readonly string[], version: number) =>
      client.send(
        0,
        Fetch,
        {
          maxWaitMs: 0,
          minBytes: 1,
          topics: names.map((topic) => ({
            topic,
            partitions: [0, 1, 2].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: MiB })),
          })),
        },
        { version },
      );

    test('come in one response, each with its topic and partition', async () => {
      const names = await filled();
      const response = await fetchAll(names, 12);
      const seen = response.responses.map((topic) =>
        topic.partitions.map(({ partitionIndex, records }) => [
          topic.topic,
          partitionIndex,
          records.at(0).value!.toString(),
        ]),
      );
      assert.deepEqual(
        seen,
        names.map((name) => [0, 1, 2].map((index) => [name, index, `${name} ${index}`])),
      );
    });

    test('come even if one of the partitions is unknown', async () => {
      const [name] = await filled();
      const response = await fetchAll([name!, 'nowhere'], 12);
      assert.equal(response.responses.at(0).partitions.at(2).records.length, 1);
      assert.equal(response.responses.at(1).partitions.at(0).errorCode, errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      assert.equal(response.responses.at(1).partitions.at(0).records.length, 0);
    });

    test('come even if one of the partitions is damaged: only that one has an error, and the connection stays', async () => {
      const names = await filled();
      // In version 11 nothing stands behind the records of the last partition.
      await broker.control(Fetch, { wire: { corrupt: { offset: -3, mask: 1 } } }, { times: 1 });
      const { acceptedConnections } = await broker.stats();
      const response = await fetchAll(names, 11);
      response.responses.forEach((topic, t) => {
        topic.partitions.forEach(({ records }, p) => {
          const isDamaged = t === 1 && p === 2;
          assert.equal(records.length, isDamaged ? 0 : 1);
          assert.equal(records.error instanceof CorruptRecordError, isDamaged);
          if (!isDamaged) return;
          assert.equal(records.error!.retriable, true);
          assert.match(records.error!.message, /CRC|checksum/i);
          assert.equal(records.faultyOffset!.toNumber(), 0);
        });
      });
      const whole = await fetchAll(names, 11);
      assert.equal(whole.responses.at(1).partitions.at(2).records.length, 1);
      assert.equal((await broker.stats()).acceptedConnections, acceptedConnections);
    });
  });

  test('before a damaged batch are delivered, and those after it are not', async () => {
    const topic = await newTopic();
    for (let i = 0; i < 3; i++) await produce(topic, [{ value: `batch ${i}` }]);
    const [{ length }] = [await broker.contents(topic, 0)];
    const third = length / 3;
    await broker.control(Fetch, { wire: { corrupt: { offset: -Math.floor(third + 3), mask: 4 } } }, { times: 1 });
    const response = await client.send(0, Fetch, fetchRequest(topic, { maxWaitMs: 0 }), { version: 11 });
    const records = fetchedRecords(response);
    assert.deepEqual(
      records.map(({ value }) => value!.toString()),
      ['batch 0'],
    );
    assert.ok(records.error instanceof CorruptRecordError);
    assert.equal(records.faultyOffset!.toNumber(), 1);
    assert.equal(records.nextOffset.toNumber(), 1);
  });

  test('that are damaged are delivered if checkCrcs is false', async (t) => {
    const careless = await openConnected(t, broker, { checkCrcs: false });
    const topic = await newTopic();
    await produce(topic, [{ value: 'value' }]);
    await broker.control(Fetch, { wire: { corrupt: { offset: -2, mask: 1 } } }, { times: 1 });
    const response = await careless.send(0, Fetch, fetchRequest(topic, { maxWaitMs: 0 }), { version: 11 });
    const records = fetchedRecords(response);
    assert.equal(records.error, null);
    assert.equal(records.at(0).value!.toString(), 'valud');
  });

  test('that do not fit the version fail only their request', async () => {
    const topic = await newTopic();
    const batch = produceRequest(topic, { records: [{ value: 'x' }], compression: 'zstd' });
    const future = client.send(0, Produce, batch, { version: 3 });
    await Promise.allSettled([future]);
    assert.ok(future.exception instanceof InvalidRequestError, String(future.exception));
    assert.match(future.exception.message, /zstd/);
    assert.equal(client.connected(0), true);
    await produce(topic, [{ value: 'next' }]);
  });
});
