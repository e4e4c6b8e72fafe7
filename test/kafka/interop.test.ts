// Records between this client and Kafka's own command line tools, with every codec: each reads what the other writes.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { CreateTopics, errorFor, Fetch, type KafkaClient, Produce, type RecordInput } from '../../src/index.ts';
import { errorCodes } from '../../src/testing/index.ts';
import { openClient } from '../broker/support/client.ts';
import { byName, fetchRequest } from '../broker/support/requests.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { noise } from '../unit/worker/support/big-messages.ts';
import { describeKafka, isKafkaRequired, type KafkaTools, kafkaTools, toolsAvailability } from './fixture/index.ts';

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
type Codec = (typeof codecs)[number];

/** Stands for null in what the tools read and print; in no record. */
const nullText = '<null>';
/** Between headers, key and value; in no record either. */
const separator = '|';
const time = 1_700_000_000_000;

interface Sample {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
  readonly headers: readonly (readonly [string, string | null])[];
}

/** Few but different: nulls, empty and long text, more than ASCII, times that go back, headers twice and without value. */
const samples: readonly Sample[] = [
  { key: 'key', value: 'value', timestamp: time, headers: [] },
  { key: null, value: 'no key', timestamp: time + 1, headers: [['one', '1']] },
  { key: 'tombstone', value: null, timestamp: time + 2, headers: [] },
  { key: null, value: null, timestamp: time - 1000, headers: [] },
  { key: '', value: '', timestamp: time + 70_000, headers: [['empty', '']] },
  {
    key: 'ünïcödé ✓ 🎈',
    value: 'ß'.repeat(3000),
    timestamp: 0,
    headers: [
      ['twice', '1'],
      ['twice', '2'],
      ['ключ', 'значение'],
      ['null', null],
    ],
  },
  ...Array.from({ length: 150 }, (_, i) => ({
    key: `key ${i % 7}`,
    value: `the value of record ${i}, and some more of it`,
    timestamp: time + i * 13,
    headers: i % 3 === 0 ? [['number', `${i}`] as const] : [],
  })),
];

/** Text that hardly shrinks: together too much to be compressed beside the poll loop's other work. */
function bigSamples(seed: number): Sample[] {
  return Array.from({ length: 300 }, (_, i) => ({
    key: `${seed}/${i}`,
    value: noise(1500, seed * 1000 + i).toString('base64'),
    timestamp: time + i,
    headers: [],
  }));
}

const toInput = ({ key, value, timestamp, headers }: Sample): RecordInput => ({
  key,
  value,
  timestamp,
  headers: headers.map(([name, text]) => [name, text] as [string, string | null]),
});

const tools = toolsAvailability();
const skip = tools.available || isKafkaRequired() ? false : tools.reason;

