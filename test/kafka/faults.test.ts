// A real broker that is slow, killed and started again, and a busy application: what the client does.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CreateTopics,
  Fetch,
  KafkaClient,
  KafkaClientError,
  KafkaConnectionError,
  ListOffsets,
  Metadata,
  NodeNotReadyError,
  Produce,
} from '../../src/index.ts';
import { openClient } from '../broker/support/client.ts';
import {
  byName,
  fetchedRecords,
  fetchRequest,
  listOffsetsRequest,
  produceRequest,
} from '../broker/support/requests.ts';
import { Settlements } from '../broker/support/settlements.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

const MiB = 1024 * 1024;
const node = 1;
const topic = 'faults';

describeKafka(
  'a real broker of our own',
  (suite) => {
    before(async () => {
      await using client = await KafkaClient.start({
        bootstrapServers: suite.kafka.bootstrapServers,
        apiVersionAutoTimeoutMs: 90_000,
      });
      await client.awaitReady(node);
      const created = await client.send(node, CreateTopics, {
        topics: [
          {
            name: topic,
            numPartitions: 1,
            replicationFactor: 1,
            assignments: [],
            configs: [{ name: 'max.message.bytes', value: `${16 * MiB}` }],
          },
        ],
        timeoutMs: 10_000,
      });
      assert.equal(created.topics.at(0).errorCode, 0);
      await waitFor('the partition to be led', async () => {
        const response = await client.send(node, ListOffsets, listOffsetsRequest(topic));
        return response.topics.at(0).partitions.at(0).errorCode === 0;
      });
      for (let i = 0; i < 20; i++) {
        const value = Buffer.alloc(2 * MiB, i);
        const response = await client.send(node, Produce, produceRequest(topic, [{ value }]), byName);
        assert.equal(response.responses.at(0).partitionResponses.at(0).errorCode, 0);
      }
    });

    after(async () => {
      await suite.kafka.stop();
    });

    test('serves an application that is blocked for three times its request timeout', {
      timeout: 300_000,
    }, async (t) => {
      const requestTimeoutMs = 4000;
      const client = await openClient(t, {
        bootstrapServers: suite.kafka.bootstrapServers,
        apiVersionAutoTimeoutMs: 90_000,
        requestTimeoutMs,
        maxInFlightRequestsPerConnection: 100,
        spillBudgetBytes: 4 * MiB,
      });
      await client.awaitReady(node);
      const settlements = new Settlements(client);
      const offsets: number[] = [];
      for (let i = 0; i < 20; i++) {
        settlements
          .send(node, Fetch, fetchRequest(topic, { offset: i, maxBytes: 1 }), byName)
          .addCallback((response) => {
            const record = fetchedRecords(response).at(0);
            assert.equal(record.value!.length, 2 * MiB);
            assert.equal(record.value![0], i);
            offsets.push(record.offset.toNumber());
          });
      }
      await client.poll(0);
      const until = performance.now() + 3 * requestTimeoutMs;
      let work = 0;
      while (performance.now() < until) work += Math.sqrt(work + 1);
      const { succeeded, errors } = await settlements.finish();
      assert.deepEqual(errors, []);
      assert.equal(succeeded, 20);
      assert.deepEqual(
        offsets,
        Array.from({ length: 20 }, (_, i) => i),
      );
    });

    test('makes requests time out while it is stopped, and is used again when it goes on', {
      timeout: 300_000,
    }, async (t) => {
      const client = await openClient(t, {
        bootstrapServers: suite.kafka.bootstrapServers,
        apiVersionAutoTimeoutMs: 90_000,
        reconnectBackoffMaxMs: 100,
        connectionSetupTimeoutMs: 3000,
      });
      await client.awaitReady(node);
      const settlements = new Settlements(client);
      const [broker] = suite.kafka.brokers;
      await broker!.kill('SIGSTOP');
      t.after(() => broker!.kill('SIGCONT'));
      settlements.send(node, Metadata, { topics: [] }, { timeoutMs: 300 });
      const { errors } = await settlements.finish();
      assert.equal(errors[0]?.name, 'RequestTimedOutError');
      await broker!.kill('SIGCONT');
      await client.awaitReady(node, { timeoutMs: 120_000 });
      await client.send(node, Metadata, { topics: [] });
    });

    test('fails pending requests once when it is killed, and is found with its data when it is started again', {
      timeout: 300_000,
    }, async (t) => {
      const client = await openClient(t, {
        bootstrapServers: suite.kafka.bootstrapServers,
        apiVersionAutoTimeoutMs: 90_000,
        reconnectBackoffMs: 20,
        reconnectBackoffMaxMs: 200,
        retryBackoffMs: 20,
      });
      await client.awaitReady(node);
      const { updateId } = client.cluster;
      const settlements = new Settlements(client);
      // Long polls at the end of the log: nothing comes but the end.
      for (let i = 0; i < 4; i++) {
        settlements.send(node, Fetch, fetchRequest(topic, { offset: 20, maxWaitMs: 25_000 }), byName);
      }
      await client.poll(0);
      const [broker] = suite.kafka.brokers;
      await broker!.kill('SIGKILL');
      const { errors } = await settlements.finish();
      assert.equal(errors.length, 4);
      for (const error of errors) {
        assert.ok(error instanceof KafkaConnectionError, String(error));
        assert.equal(error.retriable, true);
      }
      await waitFor('an attempt to be refused', () => client.isDisconnected(node));
      assert.ok(client.send(node, Metadata, { topics: [] }).exception instanceof NodeNotReadyError);

      const started = broker!.start();
      // Asked for nothing, the client goes on trying by itself.
      await started;
      await waitFor('metadata of the new process', () => client.cluster.updateId > updateId, 180_000);
      await client.awaitReady(node, { timeoutMs: 120_000 });
      const records = await waitFor('the data', async () => {
        try {
          const response = await client.send(node, Fetch, fetchRequest(topic, { offset: 19, maxBytes: 1 }), byName);
          const partition = response.responses.at(0).partitions.at(0);
          return partition.errorCode === 0 ? partition.records : null;
        } catch (error) {
          assert.ok(error instanceof KafkaClientError && error.retriable, String(error));
          await client.awaitReady(node, { timeoutMs: 120_000 });
          return null;
        }
      });
      assert.equal(records.at(0).value![0], 19);
    });
  },
  { ownBroker: true },
);
