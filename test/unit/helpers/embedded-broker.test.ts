import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import {
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  Fetch,
  FindCoordinator,
  ListOffsets,
  Metadata,
  Produce,
} from '../../../src/protocol/flat/generated/apis.ts';
import type { RecordsInput } from '../../../src/protocol/flat/record-writer.ts';
import { zeroUuid } from '../../../src/protocol/flat/uuid.ts';
import {
  buildBatch,
  type EmbeddedBroker,
  errorCodes,
  startEmbeddedBrokerInProcess,
} from '../../helpers/embedded-broker.ts';
import { RawClient } from '../../helpers/raw-client.ts';

const time = 1_700_000_000_000;

function values(count: number, first = 0): { key: string; value: string; timestamp: number }[] {
  return Array.from({ length: count }, (_, i) => ({
    key: `k${first + i}`,
    value: `v${first + i}`,
    timestamp: time + first + i,
  }));
}

describe('the embedded broker', () => {
  let broker: EmbeddedBroker;
  let client: RawClient;
  let nextTopic = 0;
  const opened: RawClient[] = [];

  before(async () => {
    broker = await startEmbeddedBrokerInProcess({
      nodes: 3,
      topics: {
        two: {
          partitions: 2,
          assignments: [
            [0, 1],
            [1, 2],
          ],
        },
        internal: { isInternal: true },
      },
      messageMaxBytes: 100_000,
    });
  });

  beforeEach(async () => {
    client = await open(0);
  });

  afterEach(() => {
    for (const each of opened.splice(0)) each.close();
  });

  after(async () => {
    await broker.close();
  });

  async function open(nodeId: number): Promise<RawClient> {
    const { port } = broker.nodes[nodeId]!;
    const opening = await RawClient.connect(port);
    opened.push(opening);
    return opening;
  }

  /** A topic of its own for a test, all of it led by node 0. */
  async function topicOnNode0(options = {}): Promise<string> {
    const name = `topic-${nextTopic++}`;
    await broker.createTopic(name, { assignments: [[0]], ...options });
    return name;
  }

  function produceTo(topic: string, records: RecordsInput | null, options: { version?: number; acks?: number } = {}) {
    const { version = 9, acks = -1 } = options;
    const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }];
    return client.send(Produce, version, { acks, timeoutMs: 1000, topicData });
  }

  async function produced(topic: string, records: RecordsInput | null, version = 9) {
    const response = await produceTo(topic, records, { version });
    const { errorCode, baseOffset } = response.responses.at(0).partitionResponses.at(0);
    return { errorCode, baseOffset: baseOffset.toNumber() };
  }

  interface FetchOptions {
    version?: number;
    offset?: number;
    maxWaitMs?: number;
    minBytes?: number;
    maxBytes?: number;
    partitionMaxBytes?: number;
    topics?: string[];
    currentLeaderEpoch?: number;
  }

  function fetchRequest(topic: string, options: FetchOptions = {}) {
    const { offset = 0, maxWaitMs = 0, minBytes = 1, maxBytes = 1 << 20, partitionMaxBytes = 1 << 20 } = options;
    const { topics = [topic], currentLeaderEpoch = -1 } = options;
    return {
      maxWaitMs,
      minBytes,
      maxBytes,
      topics: topics.map((name) => ({
        topic: name,
        partitions: [{ partition: 0, fetchOffset: offset, partitionMaxBytes, currentLeaderEpoch }],
      })),
    };
  }

  async function fetched(topic: string, options: FetchOptions = {}) {
    const response = await client.send(Fetch, options.version ?? 12, fetchRequest(topic, options));
    return response.responses.at(0).partitions.at(0);
  }

  describe('ApiVersions', () => {
    for (const version of [0, 1, 2, 3, 4]) {
      test(`version ${version} lists what is served`, async () => {
        const request = { clientSoftwareName: 'offthread-kafka', clientSoftwareVersion: '0.1.0' };
        const response = await client.send(ApiVersions, version, request);
        assert.equal(response.errorCode, 0);
        assert.deepEqual(
          response.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion]),
          [Produce, Fetch, ListOffsets, Metadata, FindCoordinator, ApiVersions, CreateTopics, DeleteTopics].map(
            ({ key, minVersion, maxVersion }) => [key, minVersion, maxVersion],
          ),
        );
      });
    }

    test('answers an unknown version in version 0 with error 35 and stays connected', async () => {
      // Version 9, correlation id 77, null client id, empty tags: a header of version 2, no body that it could know.
      client.socket.write(Buffer.from('0000000b' + '00120009' + '0000004d' + 'ffff' + '00', 'hex'));
      const frame = await client.readFrame();
      assert.equal(frame.toString('hex'), '0000004d' + '0023' + '00000001' + '001200000004');
      assert.equal((await client.send(ApiVersions, 0, {})).errorCode, 0);
    });

    test('refuses a client without a proper name', async () => {
      const response = await client.send(ApiVersions, 3, { clientSoftwareName: '-bad-', clientSoftwareVersion: '1' });
      assert.equal(response.errorCode, errorCodes.INVALID_REQUEST);
    });

    test('announces what it is told, and accepts no more', async () => {
      await broker.setApiVersions(Metadata.key, [2, 5]);
      const announced = await client.send(ApiVersions, 0, {});
      const range = announced.apiKeys.find(({ apiKey }) => apiKey === Metadata.key)!;
      assert.deepEqual([range.minVersion, range.maxVersion], [2, 5]);
      const other = await open(1);
      await assert.rejects(other.send(Metadata, 9, { topics: [] }), { code: null });
      await broker.setApiVersions(Metadata.key, [Metadata.minVersion, Metadata.maxVersion]);
      assert.match((await broker.stats()).refusals.at(-1)!, /API key 3 version 9/);
    });
  });

  describe('Metadata', () => {
    for (let version = 0; version <= Metadata.maxVersion; version++) {
      test(`version ${version} describes brokers, topics and partitions`, async () => {
        const response = await client.send(Metadata, version, { topics: [{ name: 'two' }] });
        assert.deepEqual(
          response.brokers.map(({ nodeId, host, port }) => ({ id: nodeId, host, port })),
          broker.nodes.map(({ id, host, port }) => ({ id, host, port })),
        );
        const topic = response.topics.at(0);
        assert.equal(response.topics.length, 1);
        assert.equal(topic.errorCode, 0);
        assert.equal(topic.name, 'two');
        if (version >= 10) assert.equal(topic.topicId, await broker.topicId('two'));
        const partitions = topic.partitions.map((p) => [
          p.partitionIndex,
          p.leaderId,
          [...p.replicaNodes],
          [...p.isrNodes],
        ]);
        assert.deepEqual(partitions, [
          [0, 0, [0, 1], [0, 1]],
          [1, 1, [1, 2], [1, 2]],
        ]);
        if (version >= 1) assert.equal(response.controllerId, 0);
        if (version >= 2) assert.equal(response.clusterId, 'embedded-cluster-000000');
      });
    }

    test('tells all topics from none', async () => {
      const count = async (version: number, topics: [] | null) =>
        (await client.send(Metadata, version, { topics })).topics.length;
      assert.ok((await count(9, null)) >= 2);
      assert.equal(await count(9, []), 0);
      assert.ok((await count(0, [])) >= 2, 'an empty list means all in version 0');
    });

    test('finds topics by id', async () => {
      const topicId = await broker.topicId('internal');
      const unknown = 'AAAAAAAAAAAAAAAAAAAAAQ';
      const topics = [
        { name: null, topicId },
        { name: null, topicId: unknown },
      ];
      const response = await client.send(Metadata, 12, { topics });
      assert.equal(response.topics.at(0).name, 'internal');
      assert.equal(response.topics.at(0).isInternal, true);
      assert.equal(response.topics.at(1).errorCode, errorCodes.UNKNOWN_TOPIC_ID);
    });

    test('creates a missing topic when asked to, and says so the next time', async () => {
      const ask = async (name: string, allowAutoTopicCreation: boolean) =>
        (await client.send(Metadata, 9, { topics: [{ name }], allowAutoTopicCreation })).topics.at(0).errorCode;
      assert.equal(await ask('missing', false), errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      assert.equal(await ask('missing', false), errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      assert.equal(await ask('missing', true), errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      assert.equal(await ask('missing', false), 0);
      assert.equal(await ask('bad name', true), errorCodes.INVALID_TOPIC_EXCEPTION);
    });

    test('shows moved leaders, lost ones and offline replicas', async () => {
      const topic = await topicOnNode0();
      await broker.moveLeader(topic, 0, 2);
      const ask = async () =>
        (await client.send(Metadata, 9, { topics: [{ name: topic }] })).topics.at(0).partitions.at(0);
      const moved = await ask();
      assert.deepEqual([moved.leaderId, moved.leaderEpoch, moved.errorCode], [2, 1, 0]);
      await broker.moveLeader(topic, 0, -1);
      const lost = await ask();
      assert.deepEqual([lost.leaderId, lost.leaderEpoch, lost.errorCode], [-1, 2, errorCodes.LEADER_NOT_AVAILABLE]);
    });
  });

  describe('Produce and Fetch', () => {
    for (let version = 0; version <= Produce.maxVersion; version++) {
      test(`Produce version ${version} appends and gives offsets`, async () => {
        const topic = await topicOnNode0();
        const topicId = await broker.topicId(topic);
        for (const round of [0, 1]) {
          const partitionData = [{ index: 0, records: values(3, round * 3) }];
          const topicData = [{ name: topic, topicId, partitionData }];
          const response = await client.send(Produce, version, { acks: 1, timeoutMs: 1000, topicData });
          const partition = response.responses.at(0).partitionResponses.at(0);
          assert.equal(partition.errorCode, 0);
          assert.equal(partition.baseOffset.toNumber(), round * 3);
        }
        assert.equal((await broker.log(topic, 0)).endOffset, 6);
      });
    }

    for (let version = 4; version <= Fetch.maxVersion; version++) {
      test(`Fetch version ${version} gets the records back`, async () => {
        const topic = await topicOnNode0({ startOffset: 1000 });
        await broker.append(topic, 0, values(2));
        await broker.append(topic, 0, values(2, 2));
        const topicId = await broker.topicId(topic);
        const partitions = [{ partition: 0, fetchOffset: 1000, partitionMaxBytes: 10_000 }];
        const response = await client.send(Fetch, version, {
          maxWaitMs: 0,
          minBytes: 1,
          topics: [{ topic, topicId, partitions }],
        });
        const partition = response.responses.at(0).partitions.at(0);
        assert.equal(partition.errorCode, 0);
        assert.equal(partition.highWatermark.toNumber(), 1004);
        assert.equal(partition.records.error, null);
        assert.deepEqual(
          [...partition.records].map((r) => [
            r.offset.toNumber(),
            r.key?.toString(),
            r.value?.toString(),
            r.timestamp.toNumber(),
          ]),
          [0, 1, 2, 3].map((i) => [1000 + i, `k${i}`, `v${i}`, time + i]),
        );
      });
    }

    for (const [produceVersion, fetchVersion] of [
      [0, 0],
      [1, 1],
      [2, 2],
      [2, 3],
    ] as const) {
      test(`old formats: Produce ${produceVersion}, Fetch ${fetchVersion}`, async () => {
        const topic = await topicOnNode0();
        assert.deepEqual(await produced(topic, values(3), produceVersion), { errorCode: 0, baseOffset: 0 });
        const { records, errorCode } = await fetched(topic, { version: fetchVersion });
        assert.equal(errorCode, 0);
        assert.deepEqual(
          [...records].map((r) => r.offset.toNumber()),
          [0, 1, 2],
        );
      });
    }

    test('a format that is too new for the version is not converted', async () => {
      const topic = await topicOnNode0();
      await broker.append(topic, 0, values(1));
      assert.equal((await fetched(topic, { version: 3 })).errorCode, errorCodes.UNSUPPORTED_VERSION);
    });

    test('stores exactly the bytes sent, but for offset and leader epoch', async () => {
      const topic = await topicOnNode0();
      await broker.append(topic, 0, values(5));
      await broker.moveLeader(topic, 0, 0);
      const sent = buildBatch({ records: values(7), compression: 'gzip' });
      assert.deepEqual(await produced(topic, sent), { errorCode: 0, baseOffset: 5 });
      const expected = Buffer.from(sent);
      expected.writeInt32BE(5, 4);
      expected.writeInt32BE(1, 12);
      const stored = Buffer.from(await broker.contents(topic, 0)).subarray(-sent.length);
      assert.deepEqual(stored, expected);
      const { records } = await fetched(topic, { offset: 5 });
      assert.equal(records.error, null);
      assert.equal(records.length, 7);
    });

    test('refuses what real brokers refuse', async () => {
      const topic = await topicOnNode0();
      const good = buildBatch(values(2));
      const corrupt = Buffer.from(good);
      corrupt[70] = corrupt[70]! ^ 1;
      const cut = good.subarray(0, -3);
      const huge = buildBatch([{ value: Buffer.alloc(200_000) }]);
      assert.deepEqual(await produced(topic, corrupt), { errorCode: errorCodes.CORRUPT_MESSAGE, baseOffset: -1 });
      assert.equal((await produced(topic, cut)).errorCode, errorCodes.CORRUPT_MESSAGE);
      assert.equal((await produced(topic, huge)).errorCode, errorCodes.MESSAGE_TOO_LARGE);
      assert.equal((await produced(topic, Buffer.concat([good, good]))).errorCode, errorCodes.INVALID_RECORD);
      assert.equal((await produced(topic, null)).errorCode, errorCodes.INVALID_RECORD);
      assert.equal((await produced('nowhere', good)).errorCode, errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      const acks = await produceTo(topic, good, { acks: 2 });
      assert.equal(acks.responses.at(0).partitionResponses.at(0).errorCode, errorCodes.INVALID_REQUIRED_ACKS);
      assert.equal((await broker.log(topic, 0)).endOffset, 0);
    });

    test('acks 0 is not answered, and an error ends the connection', async () => {
      const topic = await topicOnNode0();
      const other = await open(0);
      const topicData = [{ name: topic, partitionData: [{ index: 0, records: values(4) }] }];
      other.write(Produce, 9, { acks: 0, timeoutMs: 1000, topicData });
      assert.equal((await other.send(ApiVersions, 0, {})).errorCode, 0);
      assert.equal((await broker.log(topic, 0)).endOffset, 4);
      const bad = [{ name: 'nowhere', partitionData: [{ index: 0, records: values(4) }] }];
      other.write(Produce, 9, { acks: 0, timeoutMs: 1000, topicData: bad });
      assert.equal(await other.ended, null);
    });

    test('LogAppendTime is put on the batch, whose checksum stays right', async () => {
      const topic = await topicOnNode0({ configs: { 'message.timestamp.type': 'LogAppendTime' } });
      const response = await produceTo(topic, values(2));
      const appended = response.responses.at(0).partitionResponses.at(0).logAppendTimeMs.toNumber();
      assert.ok(appended > time);
      const { records } = await fetched(topic);
      assert.equal(records.error, null);
      assert.deepEqual(
        [...records].map((r) => r.timestamp.toNumber()),
        [appended, appended],
      );
    });

    test('limits: the first batch comes whole, others only if they fit, fields may be cut', async () => {
      const [first, second] = [await topicOnNode0(), await topicOnNode0()];
      for (const topic of [first, second]) {
        for (let i = 0; i < 3; i++) await broker.append(topic, 0, [{ value: Buffer.alloc(1000, i) }]);
      }
      const bytes = buildBatch([{ value: Buffer.alloc(1000) }]).length;
      const sizes = async (version: number, maxBytes: number, partitionMaxBytes = 1 << 20) => {
        const request = fetchRequest('', { topics: [first, second], maxBytes, partitionMaxBytes });
        const response = await client.send(Fetch, version, request);
        return response.responses.map((topic) => {
          const { records } = topic.partitions.at(0);
          return [records.length, records.tailBytes];
        });
      };
      assert.deepEqual(await sizes(12, 1), [
        [1, 0],
        [0, 0],
      ]);
      assert.deepEqual(await sizes(12, 2 * bytes + 10), [
        [2, 10],
        [0, 0],
      ]);
      assert.deepEqual(await sizes(12, 3 * bytes), [
        [3, 0],
        [0, 0],
      ]);
      assert.deepEqual(await sizes(12, 4 * bytes + 1), [
        [3, 0],
        [1, 1],
      ]);
      assert.deepEqual(await sizes(12, 1 << 20, bytes + 1), [
        [1, 1],
        [1, 1],
      ]);
      assert.deepEqual(await sizes(12, 1 << 20, 10), [
        [1, 0],
        [0, 0],
      ]);
    });

    test('before version 3 the first batch is cut like any other', async () => {
      const topic = await topicOnNode0();
      await produced(topic, values(1), 2);
      const { records } = await fetched(topic, { version: 2, partitionMaxBytes: 20 });
      assert.deepEqual([records.length, records.tailBytes], [0, 20]);
    });

    test('starts with the batch that has the offset, and checks the range', async () => {
      const topic = await topicOnNode0();
      await broker.append(topic, 0, values(10));
      await broker.append(topic, 0, values(10, 10));
      const { records } = await fetched(topic, { offset: 15 });
      assert.equal([...records][0]!.offset.toNumber(), 10);
      assert.equal((await fetched(topic, { offset: 20 })).errorCode, 0);
      assert.equal((await fetched(topic, { offset: 21 })).errorCode, errorCodes.OFFSET_OUT_OF_RANGE);
      await broker.truncateBefore(topic, 0, 12);
      const early = await fetched(topic, { offset: 5 });
      assert.equal(early.errorCode, errorCodes.OFFSET_OUT_OF_RANGE);
      assert.equal((await fetched(topic, { offset: 12 })).logStartOffset.toNumber(), 12);
      await broker.truncateBefore(topic, 0, 20);
      assert.equal((await broker.log(topic, 0)).batches, 0);
      await broker.append(topic, 0, values(1));
      assert.equal((await fetched(topic, { offset: 20 })).records.length, 1);
    });

    test('a long poll is answered by the records that come', async () => {
      const topic = await topicOnNode0();
      const before = (await broker.stats()).requests[Fetch.key] ?? 0;
      const id = client.write(Fetch, 12, fetchRequest(topic, { maxWaitMs: 600_000, minBytes: 100 }));
      await broker.waitForRequests(Fetch, before + 1);
      await broker.append(topic, 0, [{ value: 'too little' }]);
      await broker.append(topic, 0, [{ value: 'x'.repeat(100) }]);
      const response = await client.read(Fetch, 12, id);
      assert.equal(response.responses.at(0).partitions.at(0).records.length, 2);
    });

    test('a long poll ends with nothing when its time is over', async () => {
      const topic = await topicOnNode0();
      const { records, errorCode } = await fetched(topic, { maxWaitMs: 5 });
      assert.deepEqual([errorCode, records.length], [0, 0]);
    });

    test('a long poll ends with an error when the leader moves or the topic goes', async () => {
      const topic = await topicOnNode0();
      const before = (await broker.stats()).requests[Fetch.key] ?? 0;
      const first = client.write(Fetch, 16, {
        ...fetchRequest(topic, { maxWaitMs: 600_000 }),
        topics: [
          {
            topicId: await broker.topicId(topic),
            partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }],
          },
        ],
      });
      await broker.waitForRequests(Fetch, before + 1);
      await broker.moveLeader(topic, 0, 1);
      const moved = await client.read(Fetch, 16, first);
      const partition = moved.responses.at(0).partitions.at(0);
      assert.equal(partition.errorCode, errorCodes.NOT_LEADER_OR_FOLLOWER);
      assert.deepEqual([partition.currentLeader.leaderId, partition.currentLeader.leaderEpoch], [1, 1]);
      assert.equal(moved.nodeEndpoints.at(0).port, broker.nodes[1]!.port);
      await broker.moveLeader(topic, 0, 0);
      const second = client.write(Fetch, 12, fetchRequest(topic, { maxWaitMs: 600_000 }));
      await broker.waitForRequests(Fetch, before + 2);
      await broker.deleteTopic(topic);
      const gone = (await client.read(Fetch, 12, second)).responses.at(0).partitions.at(0);
      assert.equal(gone.errorCode, errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    });

    test('epochs are compared', async () => {
      const topic = await topicOnNode0();
      await broker.moveLeader(topic, 0, 0);
      assert.equal((await fetched(topic, { currentLeaderEpoch: 0 })).errorCode, errorCodes.FENCED_LEADER_EPOCH);
      assert.equal((await fetched(topic, { currentLeaderEpoch: 1 })).errorCode, 0);
      assert.equal((await fetched(topic, { currentLeaderEpoch: 2 })).errorCode, errorCodes.UNKNOWN_LEADER_EPOCH);
    });

    test('a produce to a follower is refused with a hint at the leader', async () => {
      const topic = await topicOnNode0();
      await broker.moveLeader(topic, 0, 2);
      const response = await produceTo(topic, values(1), { version: 10 });
      const partition = response.responses.at(0).partitionResponses.at(0);
      assert.equal(partition.errorCode, errorCodes.NOT_LEADER_OR_FOLLOWER);
      assert.deepEqual([partition.currentLeader.leaderId, partition.currentLeader.leaderEpoch], [2, 1]);
      assert.equal(response.nodeEndpoints.at(0).port, broker.nodes[2]!.port);
    });

    test('fetch sessions are not opened, nor continued', async () => {
      const topic = await topicOnNode0();
      const opening = await client.send(Fetch, 12, { ...fetchRequest(topic), sessionEpoch: 0 });
      assert.equal(opening.sessionId, 0);
      const going = await client.send(Fetch, 12, { ...fetchRequest(topic), sessionId: 5, sessionEpoch: 3 });
      assert.equal(going.errorCode, errorCodes.FETCH_SESSION_ID_NOT_FOUND);
    });

    test('a filled partition can be read to its end', async () => {
      const topic = await topicOnNode0();
      const batches = await broker.fill({
        topic,
        records: 2500,
        valueBytes: 50,
        recordsPerBatch: 100,
        compression: 'gzip',
      });
      assert.equal(batches, 25);
      const seen: number[] = [];
      for (let offset = 0; offset < 2500; ) {
        const { records } = await fetched(topic, { offset, partitionMaxBytes: 3000 });
        assert.equal(records.error, null);
        for (const record of records) {
          assert.equal(record.value!.length, 50);
          seen.push(record.offset.toNumber());
        }
        offset = records.nextOffset!.toNumber();
      }
      assert.deepEqual(
        seen,
        Array.from({ length: 2500 }, (_, i) => i),
      );
    });
  });

  describe('ListOffsets', () => {
    async function lookUp(topic: string, timestamp: number, version = 7): Promise<[number, number, number]> {
      const topics = [{ name: topic, partitions: [{ partitionIndex: 0, timestamp, maxNumOffsets: 1 }] }];
      const response = await client.send(ListOffsets, version, { replicaId: -1, topics });
      const { errorCode, offset, timestamp: found, oldStyleOffsets } = response.topics.at(0).partitions.at(0);
      if (version === 0) return [errorCode, oldStyleOffsets.at(0).toNumber(), -1];
      return [errorCode, offset.toNumber(), found.toNumber()];
    }

    test('finds both ends, in every version', async () => {
      const topic = await topicOnNode0({ startOffset: 3 });
      await broker.append(topic, 0, values(4));
      for (let version = 0; version <= ListOffsets.maxVersion; version++) {
        assert.deepEqual(await lookUp(topic, -2, version), [0, 3, -1], `earliest, version ${version}`);
        assert.deepEqual(await lookUp(topic, -1, version), [0, 7, -1], `latest, version ${version}`);
      }
    });

    test('finds records by time, also inside compressed batches', async () => {
      const topic = await topicOnNode0();
      await broker.append(topic, 0, { records: values(5), compression: 'gzip' });
      await broker.append(topic, 0, { records: values(5, 5), compression: 'gzip' });
      assert.deepEqual(await lookUp(topic, time), [0, 0, time]);
      assert.deepEqual(await lookUp(topic, time + 7), [0, 7, time + 7]);
      assert.deepEqual(await lookUp(topic, -3), [0, 9, time + 9]);
      assert.deepEqual(await lookUp(topic, time + 10), [0, -1, -1]);
      assert.equal((await lookUp('nowhere', -1))[0], errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    });
  });

  describe('topics and coordinators', () => {
    for (let version = 0; version <= CreateTopics.maxVersion; version++) {
      test(`CreateTopics version ${version}`, async () => {
        const topics = [
          { name: `created-${version}`, numPartitions: 3, replicationFactor: 2, assignments: [], configs: [] },
          { name: 'two', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
          { name: 'no partitions', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
          { name: 'none', numPartitions: 0, replicationFactor: 1, assignments: [], configs: [] },
          { name: 'many', numPartitions: 1, replicationFactor: 4, assignments: [], configs: [] },
          {
            name: `assigned-${version}`,
            numPartitions: -1,
            replicationFactor: -1,
            assignments: [
              { partitionIndex: 1, brokerIds: [2] },
              { partitionIndex: 0, brokerIds: [1] },
            ],
            configs: [{ name: 'max.message.bytes', value: '1000' }],
          },
        ];
        const response = await client.send(CreateTopics, version, { topics, timeoutMs: 1000 });
        assert.deepEqual(
          response.topics.map(({ errorCode }) => errorCode),
          [
            0,
            errorCodes.TOPIC_ALREADY_EXISTS,
            errorCodes.INVALID_TOPIC_EXCEPTION,
            errorCodes.INVALID_PARTITIONS,
            errorCodes.INVALID_REPLICATION_FACTOR,
            0,
          ],
        );
        if (version >= 7) assert.equal(response.topics.at(0).topicId, await broker.topicId(`created-${version}`));
        assert.equal((await broker.log(`assigned-${version}`, 1)).leaderId, 2);
      });
    }

    test('a validated topic is not created', async () => {
      const topics = [{ name: 'only-checked', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
      const response = await client.send(CreateTopics, 7, { topics, timeoutMs: 1000, validateOnly: true });
      assert.deepEqual([response.topics.at(0).errorCode, response.topics.at(0).topicId], [0, zeroUuid]);
      await assert.rejects(broker.topicId('only-checked'), /no topic/);
    });

    for (let version = 0; version <= DeleteTopics.maxVersion; version++) {
      test(`DeleteTopics version ${version}`, async () => {
        const name = await topicOnNode0();
        const request =
          version >= 6
            ? {
                topics: [
                  { name: null, topicId: await broker.topicId(name) },
                  { name: 'nowhere', topicId: zeroUuid },
                ],
              }
            : { topicNames: [name, 'nowhere'] };
        const response = await client.send(DeleteTopics, version, { ...request, timeoutMs: 1000 });
        assert.deepEqual(
          response.responses.map((topic) => [topic.name, topic.errorCode]),
          [
            [name, 0],
            ['nowhere', errorCodes.UNKNOWN_TOPIC_OR_PARTITION],
          ],
        );
        await assert.rejects(broker.topicId(name), /no topic/);
      });
    }

    test('a coordinator is the same from every node, in every version', async () => {
      const other = await open(1);
      const found = new Set<number>();
      for (const asked of [client, other]) {
        for (let version = 0; version <= 3; version++) {
          const response = await asked.send(FindCoordinator, version, { key: 'group', keyType: 0 });
          assert.equal(response.errorCode, 0);
          assert.equal(response.port, broker.nodes[response.nodeId]!.port);
          found.add(response.nodeId);
        }
        for (let version = 4; version <= FindCoordinator.maxVersion; version++) {
          const response = await asked.send(FindCoordinator, version, {
            keyType: 0,
            coordinatorKeys: ['group', 'other'],
          });
          assert.deepEqual(
            response.coordinators.map(({ key }) => key),
            ['group', 'other'],
          );
          found.add(response.coordinators.at(0).nodeId);
        }
      }
      assert.equal(found.size, 1);
    });
  });

  test('what is no request ends the connection and is noted', async () => {
    for (const [bytes, problem] of [
      ['ffffffff', /frame of -1 bytes/],
      ['00000000', /frame of 0 bytes/],
      ['7fffffff', /frame of 2147483647 bytes/],
      ['000000080063000000000001', /API key 99/],
      ['000000080003000900000001', /Metadata|request header/],
    ] as const) {
      const bad = await open(2);
      bad.socket.write(Buffer.from(bytes, 'hex'));
      assert.equal(await bad.ended, null);
      assert.match((await broker.stats()).refusals.at(-1)!, problem);
    }
  });
});
