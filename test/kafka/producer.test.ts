// A producer against real brokers: what it writes is what others read, also when a leader is killed, when the application thread is blocked,
// and within transactions.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateTopics, Fetch, KafkaClient, ListOffsets, type Producer, ProducerFencedError } from '../../src/index.ts';
import { committedRecords } from '../../src/protocol/flat/records/aborted-transactions.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

interface Read {
  readonly value: string;
  readonly offset: number;
}

/** All records of a partition that readers of committed records see. */
async function read(client: KafkaClient, topic: string, partition = 0): Promise<Read[]> {
  await client.addTopic(topic);
  const nodeId = await waitFor('a leader', async () => {
    await client.refreshMetadata();
    const leader = client.cluster.leaderForPartition({ topic, partition });
    return leader !== null && leader !== undefined && leader >= 0 ? { leader } : null;
  }).then(({ leader }) => leader);
  await client.awaitReady(nodeId);
  const at = await client.send(nodeId, ListOffsets, {
    replicaId: -1,
    isolationLevel: 1,
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, timestamp: -1 }] }],
  });
  const end = at.topics.at(0).partitions.at(0).offset.toNumber();
  const all: Read[] = [];
  for (let next = 0; next < end; ) {
    const response = await client.send(
      nodeId,
      Fetch,
      {
        maxWaitMs: 500,
        minBytes: 1,
        isolationLevel: 1,
        topics: [{ topic, partitions: [{ partition, fetchOffset: next, partitionMaxBytes: 1 << 24 }] }],
      },
      { version: 12 },
    );
    const { records, abortedTransactions } = response.responses.at(0).partitions.at(0);
    for (const record of committedRecords(records, abortedTransactions)) {
      all.push({ value: Buffer.from(record.value!).toString(), offset: record.offset.toNumber() });
    }
    next = records.nextOffset!.toNumber();
  }
  return all;
}

describeKafka(
  'a producer and a real broker',
  (suite) => {
    let client: KafkaClient;
    let topics = 0;

    before(async () => {
      client = await KafkaClient.start({
        bootstrapServers: suite.kafka.bootstrapServers,
        apiVersionAutoTimeoutMs: 60_000,
      });
    });

    after(async () => {
      await client?.close();
    });

    const newTopic = async (partitions = 1): Promise<string> => {
      topics++;
      const name = `producer-${topics}`;
      const nodeId = client.leastLoadedNode()!;
      await client.awaitReady(nodeId);
      const topic = { name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] };
      const created = await client.send(nodeId, CreateTopics, { topics: [topic], timeoutMs: 30_000 });
      assert.equal(created.topics.at(0).errorCode, 0);
      return name;
    };

    for (const compressionType of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      test(`records arrive in order, each at the offset that its Future told, compression ${compressionType}`, async () => {
        const topic = await newTopic();
        const producer: Producer = await client.producer({ compressionType });
        const values = Array.from({ length: 2000 }, (_, i) => `record ${i} ${'x'.repeat(i % 50)}`);
        const sent = await Promise.all(values.map((value) => producer.send(topic, { value })));
        await producer.close();
        const found = await read(client, topic);
        assert.deepEqual(
          found.map(({ value }) => value),
          values,
        );
        assert.deepEqual(
          found.map(({ offset }) => offset),
          sent.map(({ offset }) => offset.toNumber()),
        );
      });
    }

    test('what a thread has appended is delivered while it is blocked', async () => {
      const topic = await newTopic(3);
      const producer = await client.producer();
      await producer.send(topic, { value: 'first', partition: 0 });
      for (let i = 0; i < 5000; i++) assert.ok(producer.append(topic, null, `${i}`, i % 3));
      const end = performance.now() + 1500;
      while (performance.now() < end);
      assert.equal(producer.counters.acknowledged, 5001);
      await producer.close();
    });

    test('transactions: what is committed is seen, what is aborted is not, and who is fenced is told', async () => {
      const topic = await newTopic(2);
      const producer = await client.producer({ transactionalId: `tx-${topic}` });
      await producer.transaction(async (tx) => {
        tx.append(topic, null, 'committed', 0);
        await tx.sendOffsets([{ topic, partition: 0, offset: 7 }], { groupId: `g-${topic}` });
      });
      await assert.rejects(
        producer.transaction(async (tx) => {
          await tx.send(topic, { value: 'aborted' }, { partition: 0 });
          throw new Error('no');
        }),
        /no/,
      );
      await producer.transaction((tx) => void tx.append(topic, null, 'committed too', 1));
      assert.deepEqual(
        (await read(client, topic)).map(({ value }) => value),
        ['committed'],
      );
      assert.deepEqual(
        (await read(client, topic, 1)).map(({ value }) => value),
        ['committed too'],
      );
      const tx = await producer.begin();
      await tx.send(topic, { value: 'lost' }, { partition: 0 });
      const second = await client.producer({ transactionalId: `tx-${topic}` });
      await second.transaction((own) => void own.append(topic, null, 'of the second', 0));
      await assert.rejects(tx.commit(), ProducerFencedError);
      assert.deepEqual(
        (await read(client, topic)).map(({ value }) => value),
        ['committed', 'of the second'],
      );
      await producer.close();
      await second.close();
    });
  },
  {},
);
