import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ApiVersions, Fetch, ListOffsets, Produce } from '../../../src/protocol/flat/generated/apis.ts';
import { asCompacted, buildBatch, errorCodes } from '../../helpers/embedded-broker.ts';
import { BrokerHarness, fetchRequest, time, values } from './broker-harness.ts';

describe('records in the embedded broker', () => {
  const harness = new BrokerHarness();

  describe('Produce and Fetch', () => {
    for (let version = 0; version <= Produce.maxVersion; version++) {
      test(`Produce version ${version} appends and gives offsets`, async () => {
        const topic = await harness.topicOnNode0();
        const topicId = await harness.broker.topicId(topic);
        for (const round of [0, 1]) {
          const partitionData = [{ index: 0, records: values(3, round * 3) }];
          const topicData = [{ name: topic, topicId, partitionData }];
          const response = await harness.client.send(Produce, version, { acks: 1, timeoutMs: 1000, topicData });
          const partition = response.responses.at(0).partitionResponses.at(0);
          assert.equal(partition.errorCode, 0);
          assert.equal(partition.baseOffset.toNumber(), round * 3);
        }
        assert.equal((await harness.broker.log(topic, 0)).endOffset, 6);
      });
    }

    for (let version = 4; version <= Fetch.maxVersion; version++) {
      test(`Fetch version ${version} gets the records back`, async () => {
        const topic = await harness.topicOnNode0({ startOffset: 1000 });
        await harness.broker.append(topic, 0, values(2));
        await harness.broker.append(topic, 0, values(2, 2));
        const topicId = await harness.broker.topicId(topic);
        const partitions = [{ partition: 0, fetchOffset: 1000, partitionMaxBytes: 10_000 }];
        const response = await harness.client.send(Fetch, version, {
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
        const topic = await harness.topicOnNode0();
        assert.deepEqual(await harness.produced(topic, values(3), produceVersion), { errorCode: 0, baseOffset: 0 });
        const { records, errorCode } = await harness.fetched(topic, { version: fetchVersion });
        assert.equal(errorCode, 0);
        assert.deepEqual(
          [...records].map((r) => r.offset.toNumber()),
          [0, 1, 2],
        );
      });
    }

    test('a format that is too new for the version is not converted', async () => {
      const topic = await harness.topicOnNode0();
      await harness.broker.append(topic, 0, values(1));
      assert.equal((await harness.fetched(topic, { version: 3 })).errorCode, errorCodes.UNSUPPORTED_VERSION);
    });

    test('stores the same bytes, except offset and leader epoch', async () => {
      const topic = await harness.topicOnNode0();
      await harness.broker.append(topic, 0, values(5));
      await harness.broker.moveLeader(topic, 0, 0);
      const sent = buildBatch({ records: values(7), compression: 'gzip' });
      assert.deepEqual(await harness.produced(topic, sent), { errorCode: 0, baseOffset: 5 });
      const expected = Buffer.from(sent);
      expected.writeInt32BE(5, 4);
      expected.writeInt32BE(1, 12);
      const stored = Buffer.from(await harness.broker.contents(topic, 0)).subarray(-sent.length);
      assert.deepEqual(stored, expected);
      const { records } = await harness.fetched(topic, { offset: 5 });
      assert.equal(records.error, null);
      assert.equal(records.length, 7);
    });

    test('refuses what real brokers refuse', async () => {
      const topic = await harness.topicOnNode0();
      const good = buildBatch(values(2));
      const corrupt = Buffer.from(good);
      corrupt[70] = corrupt[70]! ^ 1;
      const cut = good.subarray(0, -3);
      const huge = buildBatch([{ value: Buffer.alloc(200_000) }]);
      assert.deepEqual(await harness.produced(topic, corrupt), {
        errorCode: errorCodes.CORRUPT_MESSAGE,
        baseOffset: -1,
      });
      assert.equal((await harness.produced(topic, cut)).errorCode, errorCodes.CORRUPT_MESSAGE);
      assert.equal((await harness.produced(topic, huge)).errorCode, errorCodes.MESSAGE_TOO_LARGE);
      assert.equal((await harness.produced(topic, Buffer.concat([good, good]))).errorCode, errorCodes.INVALID_RECORD);
      assert.equal((await harness.produced(topic, null)).errorCode, errorCodes.INVALID_RECORD);
      assert.equal((await harness.produced('nowhere', good)).errorCode, errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      const acks = await harness.produceTo(topic, good, { acks: 2 });
      assert.equal(acks.responses.at(0).partitionResponses.at(0).errorCode, errorCodes.INVALID_REQUIRED_ACKS);
      assert.equal((await harness.broker.log(topic, 0)).endOffset, 0);
    });

    test('acks 0 is not answered, and an error ends the connection', async () => {
      const topic = await harness.topicOnNode0();
      const other = await harness.open(0);
      const topicData = [{ name: topic, partitionData: [{ index: 0, records: values(4) }] }];
      other.write(Produce, 9, { acks: 0, timeoutMs: 1000, topicData });
      assert.equal((await other.send(ApiVersions, 0, {})).errorCode, 0);
      assert.equal((await harness.broker.log(topic, 0)).endOffset, 4);
      const bad = [{ name: 'nowhere', partitionData: [{ index: 0, records: values(4) }] }];
      other.write(Produce, 9, { acks: 0, timeoutMs: 1000, topicData: bad });
      assert.equal(await other.ended, null);
    });

    test('LogAppendTime is put on the batch, whose checksum stays right', async () => {
      const topic = await harness.topicOnNode0({ configs: { 'message.timestamp.type': 'LogAppendTime' } });
      const response = await harness.produceTo(topic, values(2));
      const appended = response.responses.at(0).partitionResponses.at(0).logAppendTimeMs.toNumber();
      assert.ok(appended > time);
      const { records } = await harness.fetched(topic);
      assert.equal(records.error, null);
      assert.deepEqual(
        [...records].map((r) => r.timestamp.toNumber()),
        [appended, appended],
      );
    });

    test('within limits the first batch is complete, others come only if they fit, and fields may be cut', async () => {
      const [first, second] = [await harness.topicOnNode0(), await harness.topicOnNode0()];
      for (const topic of [first, second]) {
        for (let i = 0; i < 3; i++) await harness.broker.append(topic, 0, [{ value: Buffer.alloc(1000, i) }]);
      }
      const bytes = buildBatch([{ value: Buffer.alloc(1000) }]).length;
      const sizes = async (version: number, maxBytes: number, partitionMaxBytes = 1 << 20) => {
        const request = fetchRequest('', { topics: [first, second], maxBytes, partitionMaxBytes });
        const response = await harness.client.send(Fetch, version, request);
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
      const topic = await harness.topicOnNode0();
      await harness.produced(topic, values(1), 2);
      const { records } = await harness.fetched(topic, { version: 2, partitionMaxBytes: 20 });
      assert.deepEqual([records.length, records.tailBytes], [0, 20]);
    });

    test('starts with the batch that has the offset, and checks the range', async () => {
      const topic = await harness.topicOnNode0();
      await harness.broker.append(topic, 0, values(10));
      await harness.broker.append(topic, 0, values(10, 10));
      const { records } = await harness.fetched(topic, { offset: 15 });
      assert.equal([...records][0]!.offset.toNumber(), 10);
      assert.equal((await harness.fetched(topic, { offset: 20 })).errorCode, 0);
      assert.equal((await harness.fetched(topic, { offset: 21 })).errorCode, errorCodes.OFFSET_OUT_OF_RANGE);
      await harness.broker.truncateBefore(topic, 0, 12);
      const early = await harness.fetched(topic, { offset: 5 });
      assert.equal(early.errorCode, errorCodes.OFFSET_OUT_OF_RANGE);
      assert.equal((await harness.fetched(topic, { offset: 12 })).logStartOffset.toNumber(), 12);
      await harness.broker.truncateBefore(topic, 0, 20);
      assert.equal((await harness.broker.log(topic, 0)).batches, 0);
      await harness.broker.append(topic, 0, values(1));
      assert.equal((await harness.fetched(topic, { offset: 20 })).records.length, 1);
    });

    test('a long poll is answered when records come', async () => {
      const topic = await harness.topicOnNode0();
      const before = (await harness.broker.stats()).requests[Fetch.key] ?? 0;
      const id = harness.client.write(Fetch, 12, fetchRequest(topic, { maxWaitMs: 600_000, minBytes: 100 }));
      await harness.broker.waitForRequests(Fetch, before + 1);
      await harness.broker.append(topic, 0, [{ value: 'too little' }]);
      await harness.broker.append(topic, 0, [{ value: 'x'.repeat(100) }]);
      const response = await harness.client.read(Fetch, 12, id);
      assert.equal(response.responses.at(0).partitions.at(0).records.length, 2);
    });

    test('a long poll ends with nothing when its time is over', async () => {
      const topic = await harness.topicOnNode0();
      const { records, errorCode } = await harness.fetched(topic, { maxWaitMs: 5 });
      assert.deepEqual([errorCode, records.length], [0, 0]);
    });

    test('a long poll ends with an error when the leader moves or the topic goes', async () => {
      const topic = await harness.topicOnNode0();
      const before = (await harness.broker.stats()).requests[Fetch.key] ?? 0;
      const first = harness.client.write(Fetch, 16, {
        ...fetchRequest(topic, { maxWaitMs: 600_000 }),
        topics: [
          {
            topicId: await harness.broker.topicId(topic),
            partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }],
          },
        ],
      });
      await harness.broker.waitForRequests(Fetch, before + 1);
      await harness.broker.moveLeader(topic, 0, 1);
      const moved = await harness.client.read(Fetch, 16, first);
      const partition = moved.responses.at(0).partitions.at(0);
      assert.equal(partition.errorCode, errorCodes.NOT_LEADER_OR_FOLLOWER);
      assert.deepEqual([partition.currentLeader.leaderId, partition.currentLeader.leaderEpoch], [1, 1]);
      assert.equal(moved.nodeEndpoints.at(0).port, harness.broker.nodes[1]!.port);
      await harness.broker.moveLeader(topic, 0, 0);
      const second = harness.client.write(Fetch, 12, fetchRequest(topic, { maxWaitMs: 600_000 }));
      await harness.broker.waitForRequests(Fetch, before + 2);
      await harness.broker.deleteTopic(topic);
      const gone = (await harness.client.read(Fetch, 12, second)).responses.at(0).partitions.at(0);
      assert.equal(gone.errorCode, errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    });

    test('leader epochs are compared', async () => {
      const topic = await harness.topicOnNode0();
      await harness.broker.moveLeader(topic, 0, 0);
      assert.equal((await harness.fetched(topic, { currentLeaderEpoch: 0 })).errorCode, errorCodes.FENCED_LEADER_EPOCH);
      assert.equal((await harness.fetched(topic, { currentLeaderEpoch: 1 })).errorCode, 0);
      assert.equal(
        (await harness.fetched(topic, { currentLeaderEpoch: 2 })).errorCode,
        errorCodes.UNKNOWN_LEADER_EPOCH,
      );
    });

    test('a produce to a follower is refused with a hint at the leader', async () => {
      const topic = await harness.topicOnNode0();
      await harness.broker.moveLeader(topic, 0, 2);
      const response = await harness.produceTo(topic, values(1), { version: 10 });
      const partition = response.responses.at(0).partitionResponses.at(0);
      assert.equal(partition.errorCode, errorCodes.NOT_LEADER_OR_FOLLOWER);
      assert.deepEqual([partition.currentLeader.leaderId, partition.currentLeader.leaderEpoch], [2, 1]);
      assert.equal(response.nodeEndpoints.at(0).port, harness.broker.nodes[2]!.port);
    });

    test('batches that compaction has thinned out, or emptied, keep their offsets', async () => {
      const topic = await harness.topicOnNode0();
      const batch = buildBatch(values(2));
      assert.equal(await harness.broker.append(topic, 0, asCompacted(batch, 4)), 0);
      assert.equal(await harness.broker.append(topic, 0, asCompacted(batch, 2, true)), 5);
      assert.equal(await harness.broker.append(topic, 0, batch), 8);
      const { records } = await harness.fetched(topic);
      assert.equal(records.error, null);
      assert.deepEqual(
        [...records].map((record) => record.offset.toNumber()),
        [0, 1, 8, 9],
      );
      assert.deepEqual(
        records.batches.map(({ baseOffset, lastOffset }) => [baseOffset.toNumber(), lastOffset.toNumber()]),
        [
          [0, 4],
          [5, 7],
          [8, 9],
        ],
      );
      assert.equal((await harness.produced(topic, asCompacted(batch, 4))).errorCode, errorCodes.INVALID_RECORD);
      await harness.broker.truncateLog(topic, 0, 8);
      assert.equal((await harness.broker.log(topic, 0)).endOffset, 8);
    });

    test('a filled partition can be read to its end', async () => {
      const topic = await harness.topicOnNode0();
      const batches = await harness.broker.fill({
        topic,
        records: 2500,
        valueBytes: 50,
        recordsPerBatch: 100,
        compression: 'gzip',
      });
      assert.equal(batches, 25);
      const seen: number[] = [];
      for (let offset = 0; offset < 2500; ) {
        const { records } = await harness.fetched(topic, { offset, partitionMaxBytes: 3000 });
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
      const response = await harness.client.send(ListOffsets, version, { replicaId: -1, topics });
      const { errorCode, offset, timestamp: found, oldStyleOffsets } = response.topics.at(0).partitions.at(0);
      if (version === 0) return [errorCode, oldStyleOffsets.at(0).toNumber(), -1];
      return [errorCode, offset.toNumber(), found.toNumber()];
    }

    test('finds both ends, in every version', async () => {
      const topic = await harness.topicOnNode0({ startOffset: 3 });
      await harness.broker.append(topic, 0, values(4));
      for (let version = 0; version <= ListOffsets.maxVersion; version++) {
        assert.deepEqual(await lookUp(topic, -2, version), [0, 3, -1], `earliest, version ${version}`);
        assert.deepEqual(await lookUp(topic, -1, version), [0, 7, -1], `latest, version ${version}`);
      }
    });

    test('finds records by time, also inside compressed batches', async () => {
      const topic = await harness.topicOnNode0();
      await harness.broker.append(topic, 0, { records: values(5), compression: 'gzip' });
      await harness.broker.append(topic, 0, { records: values(5, 5), compression: 'gzip' });
      assert.deepEqual(await lookUp(topic, time), [0, 0, time]);
      assert.deepEqual(await lookUp(topic, time + 7), [0, 7, time + 7]);
      assert.deepEqual(await lookUp(topic, -3), [0, 9, time + 9]);
      assert.deepEqual(await lookUp(topic, time + 10), [0, -1, -1]);
      assert.equal((await lookUp('nowhere', -1))[0], errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    });
  });
});
