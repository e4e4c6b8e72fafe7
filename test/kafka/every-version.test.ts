// The whole client with a real broker: every API in every version that both have.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  errorFor,
  Fetch,
  FindCoordinator,
  type KafkaClient,
  ListOffsets,
  Metadata,
  Produce,
} from '../../src/index.ts';
import { zeroUuid } from '../../src/protocol/flat/uuid.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

import {
  clientFor,
  controller,
  createTopic,
  fetch,
  produce,
  type Topic,
  versionsOf,
} from './fixture/topic-requests.ts';

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

  test('speaks every version of ApiVersions', async () => {
    for (const version of versionsOf(client, ApiVersions)) {
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
    const topic = await createTopic(client, 2);
    for (const version of versionsOf(client, Metadata)) {
      const response = await client.send(node, Metadata, { topics: [{ name: topic.name }] }, { version });
      assert.ok(response.brokers.length >= 1, `version ${version}`);
      assert.equal(response.topics.at(0).name, topic.name);
      assert.equal(response.topics.at(0).errorCode, 0);
      assert.equal(response.topics.at(0).partitions.length, 2);
      if (version >= 10) assert.equal(response.topics.at(0).topicId, topic.topicId);
    }
  });

  test('speaks every version of Produce, and of Fetch', { timeout: 300_000 }, async () => {
    const topic = await createTopic(client);
    const offsets: number[] = [];
    const produced = versionsOf(client, Produce).filter((version) => version >= 3);
    for (const version of produced) {
      offsets.push(
        await produce(client, topic, [{ key: `v${version}`, value: `by version ${version}`, timestamp: time }], {
          version,
        }),
      );
    }
    for (const version of versionsOf(client, Fetch)) {
      const records = await fetch(client, topic, 0, { version });
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
    const topic = await createTopic(client);
    for (let i = 0; i < 5; i++) await produce(client, topic, [{ value: `${i}`, timestamp: time + i * 1000 }]);
    for (const version of versionsOf(client, ListOffsets)) {
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
    for (const version of versionsOf(client, FindCoordinator)) {
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
    for (const version of versionsOf(client, CreateTopics)) created.push(await createTopic(client, 1, version));
    for (const version of versionsOf(client, DeleteTopics)) {
      const topic = created.pop() ?? (await createTopic(client));
      const byName =
        version >= 6 ? { topics: [{ name: topic.name, topicId: zeroUuid }] } : { topicNames: [topic.name] };
      const response = await client.send(
        await controller(client),
        DeleteTopics,
        { ...byName, timeoutMs: 10_000 },
        { version },
      );
      const { name, errorCode } = response.responses.at(0);
      assert.deepEqual([name, errorCode], [topic.name, 0], `version ${version}`);
    }
  });
});
