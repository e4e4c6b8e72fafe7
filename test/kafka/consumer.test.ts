// Consumers with a real broker, in both protocols: a member whose application is blocked for longer than the session stays a member,
// what is done is committed, and no record comes twice.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { blockedProperties, isUntouched, readBlocked } from '../../scripts/prove/blocked-member.ts';
import { Consumer, CreateTopics, DescribeGroups, KafkaClient, ListOffsets, Produce } from '../../src/index.ts';
import { byName, listOffsetsRequest, produceRequest } from '../broker/support/requests.ts';
import { patient } from '../helpers/patience.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

const node = 1;
const count = 2000;

describeKafka(
  'consumers of a real broker',
  (suite) => {
    let client: KafkaClient;
    before(async () => {
      client = await KafkaClient.start({
        bootstrapServers: suite.kafka.bootstrapServers,
        apiVersionAutoTimeoutMs: 90_000,
      });
      await client.awaitReady(node);
    });
    after(() => client.close());

    async function create(topic: string, partitions: number): Promise<void> {
      const created = await client.send(node, CreateTopics, {
        topics: [{ name: topic, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] }],
        timeoutMs: 10_000,
      });
      assert.equal(created.topics.at(0).errorCode, 0);
      for (let partition = 0; partition < partitions; partition++)
        await waitFor('the partition to be led', async () => {
          const response = await client.send(node, ListOffsets, listOffsetsRequest(topic, -1, partition));
          return response.topics.at(0).partitions.at(0).errorCode === 0;
        });
    }

    async function fill(topic: string, partition: number, from: number): Promise<void> {
      for (let i = 0; i < count; i += 100) {
        const records = Array.from({ length: 100 }, (_, j) => ({ value: `${partition}:${from + i + j}` }));
        const response = await client.send(node, Produce, produceRequest(topic, records, { partition }), byName);
        assert.equal(response!.responses.at(0).partitionResponses.at(0).errorCode, 0);
      }
    }

    test('members of both protocols that are blocked for a minute with a session of 10 s stay members and read every record once', async () => {
      // fixed sleep: inside, an application that computes for longer than the session is what this is about
      const members = await readBlocked(suite.kafka.bootstrapServers, 60_000);
      assert.deepEqual(
        members.map(({ protocol }) => protocol),
        ['consumer', 'classic'],
      );
      for (const member of members) {
        assert.ok(isUntouched(member), JSON.stringify(member));
        assert.ok(member.prefetchedBytes > 0, 'it has fetched meanwhile');
      }
    });

    for (const groupProtocol of ['consumer', 'classic'] as const) {
      describe(`protocol ${groupProtocol}`, () => {
        test('a consumer commits what is done when it is closed, and the next consumer goes on there', async () => {
          const topic = `restart-${groupProtocol}`;
          await create(topic, 1);
          await fill(topic, 0, 0);
          const options = {
            ...patient,
            bootstrapServers: suite.kafka.bootstrapServers,
            groupId: topic,
            topics: [topic],
            autoOffsetReset: 'earliest',
            groupProtocol,
            batchMaxBytes: 4096,
          } as const;
          const first = await Consumer.start(options);
          const batch = await first.poll(120_000);
          const next = batch!.nextOffset.toBigInt();
          assert.equal(batch!.done(), 'ok');
          await first.close();
          const second = await Consumer.start(options);
          const following = await second.poll(120_000);
          assert.equal(following!.firstOffset.toBigInt(), next);
          await second.close();
        });
      });
    }

    test('a classic member that is closed while its join waits for another member is out at once', async () => {
      const groupId = 'closed-while-joining';
      await create(groupId, 2);
      const options = {
        ...patient,
        bootstrapServers: suite.kafka.bootstrapServers,
        groupId,
        topics: [groupId],
        groupProtocol: 'classic',
      } as const;
      // It does not ask whether there is a rebalance before the other one has left.
      const one = await Consumer.start({ ...options, heartbeatIntervalMs: 60_000, sessionTimeoutMs: 180_000 });
      await waitFor('all', () => one.assignment.length === 2);
      const two = await Consumer.start(options);
      const state = async (): Promise<[string, number]> => {
        const { groups } = await client.send(node, DescribeGroups, { groups: [groupId] });
        return [groups.at(0).groupState, groups.at(0).members.length];
      };
      await waitFor('its join', async () => {
        const [name, members] = await state();
        return name === 'PreparingRebalance' && members === 2;
      });
      // Less than the time after which a leave that is not read would be sent by another connection.
      await two.close({ timeoutMs: 20_000 });
      assert.deepEqual(await state(), ['PreparingRebalance', 1]);
      await one.close();
      assert.deepEqual(await state(), ['Empty', 0]);
    });
  },
  {
    extraProperties: blockedProperties,
  },
);
