// A producer with real brokers: others read what it writes, even when a leader is killed, when the application thread is blocked, and
// within transactions.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CreateTopics, KafkaClient, type Producer, ProducerFencedError } from '../../src/index.ts';
import { type LogRecord, readLog } from '../helpers/read-log.ts';
import { describeKafka } from './fixture/index.ts';
import { kafkaTools, toolsAvailability } from './fixture/tools.ts';

const tools = toolsAvailability();
const skip = tools.available ? false : tools.reason;

/** The records that readers of committed records see. */
const read = (client: KafkaClient, topic: string, partition?: number): Promise<LogRecord[]> =>
  readLog(client, topic, partition, { committedOnly: true });

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
      test(`records arrive in order, each at the offset of its Future, compression ${compressionType}`, async () => {
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

    test('records that a thread has appended are delivered while it is blocked', async () => {
      const topic = await newTopic(3);
      const producer = await client.producer();
      await producer.send(topic, { value: 'first', partition: 0 });
      for (let i = 0; i < 5000; i++) assert.ok(producer.append(topic, null, `${i}`, i % 3));
      // Blocked all the time: the counters are shared memory.
      const end = performance.now() + 120_000;
      while (producer.counters.acknowledged < 5001 && performance.now() < end);
      assert.equal(producer.counters.acknowledged, 5001);
      await producer.close();
    });

    test('transactions: readers see committed records and no aborted ones, and a fenced producer gets an error', async () => {
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

    for (const groupProtocol of ['consumer', 'classic'] as const) {
      test(`records that are read, changed and written in transactions are there once, protocol ${groupProtocol}`, async () => {
        const [source, results] = [await newTopic(2), await newTopic()];
        const count = 300;
        const writer = await client.producer();
        for (let i = 0; i < count; i++) assert.ok(writer.append(source, null, `${i}`, i % 2));
        await writer.close();
        const options = {
          groupId: `once-${source}`,
          topics: [source],
          autoOffsetReset: 'earliest',
          groupProtocol,
          commit: 'manual',
          batchMaxBytes: 1000,
        } as const;
        let producer = await client.producer({ transactionalId: `once-${source}` });
        let consumer = await client.consumer(options);
        let tries = 0;
        for (let done = 0; done < count; ) {
          const batch = await consumer.poll(120_000);
          assert.notEqual(batch, null, `${done} of ${count} records were done`);
          const half = batch!.firstOffset.add(Math.ceil(batch!.count / 2));
          const isAborted = tries++ % 3 === 1;
          const work = producer.transaction(async (tx) => {
            for (const record of batch!) {
              if (record.offset.gte(half)) break;
              assert.ok(tx.append(results, null, `done ${record.value!.toString()}`));
            }
            await tx.sendOffsets(batch!.transactionOffsets(half));
            if (isAborted) throw new Error('aborted on purpose');
          });
          if (isAborted) await assert.rejects(work, /aborted on purpose/);
          else {
            await work;
            done += Math.ceil(batch!.count / 2);
          }
          if (tries % 4 === 2) {
            // Another member, and another producer of the same id, go on where transactions have got to.
            await consumer.close();
            consumer = await client.consumer(options);
            await producer.close();
            producer = await client.producer({ transactionalId: `once-${source}` });
          } else {
            batch!.done(isAborted ? batch!.firstOffset : half);
            batch!.giveBack();
          }
        }
        await consumer.close();
        await producer.close();
        const numbers = (await read(client, results)).map(({ value }) => Number(value!.split(' ')[1]));
        assert.deepEqual(
          numbers.toSorted((a, b) => a - b),
          Array.from({ length: count }, (_, i) => i),
        );
      });
    }

    test('offsets of a member of an old generation are refused, and the transaction can only be aborted', async () => {
      const [source, results] = [await newTopic(), await newTopic()];
      const writer = await client.producer();
      await writer.send(source, { value: 'a' });
      const options = {
        groupId: `zombie-${source}`,
        topics: [source],
        autoOffsetReset: 'earliest',
        commit: 'manual',
      } as const;
      const consumer = await client.consumer(options);
      const batch = (await consumer.poll(120_000))!;
      const stale = batch.transactionOffsets();
      await consumer.close();
      const second = await client.consumer(options);
      assert.equal((await second.poll(120_000))!.count, 1);
      const producer = await client.producer({ transactionalId: `zombie-${source}` });
      await assert.rejects(
        producer.transaction(async (tx) => {
          tx.append(results, null, 'of a zombie');
          await tx.sendOffsets(stale);
        }),
        (error: Error & { code?: string }) =>
          /UNKNOWN_MEMBER_ID|STALE_MEMBER_EPOCH|CommitFailed/i.test(`${error.code} ${error.name} ${error.message}`),
      );
      await producer.transaction((tx) => void tx.append(results, null, 'later'));
      assert.deepEqual(
        (await read(client, results)).map(({ value }) => value),
        ['later'],
      );
      for (const each of [second, producer, writer]) await each.close();
    });

    test("Java's console consumer sees the same committed records in the same order, with every codec", {
      skip,
    }, async () => {
      const topic = await newTopic();
      const expected: string[] = [];
      for (const compressionType of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
        const producer = await client.producer({ transactionalId: `java-${compressionType}`, compressionType });
        for (const isCommitted of [true, false, true]) {
          const values = Array.from(
            { length: 200 },
            (_, i) => `${compressionType} ${isCommitted} ${i} ${'y'.repeat(i % 60)}`,
          );
          const tx = await producer.begin();
          for (const value of values) assert.ok(tx.append(topic, null, value));
          await producer.flush();
          if (isCommitted) await tx.commit();
          else await tx.abort();
          if (isCommitted) expected.push(...values);
        }
        await producer.close();
      }
      const { run } = await kafkaTools();
      const output = await run('consumer.ConsoleConsumer', [
        '--bootstrap-server',
        suite.kafka.bootstrapServers.join(),
        ...['--topic', topic, '--from-beginning', '--isolation-level', 'read_committed'],
        ...['--max-messages', `${expected.length}`, '--timeout-ms', '200000'],
      ]);
      assert.deepEqual(
        output.split('\n').filter((line) => line !== ''),
        expected,
      );
      assert.deepEqual(
        (await read(client, topic)).map(({ value }) => value),
        expected,
      );
    });
  },
  {},
);
