// Admin with a real cluster of three brokers, one of which is stopped: leaders, reassignments, brokers that leave.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Admin, KafkaClient, Results } from '../../src/index.ts';
import { closedByHand, openClient } from '../broker/support/client.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

const limitMs = 240_000;

const codeOf = (results: Results<unknown, unknown>): (string | undefined)[] =>
  [...results.values()].map((outcome) => (outcome.ok ? undefined : (outcome.error as { code?: string }).code));

describeKafka(
  'Admin and a cluster that loses a broker',
  (suite) => {
    let client: KafkaClient;
    let admin: Admin;
    const first = { topic: 'led-by-3', partition: 0 };
    const alone = { topic: 'only-on-3', partition: 0 };

    const leaderOf = async ({ topic }: { topic: string }): Promise<number> =>
      (await admin.describeTopics([topic])).orThrow().get(topic)!.partitions[0]!.leader;
    const third = () => suite.kafka.brokers.find(({ nodeId }) => nodeId === 3)!;

    before(async () => {
      client = await openClient(closedByHand, {
        bootstrapServers: suite.kafka.bootstrapServers,
        apiVersionAutoTimeoutMs: limitMs,
      });
      admin = client.admin({ timeoutMs: limitMs });
      await waitFor('all brokers', async () => (await admin.describeCluster()).brokers.length === 3, limitMs);
      const topics = [
        { name: first.topic, assignments: [[3, 1]] },
        { name: alone.topic, assignments: [[3]] },
      ];
      (await admin.createTopics(topics, { waitForLeaders: true })).orThrow();
    });

    after(async () => {
      await client?.close();
    });

    test('a broker is stopped, and the cluster shows it as fenced', async () => {
      await waitFor('the leader', async () => (await leaderOf(first)) === 3, limitMs);
      await third().stop();
      await waitFor(
        'the broker to be fenced',
        async () => {
          const { brokers } = await admin.describeCluster({ includeFencedBrokers: true });
          return brokers.find(({ nodeId }) => nodeId === 3)?.isFenced === true;
        },
        limitMs,
      );
      assert.deepEqual(
        (await admin.describeCluster()).brokers.map(({ nodeId }) => nodeId),
        [1, 2],
      );
    });

    test('leaders: one that is down cannot be elected, and the others need no election', async () => {
      await waitFor('another leader', async () => (await leaderOf(first)) === 1, limitMs);
      const none = { topic: 'no-such-topic', partition: 0 };
      assert.deepEqual(codeOf(await admin.electLeaders([first, none])), [
        'KAFKA_PREFERRED_LEADER_NOT_AVAILABLE',
        'KAFKA_UNKNOWN_TOPIC_OR_PARTITION',
      ]);
      assert.deepEqual(codeOf(await admin.electLeaders([alone], { unclean: true })), [
        'KAFKA_ELIGIBLE_LEADERS_NOT_AVAILABLE',
      ]);
    });

    test('reassignments: begun, listed while they cannot end, cancelled, refused', async () => {
      (await admin.createTopics([{ name: 'moved', assignments: [[1]] }], { waitForLeaders: true })).orThrow();
      const place = { topic: 'moved', partition: 0 };
      const none = { topic: 'no-such-topic', partition: 0 };
      const begun = await admin.alterPartitionReassignments([
        { ...place, replicas: [1, 3] },
        { ...none, replicas: [1] },
      ]);
      assert.deepEqual(codeOf(begun), [undefined, 'KAFKA_UNKNOWN_TOPIC_OR_PARTITION']);
      assert.deepEqual(
        [...(await admin.listPartitionReassignments())].map(([key, { addingReplicas }]) => [key, addingReplicas]),
        [[place, [3]]],
      );
      const cancel = [{ ...place, replicas: null }];
      assert.deepEqual(codeOf(await admin.alterPartitionReassignments(cancel)), [undefined]);
      assert.equal((await admin.listPartitionReassignments([place])).size, 0);
      assert.deepEqual(codeOf(await admin.alterPartitionReassignments(cancel)), ['KAFKA_NO_REASSIGNMENT_IN_PROGRESS']);
      const unknown = [{ ...place, replicas: [77] }];
      assert.deepEqual(codeOf(await admin.alterPartitionReassignments(unknown)), ['KAFKA_INVALID_REPLICA_ASSIGNMENT']);
      assert.deepEqual(codeOf(await admin.alterPartitionReassignments([{ ...place, replicas: [2] }])), [undefined]);
      await waitFor('the move', async () => (await leaderOf(place)) === 2, limitMs);
    });

    test('partitions: assignments of new ones, and a topic that is being reassigned', async () => {
      const more = { topic: 'moved', totalCount: 2, assignments: [[1]] };
      const wrong = { topic: first.topic, totalCount: 2, assignments: [[77]] };
      assert.deepEqual(codeOf(await admin.createPartitions([more, wrong])), [
        undefined,
        'KAFKA_INVALID_REPLICA_ASSIGNMENT',
      ]);
    });

    test('topics are not deleted where brokers are told not to', async () => {
      assert.deepEqual(codeOf(await admin.deleteTopics([first.topic])), ['KAFKA_TOPIC_DELETION_DISABLED']);
    });

    test('a stopped broker is not waited for longer than the call may take, and costs the others nothing', async () => {
      const dirs = await admin.describeLogDirs([1, 3], { timeoutMs: 5000 });
      assert.deepEqual(codeOf(dirs), [undefined, 'KAFKA_TIMEOUT']);
      const { errors } = await admin.listGroups();
      assert.equal(errors.size, 0);
    });

    test('a broker that will not come back is unregistered', async () => {
      await admin.unregisterBroker(3);
      await waitFor(
        'the broker to be forgotten',
        async () => {
          const { brokers } = await admin.describeCluster({ includeFencedBrokers: true });
          return brokers.every(({ nodeId }) => nodeId !== 3);
        },
        limitMs,
      );
      await assert.rejects(admin.unregisterBroker(3), { code: 'KAFKA_BROKER_ID_NOT_REGISTERED' });
    });
  },
  { brokers: 3, extraProperties: { 'delete.topic.enable': false } },
);
