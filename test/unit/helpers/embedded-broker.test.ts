import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  FindCoordinator,
  Metadata,
} from '../../../src/protocol/flat/generated/apis.ts';
import { zeroUuid } from '../../../src/protocol/flat/uuid.ts';
import { servedApis } from '../../../src/testing/apis/index.ts';
import { errorCodes } from '../../helpers/embedded-broker.ts';
import { BrokerHarness } from './broker-harness.ts';

describe('the embedded broker', () => {
  const harness = new BrokerHarness();

  describe('ApiVersions', () => {
    for (const version of [0, 1, 2, 3, 4]) {
      test(`version ${version} lists what is served`, async () => {
        const request = { clientSoftwareName: 'offthread-kafka', clientSoftwareVersion: '0.1.0' };
        const response = await harness.client.send(ApiVersions, version, request);
        assert.equal(response.errorCode, 0);
        assert.deepEqual(
          response.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion]),
          servedApis
            .map(({ api }) => [api.key, api.minVersion, api.maxVersion - (api.latestVersionUnstable ? 1 : 0)])
            .sort((a, b) => a[0]! - b[0]!),
        );
      });
    }

    test('answers an unknown version in version 0 with error 35 and stays connected', async () => {
      // Version 9, correlation id 77, null client id, empty tags: a header of version 2, no body that it could know.
      harness.client.socket.write(Buffer.from('0000000b' + '00120009' + '0000004d' + 'ffff' + '00', 'hex'));
      const frame = await harness.client.readFrame();
      assert.equal(frame.toString('hex'), '0000004d' + '0023' + '00000001' + '001200000005');
      assert.equal((await harness.client.send(ApiVersions, 0, {})).errorCode, 0);
    });

    test('refuses a client without a proper name', async () => {
      const response = await harness.client.send(ApiVersions, 3, {
        clientSoftwareName: '-bad-',
        clientSoftwareVersion: '1',
      });
      assert.equal(response.errorCode, errorCodes.INVALID_REQUEST);
    });

    test('compares its cluster and node with those that a connection is meant for', async () => {
      const name = { clientSoftwareName: 'test', clientSoftwareVersion: '1' };
      const ask = async (clusterId: string | null, nodeId: number, version = 5): Promise<number> =>
        (await harness.client.send(ApiVersions, version, { ...name, clusterId, nodeId })).errorCode;
      const { clusterId } = await harness.client.send(Metadata, 12, { topics: [] });
      assert.equal(await ask(null, -1), 0);
      assert.equal(await ask(clusterId, 0), 0);
      assert.equal(await ask(clusterId, 1), 129);
      assert.equal(await ask('another', 0), 129);
      assert.equal(await ask(clusterId, -1), 42);
      assert.equal(await ask(null, 0), 42);
      assert.equal(await ask('another', 7, 4), 0, 'older versions are not compared');
      const rule = await harness.broker.control(Metadata, { body: { clusterId: 'scripted', brokers: [], topics: [] } });
      assert.equal(await ask('scripted', 0), 129, 'nobody has heard of it yet');
      await harness.client.send(Metadata, 12, { topics: [] });
      await rule.remove();
      assert.equal(await ask('scripted', 0), 0, 'an id that a scripted answer gave');
      assert.equal(await ask('scripted', 1), 129);
    });

    test('announces and accepts only the configured versions', async () => {
      await harness.broker.setApiVersions(Metadata.key, [2, 5]);
      const announced = await harness.client.send(ApiVersions, 0, {});
      const range = announced.apiKeys.find(({ apiKey }) => apiKey === Metadata.key)!;
      assert.deepEqual([range.minVersion, range.maxVersion], [2, 5]);
      const other = await harness.open(1);
      await assert.rejects(other.send(Metadata, 9, { topics: [] }), { code: null });
      await harness.broker.setApiVersions(Metadata.key, [Metadata.minVersion, Metadata.maxVersion]);
      assert.match((await harness.broker.stats()).refusals.at(-1)!, /API key 3 version 9/);
    });
  });

  describe('Metadata', () => {
    for (let version = 0; version <= Metadata.maxVersion; version++) {
      test(`version ${version} describes brokers, topics and partitions`, async () => {
        const response = await harness.client.send(Metadata, version, { topics: [{ name: 'two' }] });
        assert.deepEqual(
          response.brokers.map(({ nodeId, host, port }) => ({ id: nodeId, host, port })),
          harness.broker.nodes.map(({ id, host, port }) => ({ id, host, port })),
        );
        const topic = response.topics.at(0);
        assert.equal(response.topics.length, 1);
        assert.equal(topic.errorCode, 0);
        assert.equal(topic.name, 'two');
        if (version >= 10) assert.equal(topic.topicId, await harness.broker.topicId('two'));
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

    test('distinguishes all topics from no topics', async () => {
      const count = async (version: number, topics: [] | null) =>
        (await harness.client.send(Metadata, version, { topics })).topics.length;
      assert.ok((await count(9, null)) >= 2);
      assert.equal(await count(9, []), 0);
      assert.ok((await count(0, [])) >= 2, 'an empty list means all in version 0');
    });

    test('finds topics by id', async () => {
      const topicId = await harness.broker.topicId('internal');
      const unknown = 'AAAAAAAAAAAAAAAAAAAAAQ';
      const topics = [
        { name: null, topicId },
        { name: null, topicId: unknown },
      ];
      const response = await harness.client.send(Metadata, 12, { topics });
      assert.equal(response.topics.at(0).name, 'internal');
      assert.equal(response.topics.at(0).isInternal, true);
      assert.equal(response.topics.at(1).errorCode, errorCodes.UNKNOWN_TOPIC_ID);
    });

    test('creates a missing topic when asked to, and says so the next time', async () => {
      const ask = async (name: string, allowAutoTopicCreation: boolean) =>
        (await harness.client.send(Metadata, 9, { topics: [{ name }], allowAutoTopicCreation })).topics.at(0).errorCode;
      assert.equal(await ask('missing', false), errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      assert.equal(await ask('missing', false), errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      assert.equal(await ask('missing', true), errorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      assert.equal(await ask('missing', false), 0);
      assert.equal(await ask('bad name', true), errorCodes.INVALID_TOPIC_EXCEPTION);
    });

    test('shows moved leaders, lost ones and offline replicas', async () => {
      const topic = await harness.topicOnNode0();
      await harness.broker.moveLeader(topic, 0, 2);
      const ask = async () =>
        (await harness.client.send(Metadata, 9, { topics: [{ name: topic }] })).topics.at(0).partitions.at(0);
      const moved = await ask();
      assert.deepEqual([moved.leaderId, moved.leaderEpoch, moved.errorCode], [2, 1, 0]);
      await harness.broker.moveLeader(topic, 0, -1);
      const lost = await ask();
      assert.deepEqual([lost.leaderId, lost.leaderEpoch, lost.errorCode], [-1, 2, errorCodes.LEADER_NOT_AVAILABLE]);
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
        const response = await harness.client.send(CreateTopics, version, { topics, timeoutMs: 1000 });
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
        if (version >= 7)
          assert.equal(response.topics.at(0).topicId, await harness.broker.topicId(`created-${version}`));
        assert.equal((await harness.broker.log(`assigned-${version}`, 1)).leaderId, 2);
      });
    }

    test('a validated topic is not created', async () => {
      const topics = [{ name: 'only-checked', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
      const response = await harness.client.send(CreateTopics, 7, { topics, timeoutMs: 1000, validateOnly: true });
      assert.equal(response.topics.at(0).errorCode, 0);
      await assert.rejects(harness.broker.topicId('only-checked'), /no topic/);
    });

    for (let version = 0; version <= DeleteTopics.maxVersion; version++) {
      test(`DeleteTopics version ${version}`, async () => {
        const name = await harness.topicOnNode0();
        const request =
          version >= 6
            ? {
                topics: [
                  { name: null, topicId: await harness.broker.topicId(name) },
                  { name: 'nowhere', topicId: zeroUuid },
                ],
              }
            : { topicNames: [name, 'nowhere'] };
        const response = await harness.client.send(DeleteTopics, version, { ...request, timeoutMs: 1000 });
        assert.deepEqual(
          response.responses.map((topic) => [topic.name, topic.errorCode]),
          [
            [name, 0],
            ['nowhere', errorCodes.UNKNOWN_TOPIC_OR_PARTITION],
          ],
        );
        await assert.rejects(harness.broker.topicId(name), /no topic/);
      });
    }

    test('a coordinator is the same from every node, in every version', async () => {
      const other = await harness.open(1);
      const found = new Set<number>();
      for (const asked of [harness.client, other]) {
        for (let version = 0; version <= 3; version++) {
          const response = await asked.send(FindCoordinator, version, { key: 'group', keyType: 0 });
          assert.equal(response.errorCode, 0);
          assert.equal(response.port, harness.broker.nodes[response.nodeId]!.port);
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

  test('bytes that are not a request end the connection and are noted', async () => {
    for (const [bytes, problem] of [
      ['ffffffff', /frame of -1 bytes/],
      ['00000000', /frame of 0 bytes/],
      ['7fffffff', /frame of 2147483647 bytes/],
      ['000000080063000000000001', /API key 99/],
      ['000000080003000900000001', /Metadata|request header/],
    ] as const) {
      const bad = await harness.open(2);
      bad.socket.write(Buffer.from(bytes, 'hex'));
      assert.equal(await bad.ended, null);
      assert.match((await harness.broker.stats()).refusals.at(-1)!, problem);
    }
  });
});
