// Consumers with a real broker, in both protocols: a member whose application is blocked for longer than the session stays a member,
// what is done is committed, and no record comes twice.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Consumer, CreateTopics, KafkaClient, ListOffsets, Produce } from '../../src/index.ts';
import { byName, listOffsetsRequest, produceRequest } from '../broker/support/requests.ts';
import { patient } from '../helpers/patience.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

const sessionMs = 6000;
const blockedMs = 10_000;
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

    for (const groupProtocol of ['consumer', 'classic'] as const) {
      describe(`protocol ${groupProtocol}`, () => {
        test('a member that is blocked for longer than the session stays a member and reads every record once', async () => {
          const topic = `blocked-${groupProtocol}`;
          await create(topic, 2);
          for (const partition of [0, 1]) await fill(topic, partition, 0);
          const consumer = await Consumer.start({
            ...patient,
            bootstrapServers: suite.kafka.bootstrapServers,
            groupId: topic,
            topics: [topic],
            autoOffsetReset: 'earliest',
            groupProtocol,
            batchMaxBytes: 16 * 1024,
            ...(groupProtocol === 'classic' ? { sessionTimeoutMs: sessionMs, heartbeatIntervalMs: 1000 } : {}),
          });
          const losses: unknown[] = [];
          consumer.on('lost', (partitions) => losses.push(partitions));
          consumer.on('revoked', (partitions) => losses.push(partitions));
          const seen = new Map<string, number>();
          let epoch = -1;
          for await (const batch of consumer) {
            for (const { value } of batch) {
              const text = String(value);
              seen.set(text, (seen.get(text) ?? 0) + 1);
            }
            if (epoch < 0) {
              // In the middle of a batch, as a computation would.
              ({ epoch } = consumer.group);
              // fixed sleep: an application that computes for longer than the session is what this is about
              Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockedMs);
              assert.equal(batch.lost, false);
            }
            if (seen.size === 2 * count) break;
          }
          assert.equal(consumer.group.epoch, epoch, 'no rebalance');
          assert.deepEqual(losses, []);
          assert.equal([...seen.values()].filter((times) => times !== 1).length, 0, 'nothing twice');
          await consumer.close();
        });

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
  },
  {
    extraProperties: {
      'group.consumer.session.timeout.ms': `${sessionMs}`,
      'group.consumer.min.session.timeout.ms': `${sessionMs}`,
      'group.consumer.heartbeat.interval.ms': '1000',
      'group.consumer.min.heartbeat.interval.ms': '1000',
      'group.initial.rebalance.delay.ms': '0',
    },
  },
);
