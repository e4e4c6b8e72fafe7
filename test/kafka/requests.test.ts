// The whole client with a real broker: topics and records, which come back unchanged.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  CreateTopics,
  DeleteTopics,
  errorFor,
  Fetch,
  KafkaClient,
  Metadata,
  Produce,
  type RecordInput,
} from '../../src/index.ts';
import { zeroUuid } from '../../src/protocol/flat/uuid.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

import { clientFor, controller, createTopic, fetch, produce } from './fixture/topic-requests.ts';

const MiB = 1024 * 1024;
/** Now, or retention would delete the records while the tests run. */
const time = Date.now();

describeKafka('a real broker', (suite) => {
  let client: KafkaClient;
  /** Any node, for what every node can answer. */
  let node = -1;

  before(async () => {
    client = await clientFor(suite.kafka.bootstrapServers);
    node = client.cluster.brokers()[0]!.nodeId;
    await client.awaitReady(node);
  });

  after(async () => {
    await client?.close();
  });

  test('is found with its version', () => {
    const { version } = suite.kafka;
    if (version !== null) assert.deepEqual(client.apiVersion, version.split('.').slice(0, 2).map(Number));
    assert.ok(client.getApiVersions()!.size > 20);
    assert.ok(client.cluster.brokers().length >= 1);
    assert.ok(client.cluster.clusterId);
    assert.notEqual(client.cluster.controller, null);
  });

  test('creates and deletes topics', async () => {
    const topic = await createTopic(client, 3);
    assert.equal(topic.leaders.length, 3);
    const again = await client.send(await controller(client), CreateTopics, {
      topics: [{ name: topic.name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
      timeoutMs: 10_000,
    });
    assert.equal(errorFor(again.topics.at(0).errorCode)?.errorName, 'TOPIC_ALREADY_EXISTS');
    const deleted = await client
      .send(await controller(client), DeleteTopics, {
        topics: [{ name: topic.name, topicId: zeroUuid }],
        topicNames: [],
        timeoutMs: 10_000,
      })
      .then((response) => response.responses.at(0));
    assert.deepEqual([deleted.name, deleted.errorCode], [topic.name, 0]);
    await waitFor('the topic to be gone', async () => {
      const response = await client.send(node, Metadata, {
        topics: [{ name: topic.name }],
        allowAutoTopicCreation: false,
      });
      return response.topics.at(0).errorCode === 3;
    });
  });

  test('returns records byte for byte, with keys, headers and times', async () => {
    const topic = await createTopic(client);
    const every = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const given: readonly RecordInput[] = [
      { key: 'key', value: 'value', timestamp: time },
      { key: null, value: every, timestamp: time + 1 },
      { key: every, value: null, timestamp: time + 2 },
      { key: '', value: '', timestamp: time - 5 },
      {
        key: 'h',
        value: 'h',
        timestamp: time,
        headers: [
          ['a', '1'],
          ['a', '2'],
          ['none', null],
          ['ünïcödé', every],
        ],
      },
      { key: 'big', value: randomBytes(MiB), timestamp: time },
    ];
    const base = await produce(client, topic, given);
    const records = await fetch(client, topic, base);
    const bytes = (value: unknown): Buffer | null =>
      value === null || value === undefined ? null : Buffer.from(value as string);
    assert.equal(records.length, given.length);
    for (const [i, { key, value, timestamp, headers }] of given.entries()) {
      const record = records.at(i);
      assert.deepEqual(record.key, bytes(key), `key ${i}`);
      assert.deepEqual(record.value, bytes(value), `value ${i}`);
      assert.equal(record.timestamp.toNumber(), timestamp);
      assert.equal(record.offset.toNumber(), base + i);
      assert.deepEqual(
        record.headers.map((header) => [header.key, header.value]),
        ((headers ?? []) as [string, string | Buffer | null][]).map(([name, text]) => [name, bytes(text)]),
      );
    }
  });

  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    test(`stores and returns batches compressed with ${compression}`, async (t) => {
      const topic = await createTopic(client);
      const records = Array.from({ length: 1000 }, (_, i) => ({
        key: `k${i % 10}`,
        value: `value ${i}`,
        timestamp: time + i,
      }));
      try {
        await produce(client, topic, { records, compression });
      } catch (error) {
        if ((error as Error).name !== 'UnsupportedCodecError') throw error;
        t.skip((error as Error).message);
        return;
      }
      const fetched = await fetch(client, topic);
      assert.equal(fetched.batches.at(0).compression, compression);
      assert.deepEqual(
        fetched.map(({ key, value, timestamp }) => ({
          key: key!.toString(),
          value: value!.toString(),
          timestamp: timestamp.toNumber(),
        })),
        records,
      );
    });
  }

  test('stores and returns tens of MiB', { timeout: 300_000 }, async () => {
    const topic = await createTopic(client);
    const hash = createHash('sha256');
    for (let i = 0; i < 4; i++) {
      const value = randomBytes(8 * MiB);
      hash.update(value);
      await produce(client, topic, [{ value }]);
    }
    const records = await fetch(client, topic, 0, { minBytes: 32 * MiB });
    const fetched = createHash('sha256');
    for (const { value } of records) fetched.update(value!);
    assert.equal(records.length, 4);
    assert.equal(fetched.digest('hex'), hash.digest('hex'));
  });

  test('keeps the order of each partition with many requests in flight', async () => {
    const topic = await createTopic(client, 4);
    await Promise.all(
      Array.from({ length: 200 }, (_, i) => produce(client, topic, [{ value: `${i}` }], { partition: i % 4 })),
    );
    for (const partition of [0, 1, 2, 3]) {
      const records = await fetch(client, topic, 0, { partition });
      assert.deepEqual(
        records.map(({ value }) => Number(value!.toString())),
        Array.from({ length: 50 }, (_, i) => partition + 4 * i),
      );
    }
  });

  for (const acks of [-1, 0, 1]) {
    test(`takes records with acks ${acks}`, async () => {
      const topic = await createTopic(client);
      await produce(client, topic, [{ value: `acks ${acks}` }], { acks });
      const records = await fetch(client, topic);
      assert.equal(records.at(0).value!.toString(), `acks ${acks}`);
    });
  }

  test('waits for records that come later and then answers at once', async () => {
    const topic = await createTopic(client);
    const waiting = client.send(topic.leaders[0]!, Fetch, {
      maxWaitMs: 20_000,
      minBytes: 1,
      topics: [
        {
          topic: topic.name,
          topicId: topic.topicId,
          partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: MiB }],
        },
      ],
    });
    // A second connection, because requests on one are answered in order.
    await using other = await KafkaClient.start({
      bootstrapServers: suite.kafka.bootstrapServers,
      apiVersionAutoTimeoutMs: 90_000,
    });
    await other.awaitReady(topic.leaders[0]!);
    await other.send(topic.leaders[0]!, Produce, {
      acks: -1,
      timeoutMs: 10_000,
      topicData: [
        { topicId: topic.topicId, name: topic.name, partitionData: [{ index: 0, records: [{ value: 'late' }] }] },
      ],
    });
    const response = await waiting;
    assert.equal(response.responses.at(0).partitions.at(0).records.at(0).value!.toString(), 'late');
  });

  test('fetches several topics at once, an unknown one among them', async () => {
    const topics = [await createTopic(client, 2), await createTopic(client, 2)];
    for (const topic of topics)
      for (const partition of [0, 1])
        await produce(client, topic, [{ value: `${topic.name} ${partition}` }], { partition });
    const unknown = `${'A'.repeat(21)}Q`;
    const response = await client.send(topics[0]!.leaders[0]!, Fetch, {
      maxWaitMs: 1000,
      minBytes: 1,
      topics: [...topics, { name: 'nowhere', topicId: unknown }].map(({ name, topicId }) => ({
        topic: name,
        topicId,
        partitions: [0, 1].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: MiB })),
      })),
    });
    const byId = new Map(response.responses.map((topic) => [topic.topicId, topic]));
    for (const topic of topics) {
      for (const partition of byId.get(topic.topicId)!.partitions) {
        assert.equal(partition.records.at(0).value!.toString(), `${topic.name} ${partition.partitionIndex}`);
      }
    }
    assert.equal(errorFor(byId.get(unknown)!.partitions.at(0).errorCode)?.errorName, 'UNKNOWN_TOPIC_ID');
  });

  // --- every version of every API, as the broker and the client share it
});
