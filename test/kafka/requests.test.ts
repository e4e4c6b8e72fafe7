// The whole client with a real broker: every API in every common version, and records that come back unchanged.

import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  errorFor,
  Fetch,
  FindCoordinator,
  KafkaClient,
  ListOffsets,
  Metadata,
  Produce,
  type RecordInput,
  type RecordsInput,
  type RecordsView,
} from '../../src/index.ts';
import { zeroUuid } from '../../src/protocol/flat/uuid.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

const MiB = 1024 * 1024;
/** Now, or retention would delete the records while the tests run. */
const time = Date.now();

interface Topic {
  readonly name: string;
  readonly topicId: string;
  /** Node id by partition. */
  readonly leaders: readonly number[];
}

describeKafka('a real broker', (suite) => {
  let client: KafkaClient;
  /** Any node, for what every node can answer. */
  let node = -1;

  before(async () => {
    client = await KafkaClient.start({
      bootstrapServers: suite.kafka.bootstrapServers,
      apiVersionAutoTimeoutMs: 90_000,
      retryBackoffMs: 10,
      maxInFlightRequestsPerConnection: 1000,
    });
    node = client.cluster.brokers()[0]!.nodeId;
    await client.awaitReady(node);
  });

  after(async () => {
    await client?.close();
  });

  async function createTopic(partitions = 1, version?: number): Promise<Topic> {
    const name = `test-${randomUUID()}`;
    const response = await client.send(
      await controller(),
      CreateTopics,
      {
        topics: [
          {
            name,
            numPartitions: partitions,
            replicationFactor: 1,
            assignments: [],
            configs: [{ name: 'max.message.bytes', value: `${16 * MiB}` }],
          },
        ],
        timeoutMs: 10_000,
      },
      version === undefined ? {} : { version },
    );
    assert.deepEqual(
      response.topics.map((topic) => [topic.name, topic.errorCode]),
      [[name, 0]],
    );
    return describeTopic(name, partitions);
  }

  /** Its leaders, once all of them are there and connected to. */
  async function describeTopic(name: string, partitions: number): Promise<Topic> {
    return waitFor(`leaders of ${name}`, async () => {
      // It alone: a topic that was deleted meanwhile would slow down every refresh.
      client.setTopics([name]);
      const cluster = await client.refreshMetadata();
      if (cluster.availablePartitionsForTopic(name)?.size !== partitions) return null;
      const leaders = Array.from(
        { length: partitions },
        (_, i) => cluster.leaderForPartition({ topic: name, partition: i })!,
      );
      await Promise.all([...new Set(leaders)].map((leader) => client.awaitReady(leader)));
      // Metadata may name a leader that has not heard of it yet.
      const answers = await Promise.all(
        leaders.map((leader, partitionIndex) => {
          const topics = [{ name, partitions: [{ partitionIndex, timestamp: -1 }] }];
          return client.send(leader, ListOffsets, { replicaId: -1, topics });
        }),
      );
      if (answers.some((answer) => answer.topics.at(0).partitions.at(0).errorCode !== 0)) return null;
      return { name, topicId: cluster.topicId(name) ?? zeroUuid, leaders };
    });
  }

  async function controller(): Promise<number> {
    const nodeId = client.cluster.controller?.nodeId ?? node;
    await client.awaitReady(nodeId);
    return nodeId;
  }

  interface PartitionOptions {
    readonly partition?: number;
    readonly version?: number;
  }

  async function produce(
    topic: Topic,
    records: RecordsInput,
    options: PartitionOptions & { acks?: number } = {},
  ): Promise<number> {
    const { partition = 0, version, acks = -1 } = options;
    const topicData = [{ name: topic.name, topicId: topic.topicId, partitionData: [{ index: partition, records }] }];
    const response = await client.send(
      topic.leaders[partition]!,
      Produce,
      { acks, timeoutMs: 10_000, topicData },
      version === undefined ? {} : { version },
    );
    if (acks === 0) {
      assert.equal(response, null);
      return -1;
    }
    const { errorCode, baseOffset } = response.responses.at(0).partitionResponses.at(0);
    assert.equal(errorCode, 0, errorFor(errorCode)?.message);
    return baseOffset.toNumber();
  }

  async function fetch(
    topic: Topic,
    offset = 0,
    options: PartitionOptions & { minBytes?: number } = {},
  ): Promise<RecordsView> {
    const { partition = 0, version, minBytes = 1 } = options;
    const partitions = [{ partition, fetchOffset: offset, partitionMaxBytes: 64 * MiB }];
    const response = await client.send(
      topic.leaders[partition]!,
      Fetch,
      {
        maxWaitMs: 2000,
        minBytes,
        maxBytes: 64 * MiB,
        topics: [{ topic: topic.name, topicId: topic.topicId, partitions }],
      },
      version === undefined ? {} : { version },
    );
    assert.equal(response.errorCode, 0);
    const answer = response.responses.at(0).partitions.at(0);
    assert.equal(answer.errorCode, 0, errorFor(answer.errorCode)?.message);
    assert.equal(answer.records.error, null);
    return answer.records;
  }

  /** Versions of an API that client and broker share. */
  function versionsOf(api: {
    readonly key: number;
    readonly minVersion: number;
    readonly maxVersion: number;
  }): number[] {
    const range = client.getApiVersions()!.get(api.key)!;
    const first = Math.max(range.min, api.minVersion);
    const last = Math.min(range.max, api.maxVersion);
    assert.ok(first <= last, `${api.minVersion} to ${api.maxVersion}, ${range.min} to ${range.max}`);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  }

  test('is found, with its version', () => {
    const { version } = suite.kafka;
    if (version !== null) assert.deepEqual(client.apiVersion, version.split('.').slice(0, 2).map(Number));
    assert.ok(client.getApiVersions()!.size > 20);
    assert.ok(client.cluster.brokers().length >= 1);
    assert.ok(client.cluster.clusterId);
    assert.notEqual(client.cluster.controller, null);
  });

  test('creates and deletes topics', async () => {
    const topic = await createTopic(3);
    assert.equal(topic.leaders.length, 3);
    const again = await client.send(await controller(), CreateTopics, {
      topics: [{ name: topic.name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
      timeoutMs: 10_000,
    });
    assert.equal(errorFor(again.topics.at(0).errorCode)?.errorName, 'TOPIC_ALREADY_EXISTS');
    const deleted = await client
      .send(await controller(), DeleteTopics, {
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

  test('gives back records byte for byte, with keys, headers and times', async () => {
    const topic = await createTopic();
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
    const base = await produce(topic, given);
    const records = await fetch(topic, base);
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
    test(`takes and gives back batches compressed with ${compression}`, async (t) => {
      const topic = await createTopic();
      const records = Array.from({ length: 1000 }, (_, i) => ({
        key: `k${i % 10}`,
        value: `value ${i}`,
        timestamp: time + i,
      }));
      try {
        await produce(topic, { records, compression });
      } catch (error) {
        if ((error as Error).name !== 'UnsupportedCodecError') throw error;
        t.skip((error as Error).message);
        return;
      }
      const fetched = await fetch(topic);
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

  test('takes and gives back tens of MiB', { timeout: 300_000 }, async () => {
    const topic = await createTopic();
    const hash = createHash('sha256');
    for (let i = 0; i < 4; i++) {
      const value = randomBytes(8 * MiB);
      hash.update(value);
      await produce(topic, [{ value }]);
    }
    const records = await fetch(topic, 0, { minBytes: 32 * MiB });
    const fetched = createHash('sha256');
    for (const { value } of records) fetched.update(value!);
    assert.equal(records.length, 4);
    assert.equal(fetched.digest('hex'), hash.digest('hex'));
  });

  test('keeps the order of a partition, many requests in flight, and partitions apart', async () => {
    const topic = await createTopic(4);
    await Promise.all(Array.from({ length: 200 }, (_, i) => produce(topic, [{ value: `${i}` }], { partition: i % 4 })));
    for (const partition of [0, 1, 2, 3]) {
      const records = await fetch(topic, 0, { partition });
      assert.deepEqual(
        records.map(({ value }) => Number(value!.toString())),
        Array.from({ length: 50 }, (_, i) => partition + 4 * i),
      );
    }
  });

  for (const acks of [-1, 0, 1]) {
    test(`takes records with acks ${acks}`, async () => {
      const topic = await createTopic();
      await produce(topic, [{ value: `acks ${acks}` }], { acks });
      const records = await fetch(topic);
      assert.equal(records.at(0).value!.toString(), `acks ${acks}`);
    });
  }

  test('waits for records that come later, and then answers at once', async () => {
    const topic = await createTopic();
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
    const topics = [await createTopic(2), await createTopic(2)];
    for (const topic of topics)
      for (const partition of [0, 1]) await produce(topic, [{ value: `${topic.name} ${partition}` }], { partition });
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

  test('speaks every version of ApiVersions', async () => {
    for (const version of versionsOf(ApiVersions)) {
      const response = await client.send(
        node,
        ApiVersions,
        { clientSoftwareName: 'offthread-kafka-test', clientSoftwareVersion: '1.0' },
        { version },
      );
      assert.equal(response.errorCode, 0, `version ${version}`);
      assert.ok(response.apiKeys.length > 20, `version ${version}`);
    }
  });

  test('speaks every version of Metadata', async () => {
    const topic = await createTopic(2);
    for (const version of versionsOf(Metadata)) {
      const response = await client.send(node, Metadata, { topics: [{ name: topic.name }] }, { version });
      assert.ok(response.brokers.length >= 1, `version ${version}`);
      assert.equal(response.topics.at(0).name, topic.name);
      assert.equal(response.topics.at(0).errorCode, 0);
      assert.equal(response.topics.at(0).partitions.length, 2);
      if (version >= 10) assert.equal(response.topics.at(0).topicId, topic.topicId);
    }
  });

  test('speaks every version of Produce, and of Fetch', { timeout: 300_000 }, async () => {
    const topic = await createTopic();
    const offsets: number[] = [];
    const produced = versionsOf(Produce).filter((version) => version >= 3);
    for (const version of produced) {
      offsets.push(
        await produce(topic, [{ key: `v${version}`, value: `by version ${version}`, timestamp: time }], { version }),
      );
    }
    for (const version of versionsOf(Fetch)) {
      const records = await fetch(topic, 0, { version });
      assert.deepEqual(
        records.map((record) => [
          record.offset.toNumber(),
          record.key!.toString(),
          record.value!.toString(),
          record.timestamp.toNumber(),
        ]),
        produced.map((by, i) => [offsets[i], `v${by}`, `by version ${by}`, time]),
        `fetched in version ${version}`,
      );
    }
  });

  test('speaks every version of ListOffsets', async () => {
    const topic = await createTopic();
    for (let i = 0; i < 5; i++) await produce(topic, [{ value: `${i}`, timestamp: time + i * 1000 }]);
    for (const version of versionsOf(ListOffsets)) {
      const ask = async (timestamp: number): Promise<number> => {
        const response = await client.send(
          topic.leaders[0]!,
          ListOffsets,
          {
            replicaId: -1,
            timeoutMs: 1000,
            topics: [{ name: topic.name, partitions: [{ partitionIndex: 0, timestamp }] }],
          },
          { version },
        );
        const partition = response.topics.at(0).partitions.at(0);
        assert.equal(partition.errorCode, 0, `version ${version}: ${errorFor(partition.errorCode)?.message}`);
        return (version === 0 ? partition.oldStyleOffsets.at(0) : partition.offset).toNumber();
      };
      assert.equal(await ask(-1), 5, `version ${version}`);
      assert.equal(await ask(-2), 0, `version ${version}`);
      if (version > 0) assert.equal(await ask(time + 2500), 3, `version ${version}`);
    }
  });

  test('speaks every version of FindCoordinator', { timeout: 300_000 }, async () => {
    for (const version of versionsOf(FindCoordinator)) {
      await waitFor(`a coordinator in version ${version}`, async () => {
        const request = version >= 4 ? { coordinatorKeys: ['group'] } : { key: 'group' };
        const response = await client.send(node, FindCoordinator, request, { version });
        const { errorCode, nodeId } = version >= 4 ? response.coordinators.at(0) : response;
        // The topic that coordinators need is made by the first who asks.
        if (errorFor(errorCode)?.errorName === 'COORDINATOR_NOT_AVAILABLE') return false;
        assert.equal(errorCode, 0, `version ${version}: ${errorFor(errorCode)?.message}`);
        assert.notEqual(client.cluster.brokerMetadata(nodeId), null, `version ${version}`);
        return true;
      });
    }
  });

  test('speaks every version of CreateTopics, and of DeleteTopics', { timeout: 300_000 }, async () => {
    const created: Topic[] = [];
    for (const version of versionsOf(CreateTopics)) created.push(await createTopic(1, version));
    for (const version of versionsOf(DeleteTopics)) {
      const topic = created.pop() ?? (await createTopic());
      const byName =
        version >= 6 ? { topics: [{ name: topic.name, topicId: zeroUuid }] } : { topicNames: [topic.name] };
      const response = await client.send(
        await controller(),
        DeleteTopics,
        { ...byName, timeoutMs: 10_000 },
        { version },
      );
      const { name, errorCode } = response.responses.at(0);
      assert.deepEqual([name, errorCode], [topic.name, 0], `version ${version}`);
    }
  });
});