describeKafka('records of Kafka and ours', (suite) => {
  let client: KafkaClient;
  let runTool: KafkaTools['run'];
  const cleanups: (() => unknown)[] = [];

  before(async () => {
    const t = { after: (cleanup: () => unknown) => cleanups.push(cleanup) };
    client = await openClient(t, { bootstrapServers: suite.kafka.bootstrapServers });
    if (skip === false) runTool = (await kafkaTools()).run;
  });

  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  const servers = () => ['--bootstrap-server', suite.kafka.bootstrapServers.join(',')];

  async function createTopics(names: readonly string[], partitions: number): Promise<void> {
    const node = client.cluster.controller?.nodeId ?? client.leastLoadedNode()!;
    await client.awaitReady(node);
    const topics = names.map((name) => ({ name, numPartitions: partitions, replicationFactor: 1 }));
    const response = await client.send(node, CreateTopics, {
      topics: topics.map((topic) => ({ ...topic, assignments: [], configs: [] })),
      timeoutMs: 30_000,
    });
    for (const { errorCode } of response.topics) assert.equal(errorFor(errorCode), null);
    await client.setTopics(names);
    await waitFor('leaders', async () => {
      await client.refreshMetadata();
      return names.every((name) => client.cluster.availablePartitionsForTopic(name)?.size === partitions);
    });
  }

  async function leaderOf(topic: string, partition: number): Promise<number> {
    const leader = client.cluster.leaderForPartition({ topic, partition })!;
    await client.awaitReady(leader);
    return leader;
  }

  async function produce(topic: string, partition: number, records: readonly Sample[], codec: Codec): Promise<void> {
    const batch = { records: records.map(toInput), compression: codec };
    const request = {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: topic, partitionData: [{ index: partition, records: batch }] }],
    };
    // The controller names the leader before that broker knows that it is one; until then it writes nothing.
    await waitFor(`the leader of ${topic}-${partition}`, async () => {
      const response = await client.send(await leaderOf(topic, partition), Produce, request, byName);
      const { errorCode } = response.responses.at(0).partitionResponses.at(0);
      if (errorCode === errorCodes.NOT_LEADER_OR_FOLLOWER) return false;
      assert.equal(errorFor(errorCode), null);
      return true;
    });
  }

  /** Everything in the partition, in the form of the samples, and the codecs of its batches. */
  async function fetchAll(topic: string, partition: number, count: number) {
    const leader = await leaderOf(topic, partition);
    const records: Sample[] = [];
    const compressions = new Set<string>();
    for (let offset = 0; records.length < count; ) {
      const response = await client.send(leader, Fetch, fetchRequest(topic, { partition, offset }), byName);
      const answer = response.responses.at(0).partitions.at(0);
      assert.equal(errorFor(answer.errorCode), null);
      assert.equal(answer.records.error, null);
      for (const { compression } of answer.records.batches) compressions.add(compression);
      for (const record of answer.records) {
        if (record.offset.toNumber() < offset) continue;
        const { key, value, timestamp, headers } = record;
        records.push({
          key: key?.toString() ?? null,
          value: value?.toString() ?? null,
          timestamp: timestamp.toNumber(),
          headers: headers.map((header) => [header.key, header.value?.toString() ?? null] as const),
        });
      }
      assert.ok(answer.records.length > 0, `${records.length} of ${count} records, and no more come`);
      offset = answer.records.nextOffset.toNumber();
    }
    return { records, compressions: [...compressions] };
  }

  test("Kafka's console consumer reads what this client writes, with every codec", { skip }, async () => {
    const topic = `interop-${randomUUID()}`;
    await createTopics([topic], codecs.length);
    // One partition for each codec, so that one consumer reads them all.
    const expected = codecs.map((_, i) => [...samples, ...bigSamples(i + 1), ...samples.slice(0, 6)]);
    for (const [partition, codec] of codecs.entries()) {
      await produce(topic, partition, samples, codec);
      await produce(topic, partition, bigSamples(partition + 1), codec);
      await produce(topic, partition, samples.slice(0, 6), codec);
      const { compressions } = await fetchAll(topic, partition, expected[partition]!.length);
      assert.deepEqual(compressions, [codec], 'stored as it was sent');
    }
    const total = expected.reduce((sum, records) => sum + records.length, 0);
    const printed = ['timestamp', 'partition', 'offset', 'headers', 'key', 'value'];
    const properties = [
      ...printed.map((part) => `print.${part}=true`),
      `key.separator=${separator}`,
      `null.literal=${nullText}`,
    ];
    const output = await runTool('consumer.ConsoleConsumer', [
      ...servers(),
      '--topic',
      topic,
      '--from-beginning',
      '--max-messages',
      `${total}`,
      '--timeout-ms',
      '200000',
      ...properties.flatMap((property) => ['--formatter-property', property]),
    ]);
    const lines = output.split('\n').filter((line) => line !== '');
    assert.equal(lines.length, total);
    for (const [partition, records] of expected.entries()) {
      const mine = lines.filter((line) => line.includes(`${separator}Partition:${partition}${separator}`));
      assert.deepEqual(
        mine,
        records.map((record, offset) => printedLine(record, partition, offset)),
        `records compressed with ${codecs[partition]}`,
      );
    }
  });

  test("this client reads what Kafka's console producer writes, with every codec", { skip }, async () => {
    const run = randomUUID();
    const topicOf = (codec: Codec) => `interop-${codec}-${run}`;
    await createTopics(codecs.map(topicOf), 1);
    const given = [...samples.slice(0, 6), ...bigSamples(9), ...samples.slice(6)];
    const input = given.map((record) => `${inputLine(record)}\n`).join('');
    const properties = [
      'parse.key=true',
      'parse.headers=true',
      `key.separator=${separator}`,
      `headers.delimiter=${separator}`,
      `null.marker=${nullText}`,
    ].flatMap((property) => ['--reader-property', property]);
    const startedAt = Date.now();
    const write = async (codec: Codec): Promise<void> => {
      const args = ['--topic', topicOf(codec), '--compression-codec', codec, ...properties];
      await runTool('ConsoleProducer', [...servers(), ...args], { input });
    };
    // Two at a time: as many as the smallest machine has cores.
    const waiting = [...codecs];
    const next = async (): Promise<void> => {
      for (let codec = waiting.shift(); codec !== undefined; codec = waiting.shift()) await write(codec);
    };
    await Promise.all([next(), next()]);
    for (const codec of codecs) {
      const { records, compressions } = await fetchAll(topicOf(codec), 0, given.length);
      assert.deepEqual(compressions, [codec]);
      assert.deepEqual(
        records.map((record) => ({ ...record, timestamp: 0 })),
        given.map((record) => ({ ...record, timestamp: 0 })),
      );
      for (const { timestamp } of records) assert.ok(timestamp >= startedAt - 1000 && timestamp <= Date.now() + 1000);
    }
  });
});

/** As the console consumer prints it. */
function printedLine({ key, value, timestamp, headers }: Sample, partition: number, offset: number): string {
  const shownHeaders = headers.map(([name, text]) => `${name}:${text ?? nullText}`).join(',');
  return [
    `CreateTime:${timestamp}`,
    `Partition:${partition}`,
    `Offset:${offset}`,
    shownHeaders === '' ? 'NO_HEADERS' : shownHeaders,
    key ?? nullText,
    value ?? nullText,
  ].join(separator);
}

/** As the console producer wants it. */
function inputLine({ key, value, headers }: Sample): string {
  const written = headers.map(([name, text]) => `${name}:${text ?? nullText}`).join(',');
  return [written === '' ? nullText : written, key ?? nullText, value ?? nullText].join(separator);
}
