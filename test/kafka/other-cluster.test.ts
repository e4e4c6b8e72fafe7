// Another cluster takes the place of a real broker: the address, the node id and the topic names are the same.

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { CreateTopics, errorFor, Fetch, type KafkaClient, Produce } from '../../src/index.ts';
import { openClient } from '../broker/support/client.ts';
import { byName, fetchedRecords, fetchRequest, produceRequest } from '../broker/support/requests.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

const node = 1;
const topic = 'moved';

describeKafka(
  'another cluster at the same address',
  (suite) => {
    test('is logged as an error, and nothing of the former cluster is kept', { timeout: 300_000 }, async (t) => {
      const [broker] = suite.kafka.brokers;
      const told: string[] = [];
      const client = await openClient(t, {
        bootstrapServers: suite.kafka.bootstrapServers,
        apiVersionAutoTimeoutMs: 90_000,
        reconnectBackoffMaxMs: 200,
        logger: {
          error: ({ event }, message) => {
            if (event === 'cluster-changed') told.push(message);
          },
          warn: () => {},
          info: () => {},
          debug: () => {},
        },
      });
      await client.awaitReady(node);
      await write(client, 'former');
      const { clusterId: formerCluster } = client.cluster;
      const formerTopic = client.cluster.topicId(topic);

      await broker!.kill('SIGKILL');
      await rm(broker!.dataFolder, { recursive: true });
      await broker!.prepare('b3RoZXItY2x1c3Rlci0tLQ');
      await broker!.start();
      await waitFor('metadata of the other cluster', () => told.length > 0);
      await client.poll(0);
      assert.match(told[0]!, new RegExp(`was '${formerCluster}' and is now 'b3RoZXItY2x1c3Rlci0tLQ'`));
      assert.equal(client.cluster.clusterId, 'b3RoZXItY2x1c3Rlci0tLQ');
      assert.equal(client.cluster.leaderForPartition({ topic, partition: 0 }), null, 'it has no such topic so far');
      await client.awaitReady(node);
      await write(client, 'later');
      assert.notEqual(client.cluster.topicId(topic), formerTopic);
      const fetched = await client.send(node, Fetch, fetchRequest(topic), byName);
      assert.deepEqual(
        [...fetchedRecords(fetched)].map(({ value }) => value?.toString()),
        ['later'],
      );
      assert.equal(told.length, 1);
    });

    async function write(client: KafkaClient, value: string): Promise<void> {
      const topics = [{ name: topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
      await client.send(node, CreateTopics, { topics, timeoutMs: 10_000 });
      await client.setTopics([topic]);
      await waitFor('a leader', async () => {
        const response = await client.send(node, Produce, produceRequest(topic, [{ value }]), byName);
        const error = errorFor(response.responses.at(0).partitionResponses.at(0).errorCode);
        assert.ok(error === null || error.retriable, String(error));
        return error === null;
      });
      await client.refreshMetadata();
    }
  },
  { ownBroker: true },
);
