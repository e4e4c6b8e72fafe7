// `offthread-kafka/testing` in the tests of an application: a cluster in a thread, faults by script, brokers that die.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CreateTopics, errorFor, KafkaClient, Metadata, NotEnoughReplicasError, Produce } from '../../src/index.ts';
import { EmbeddedCluster, type EmbeddedClusterOptions, errorCodes } from '../../src/testing/index.ts';
import { patient } from '../helpers/patience.ts';

async function withCluster(
  options: EmbeddedClusterOptions,
  run: (cluster: EmbeddedCluster, client: KafkaClient) => Promise<void>,
): Promise<void> {
  const cluster = await EmbeddedCluster.start(options);
  try {
    const client = await KafkaClient.start({
      ...patient,
      bootstrapServers: cluster.bootstrapServers,
      logLevel: 'silent',
    });
    try {
      await run(cluster, client);
    } finally {
      await client.close();
    }
  } finally {
    await cluster.close();
  }
}

describe('an embedded cluster', () => {
  test('starts with the brokers and topics that were asked for, and ends', async () => {
    await withCluster(
      { brokers: 3, topics: { orders: 6, audit: { partitions: 1, replicationFactor: 3 } } },
      async (cluster, client) => {
        assert.equal(cluster.nodes.length, 3);
        await client.awaitTopic('orders');
        await client.awaitTopic('audit');
        assert.equal(client.cluster.partitionsForTopic('orders')?.size, 6);
        assert.equal(client.cluster.brokers().length, 3);
      },
    );
  });

  test('serves a producer and a member of a group', async () => {
    await withCluster({ topics: { orders: 1 } }, async (cluster, client) => {
      const producer = await client.producer();
      await producer.send('orders', { key: 'k', value: 'v' });
      assert.equal((await cluster.log('orders', 0)).endOffset, 1);
      const consumer = await client.consumer({ groupId: 'g', topics: ['orders'], autoOffsetReset: 'earliest' });
      for await (const batch of consumer) {
        assert.deepEqual(
          [...batch].map(({ value }) => String(value)),
          ['v'],
        );
        batch.done();
        break;
      }
      await consumer.close();
      assert.equal(await cluster.committedOffset('g', 'orders', 0), 1);
    });
  });

  test('answers with an error as often as a script says, by name or by number, and then as usual', async () => {
    await withCluster({ topics: { orders: 1 } }, async (cluster, client) => {
      await client.awaitTopic('orders');
      await client.awaitReady(0);
      const request = {
        acks: -1,
        timeoutMs: 1000,
        topicData: [{ name: 'orders', partitionData: [{ index: 0, records: [{ value: 'v' }] }] }],
      };
      const codeOf = async (): Promise<number> =>
        (await client.send(0, Produce, request))!.responses.at(0).partitionResponses.at(0).errorCode;
      const rule = await cluster.fail(Produce, 'NOT_ENOUGH_REPLICAS', 2);
      assert.ok(errorFor(await codeOf()) instanceof NotEnoughReplicasError);
      assert.equal(await codeOf(), errorCodes.NOT_ENOUGH_REPLICAS);
      assert.equal(await codeOf(), 0);
      assert.equal(await rule.uses(), 2);
      await cluster.fail(Produce, 7);
      assert.equal(await codeOf(), 7);
      assert.equal(await codeOf(), 0);
    });
  });

  test('a name that is not an error of Kafka is refused, and is not taken for success', async () => {
    await withCluster({}, async (cluster) => {
      assert.throws(
        () => cluster.fail(Metadata, 'NO_SUCH_ERROR' as 'NONE'),
        /no error of Kafka has the name NO_SUCH_ERROR/,
      );
    });
  });

  test('a producer goes on after its broker was killed and came back, and after its leader has moved', async () => {
    await withCluster({ brokers: 2, topics: { orders: { assignments: [[1, 0]] } } }, async (cluster, client) => {
      const producer = await client.producer({ retryBackoffMs: 10 });
      await producer.send('orders', { value: 'before' });
      await cluster.killNode(1);
      await producer.send('orders', { value: 'meanwhile' });
      await cluster.restartNode(1);
      await cluster.moveLeader('orders', 0, 1);
      await producer.send('orders', { value: 'after' });
      const { endOffset, leaderId } = await cluster.log('orders', 0);
      assert.deepEqual([endOffset, leaderId], [3, 1]);
    });
  });

  test('a delay counts on the clock of the cluster, which a test moves', async () => {
    await withCluster({}, async (cluster, client) => {
      await client.awaitReady(0);
      await cluster.delay(CreateTopics, 60_000);
      const topics = [{ name: 'late', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
      const future = client.send(0, CreateTopics, { topics, timeoutMs: 1000 });
      await cluster.waitForRequests(CreateTopics, 1);
      assert.equal(future.isDone, false);
      await cluster.advanceTime(60_000);
      assert.equal((await future).topics.at(0).errorCode, 0);
    });
  });

  test('two clusters have nothing in common, and a closed cluster refuses calls', async () => {
    const [one, other] = [await EmbeddedCluster.start({ topics: { a: 1 } }), await EmbeddedCluster.start()];
    await assert.rejects(other.log('a', 0), /a/);
    await one.close();
    await one.close();
    await assert.rejects(one.log('a', 0));
    await other[Symbol.asyncDispose]();
  });
});
