// Metrics that a producer and a consumer push to a real broker (KIP-714): it reads them with Kafka's own classes.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Consumer, GetTelemetrySubscriptions, KafkaClient, Producer } from '../../src/index.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { describeKafka } from './fixture/index.ts';

const file = join(tmpdir(), `offthread-kafka-pushed-${process.pid}.txt`);

interface Push {
  readonly id: string;
  readonly clientId: string;
  readonly isTerminating: boolean;
  readonly labels: Record<string, string>;
  readonly metrics: {
    readonly name: string;
    readonly kind: string;
    readonly value: number;
    readonly attributes: string;
  }[];
}

/** What the broker's plug-in has written so far. */
function pushes(): Push[] {
  const found: Push[] = [];
  if (!existsSync(file)) return found;
  const text = readFileSync(file, 'utf8');
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    const [what, ...fields] = line.split('\t') as [string, ...string[]];
    const last = found.at(-1);
    if (what === 'push') {
      const [id, clientId, isTerminating] = fields as [string, string, string];
      found.push({ id, clientId, isTerminating: isTerminating === 'true', labels: {}, metrics: [] });
    } else if (what === 'label') {
      Object.assign(last!.labels, { [fields[0]!]: fields[1]! });
    } else if (what === 'metric') {
      const [name, kind, value, attributes] = fields as [string, string, string, string];
      last!.metrics.push({ name, kind, value: Number(value), attributes });
    } else assert.equal(line, '');
  }
  return found;
}

const of = (id: string | null): Push[] => pushes().filter((push) => push.id === id);

/** The sum of what several pushes have of a counter that is told by its differences. */
function sumOf(id: string | null, name: string): number {
  const points = of(id).flatMap(({ metrics }) => metrics.filter((metric) => metric.name === name));
  return points.filter(({ attributes }) => attributes === '').reduce((sum, { value }) => sum + value, 0);
}

describeKafka(
  'metrics that a real broker wants',
  (suite) => {
    const topic = 'measured';
    let options: { bootstrapServers: readonly string[]; apiVersionAutoTimeoutMs: number };

    before(async () => {
      options = { bootstrapServers: suite.kafka.bootstrapServers, apiVersionAutoTimeoutMs: 60_000 };
      await using client = await KafkaClient.start(options);
      const admin = client.admin();
      (await admin.createTopics([{ name: topic, partitions: 1 }], { waitForLeaders: true })).orThrow();
      const changes = [
        { name: 'metrics', operation: 'set', value: 'org.apache.kafka.producer.,org.apache.kafka.consumer.' },
        { name: 'interval.ms', operation: 'set', value: '1000' },
      ] as const;
      const resource = { type: 'clientMetrics', name: 'all' } as const;
      (await admin.incrementalAlterConfigs([{ resource, changes }])).orThrow();
      // The broker has the subscription when it answers a client with it.
      const nodeId = client.leastLoadedNode()!;
      await client.awaitReady(nodeId);
      await waitFor('the subscription', async () => {
        const request = { clientInstanceId: 'AAAAAAAAAAAAAAAAAAAAAA' };
        return (await client.send(nodeId, GetTelemetrySubscriptions, request)).requestedMetrics.length > 0;
      });
    });

    after(() => rmSync(file, { force: true }));

    test('of a producer and a consumer are pushed until they end, under the names of Java', async () => {
      const producer = await Producer.start({ ...options, clientId: 'writer', compressionType: 'lz4' });
      const consumer = await Consumer.start({
        ...options,
        clientId: 'reader',
        groupId: 'g',
        topics: [topic],
        autoOffsetReset: 'earliest',
      });
      const { records } = await producer.sendAll(
        topic,
        Array.from({ length: 100 }, (_, i) => ({ value: `record ${i}` })),
      );
      assert.equal(records, 100);
      for (let count = 0; count < 100; ) {
        const batch = await consumer.poll(120_000);
        assert.ok(batch !== null);
        count += batch.count;
      }
      await waitFor('ids', () => producer.clientInstanceId !== null && consumer.clientInstanceId !== null);
      const [writer, reader] = [producer.clientInstanceId, consumer.clientInstanceId];
      assert.notEqual(writer, reader);
      await waitFor('two pushes of each', () => of(writer).length >= 2 && of(reader).length >= 2);
      // More records, so that the last push has something to tell.
      for (let i = 0; i < 5; i++) await producer.send(topic, { value: `late ${i}` });
      await producer.close();
      await consumer.close();
      const isOver = (id: string | null): boolean => of(id).at(-1)?.isTerminating === true;
      await waitFor('the last pushes', () => isOver(writer) && isOver(reader));

      assert.equal(of(writer).filter(({ isTerminating }) => isTerminating).length, 1);
      assert.equal(of(writer)[0]!.clientId, 'writer');
      assert.deepEqual(of(writer)[0]!.labels, {});
      const { group_member_id: memberId, ...labels } = of(reader)[0]!.labels;
      assert.deepEqual(labels, { group_id: 'g' });
      assert.ok(memberId !== '');

      const connections = of(writer)[0]!.metrics.find(({ name }) => name.endsWith('.connection.creation.total'))!;
      assert.equal(connections.name, 'org.apache.kafka.producer.connection.creation.total');
      assert.equal(connections.kind, 'AGGREGATION_TEMPORALITY_DELTA monotonic');
      assert.ok(connections.value >= 1);
      const latency = of(writer).flatMap(({ metrics }) =>
        metrics.filter(({ name }) => name === 'org.apache.kafka.producer.node.request.latency.max'),
      );
      assert.deepEqual([latency[0]!.kind, latency[0]!.attributes], ['GAUGE', 'node_id=node-1']);
      const lag = of(reader)
        .at(-1)!
        .metrics.find(({ name }) => name === 'org.apache.kafka.consumer.fetch.manager.records.lag')!;
      assert.equal(lag.attributes, `topic=${topic} partition=0`);
    });

    test('are told by differences, whose sum is what happened since they are wanted', async () => {
      const producer = await Producer.start({ ...options });
      await producer.send(topic, { value: 'before anybody asked' });
      await waitFor('an id', () => producer.clientInstanceId !== null);
      const id = producer.clientInstanceId;
      for (let round = 1; round <= 3; round++) {
        const before = of(id).length;
        for (let i = 0; i < 10; i++) await producer.send(topic, { value: 'v' });
        await waitFor('the next push', () => of(id).length > before);
      }
      await producer.close();
      await waitFor('the last push', () => of(id).at(-1)?.isTerminating === true);
      assert.equal(sumOf(id, 'org.apache.kafka.producer.record.send.total'), 30);
    });

    test('are not pushed by whoever has switched it off', async () => {
      await using client = await KafkaClient.start({ ...options, clientId: 'silent' });
      const silent = await client.producer({ enableMetricsPush: false });
      const telling = await client.producer();
      await silent.send(topic, { value: 'v' });
      await waitFor('an id', () => telling.clientInstanceId !== null);
      await waitFor('a push', () => of(telling.clientInstanceId).length > 0);
      assert.equal(silent.clientInstanceId, null);
      assert.equal(new Set(pushes().flatMap(({ clientId, id }) => (clientId === 'silent' ? [id] : []))).size, 1);
    });
  },
  {
    pluginClass: 'ReceivedMetrics',
    extraProperties: { 'metric.reporters': 'ReceivedMetrics' },
    jvmArguments: [`-Dreceived.metrics.file=${file}`],
  },
);
