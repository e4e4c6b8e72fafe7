// Metadata of a real cluster of three brokers: its content, leaders that move, topics that are deleted and created again.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  AlterPartitionReassignments,
  CreateTopics,
  DeleteTopics,
  FindCoordinator,
  KafkaClient,
  type PartitionMetadata,
  Produce,
} from '../../src/index.ts';
import { zeroUuid } from '../../src/protocol/flat/uuid.ts';
import { openClient } from '../broker/support/client.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

const notLeader = 6;
const nodes = [1, 2, 3];

describeKafka(
  'a real cluster',
  (suite) => {
    /** Makes changes; another client has to find out. */
    let admin: KafkaClient;

    before(async () => {
      admin = await KafkaClient.start(options());
      await Promise.all(nodes.map((nodeId) => admin.awaitReady(nodeId, { timeoutMs: 120_000 })));
    });

    after(async () => {
      await admin?.close();
    });

    const options = () => ({
      bootstrapServers: suite.kafka.bootstrapServers,
      apiVersionAutoTimeoutMs: 90_000,
      retryBackoffMs: 20,
    });

    /** With one partition, led by `leader`. */
    async function createTopic(leader: number, name = `test-${randomUUID()}`): Promise<string> {
      const topic = {
        name,
        numPartitions: -1,
        replicationFactor: -1,
        assignments: [{ partitionIndex: 0, brokerIds: [leader] }],
        configs: [],
      };
      const { topics } = await admin.send(leader, CreateTopics, { topics: [topic], timeoutMs: 10_000 });
      assert.equal(topics.at(0).errorCode, 0, String(topics.at(0).errorMessage));
      await ledBy(admin, name, leader);
      return name;
    }

    /** Waits until the client knows that. */
    async function ledBy(client: KafkaClient, topic: string, leader: number): Promise<PartitionMetadata> {
      client.setTopics([topic]);
      return waitFor(`${topic} to be led by ${leader}`, async () => {
        const cluster = await client.refreshMetadata();
        const partition = cluster.partition({ topic, partition: 0 });
        return partition?.leader === leader ? partition : null;
      });
    }

    async function moveTo(name: string, leader: number): Promise<void> {
      const partitions = [{ partitionIndex: 0, replicas: [leader] }];
      const response = await admin.send(leader, AlterPartitionReassignments, { topics: [{ name, partitions }] });
      assert.equal(response.errorCode, 0);
      await ledBy(admin, name, leader);
    }

    test('names its brokers, its leaders and its cluster id', async (t) => {
      const client = await openClient(t, options());
      const name = await createTopic(2);
      await ledBy(client, name, 2);
      const { cluster } = client;
      assert.deepEqual(
        cluster
          .brokers()
          .map(({ nodeId }) => nodeId)
          .sort(),
        nodes,
      );
      assert.ok(nodes.includes(cluster.controller!.nodeId));
      assert.equal(cluster.clusterId, admin.cluster.clusterId);
      assert.equal(cluster.clusterId!.length, 22);
      assert.deepEqual(cluster.partitionsForBroker(2), [{ topic: name, partition: 0 }]);
      assert.equal(cluster.partitionsForBroker(1), null);
      assert.deepEqual(cluster.partition({ topic: name, partition: 0 })!.replicas, [2]);
    });

    test('names the new leader in an error response, and the client uses it without a refresh', async (t) => {
      const client = await openClient(t, options());
      const topic = await createTopic(1);
      const before = await ledBy(client, topic, 1);
      await Promise.all([client.awaitReady(1), client.awaitReady(2)]);
      const { updateId } = client.cluster;
      await moveTo(topic, 2);
      const request = {
        acks: -1,
        timeoutMs: 5000,
        topicData: [
          { topicId: client.cluster.topicId(topic)!, partitionData: [{ index: 0, records: [{ value: 'v' }] }] },
        ],
      };
      await waitFor('the former leader to know better', async () => {
        const { responses } = await client.send(1, Produce, request);
        return responses.at(0).partitionResponses.at(0).errorCode === notLeader;
      });
      const known = client.cluster.partition({ topic, partition: 0 })!;
      assert.equal(known.leader, 2);
      assert.ok(known.leaderEpoch > before.leaderEpoch);
      const { responses } = await client.send(2, Produce, request);
      assert.equal(responses.at(0).partitionResponses.at(0).errorCode, 0);
      assert.equal(client.cluster.updateId, updateId);
    });

    test('gives a topic that is created again another id, and new epochs', async (t) => {
      const client = await openClient(t, options());
      const name = await createTopic(1);
      await moveTo(name, 3);
      const { leaderEpoch } = await ledBy(client, name, 3);
      const id = client.cluster.topicId(name);
      assert.ok(leaderEpoch > 0);
      const deleted = await admin.send(1, DeleteTopics, { topics: [{ name, topicId: zeroUuid }], timeoutMs: 10_000 });
      assert.equal(deleted.responses.at(0).errorCode, 0);
      await waitFor('the topic to be gone', async () => {
        await client.refreshMetadata();
        return client.cluster.partitionsForTopic(name) === null;
      });
      await createTopic(3, name);
      const anew = await ledBy(client, name, 3);
      assert.notEqual(client.cluster.topicId(name), id);
      assert.ok(anew.leaderEpoch < leaderEpoch);
    });

    test('is asked about a missing topic until the topic exists', async (t) => {
      const client = await openClient(t, options());
      const name = `test-${randomUUID()}`;
      await client.setTopics([name]);
      assert.equal(client.cluster.partitionsForTopic(name), null);
      await createTopic(2, name);
      await waitFor(
        'metadata to come by itself',
        () => client.cluster.leaderForPartition({ topic: name, partition: 0 }) === 2,
      );
    });

    test('has coordinators on brokers, with separate connections', async (t) => {
      const client = await openClient(t, options());
      await client.awaitReady(1);
      const group = 'readers';
      const nodeId = await waitFor('a coordinator', async () => {
        const found = await client.send(1, FindCoordinator, { keyType: 0, coordinatorKeys: [group] });
        return client.cluster.addGroupCoordinator(group, found);
      });
      const broker = client.cluster.brokerMetadata(2147483647 - nodeId)!;
      assert.ok(nodes.includes(broker.nodeId));
      assert.equal(client.cluster.brokerMetadata(nodeId)!.port, broker.port);
      await client.awaitReady(nodeId);
      const again = await client.send(nodeId, FindCoordinator, { keyType: 0, coordinatorKeys: [group] });
      assert.equal(client.cluster.addGroupCoordinator(group, again), nodeId);
    });
  },
  { brokers: 3, heapMegabytes: 256 },
);
